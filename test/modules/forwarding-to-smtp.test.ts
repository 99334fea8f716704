import { join } from 'node:path';
import t, { type Test } from 'tap';
import { testFolder } from '../support/folder.ts';
import { makeCertificates } from '../support/mail/certificates.ts';
import {
  ScriptedSmtp,
  type SmtpFault,
  type SmtpOptions,
  type SmtpStep,
  smtpSteps,
} from '../support/mail/scripted-smtp.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { pass, until } from '../support/outbox-rig.ts';

const ALICE = '+37060000001';
const BOB = '+37060000002';
const BOSS = 'boss@example.com';

type Options = Readonly<Record<string, string | readonly string[]>>;

const section = (name: string, options: Options): string => {
  const lines = Object.entries(options).flatMap(([key, value]) =>
    typeof value === 'string' ? [`\toption ${key} '${value}'\n`] : value.map((item) => `\tlist ${key} '${item}'\n`),
  );
  return `config ${name} '${name}'\n${lines.join('')}\n`;
};

const config = (server: ScriptedSmtp, options: Options = {}, more = ''): string =>
  section('forwarding_to_smtp', {
    ...{ enabled: '1', subject: 'SMS', smtpip: '127.0.0.1', smtpport: `${server.port}` },
    ...{ senderemail: 'gateway@example.com', recipemail: [BOSS], sender_num: '1', ...options },
  }) + more;

async function start(t: Test, options: SmtpOptions = {}): Promise<ScriptedSmtp> {
  const server = await ScriptedSmtp.start(options);
  t.teardown(() => server.stop());
  return server;
}

async function rigOf(t: Test, text: string): Promise<ModuleRig> {
  const rig = await ModuleRig.open(testFolder(t), { config: text });
  t.teardown(() => rig.close());
  return rig;
}

/** Lets time pass, step by step, until `check` holds, but not while a mail is on its way. */
async function later(rig: ModuleRig, check: () => boolean, what: string, step = 13_000): Promise<void> {
  rig.deliveriesTakeNoTime();
  await pass(rig.clock, step, check, what);
}

const header = (content: string, name: string): string =>
  new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'mi').exec(content)?.[1]?.replace(/\r\n\s/g, ' ') ?? '';
const bodyOf = (content: string): string => {
  const body = content.slice(content.indexOf('\r\n\r\n') + 4);
  const base64 = /^Content-Transfer-Encoding: base64/im.test(content);
  const octets = base64
    ? Buffer.from(body, 'base64')
    : Buffer.from(
        body
          .replace(/=\r\n/g, '')
          .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      );
  return octets.toString().replace(/\r\n/g, '\n').trimEnd();
};

t.test('a message becomes a mail in the original form', async (t) => {
  const server = await start(t);
  const rig = await rigOf(t, config(server, { subject: 'Žinutė' }));
  await rig.receive(ALICE, 'Labas ąčę\n.\n🙂');
  await rig.handled('forwarding_to_smtp');
  const [mail] = server.mails;
  t.match(mail, { from: 'gateway@example.com', to: [BOSS] });
  const { content = '' } = mail ?? {};
  t.equal(bodyOf(content), `Labas ąčę\n.\n🙂\nSMS forwarded from: ${ALICE}`);
  t.equal(header(content, 'From'), 'gateway@example.com');
  t.equal(header(content, 'To'), BOSS);
  t.match(header(content, 'Subject'), /^=\?UTF-8\?[QB]\?/);
  t.match(header(content, 'Message-ID'), /^<sms-gateway\.[\w-]{22}@example\.com>$/);
  t.equal(header(content, 'Auto-Submitted'), 'auto-generated');
  t.match(content, /charset=utf-8/i);
  t.match(rig.modules.list().find(({ name }) => name === 'forwarding_to_smtp')?.counters, {
    forwarded: 1,
    rejected: 0,
  });
  t.equal(rig.store.inbox.total().used, 1, 'the message stays');
});

t.test('contents', async (t) => {
  const server = await start(t);
  const rule =
    "config rule\n\toption enabled '1'\n\toption action 'send_status'\n\toption smstext 'status'\n\toption authorisation 'no'\n";
  const cases: readonly (readonly [string, Options, string, string, string | undefined])[] = [
    ['without the number', { sender_num: '0' }, ALICE, 'hi', 'hi'],
    ['a name as sender', {}, 'MyBank', 'hi', 'hi\nSMS forwarded from: MyBank'],
    ['of a listed number', { mode: 'list', number: [ALICE] }, ALICE, 'hi', `hi\nSMS forwarded from: ${ALICE}`],
    ['of one that is not listed', { mode: 'list', number: [ALICE] }, BOB, 'hi', undefined],
    ['no rule message', {}, ALICE, 'status', undefined],
    ['a rule message as well', { every_sms: '1', sender_num: '0' }, ALICE, 'status', 'status'],
  ];
  for (const [what, options, sender, text, wanted] of cases) {
    const rig = await ModuleRig.open(testFolder(t), { config: config(server, options, rule) });
    server.mails.length = 0;
    await rig.receive(sender, text);
    await rig.handled('forwarding_to_smtp');
    t.strictSame(
      server.mails.map(({ content }) => bodyOf(content)),
      wanted === undefined ? [] : [wanted],
      what,
    );
    await rig.close();
  }
  const rig = await rigOf(t, config(server, { sender_num: '0' }));
  server.mails.length = 0;
  await rig.receive(ALICE, '', { binary: { dcs: 0x04, data: Uint8Array.of(1, 2, 255) } });
  await rig.handled('forwarding_to_smtp');
  t.strictSame(
    server.mails.map(({ content }) => bodyOf(content)),
    ['Binary message: 0102FF'],
  );
});

t.test('a bad address does not delay others, and each mail has one recipient', async (t) => {
  const server = await start(t);
  const addresses = ['gone@example.com', BOSS, 'busy@example.com'];
  const rig = await rigOf(t, config(server, { recipemail: addresses }));
  server.fault({ at: 'RCPT', how: { say: '550 5.1.1 no such user' }, to: 'gone@example.com' });
  server.fault({ at: 'RCPT', how: { say: '450 4.2.0 greylisted' }, to: 'busy@example.com' });
  await rig.receive(ALICE, 'one');
  await until(
    () => server.mails.length === 1 && rig.store.deliveries.pending('forwarding_to_smtp') === 1,
    'two are over',
  );
  t.strictSame(server.mails[0]?.to, [BOSS]);
  server.heal();
  await later(rig, () => server.mails.length === 2, 'the greylisted one came through');
  await rig.handled('forwarding_to_smtp');
  t.strictSame(server.mails[1]?.to, ['busy@example.com']);
  const counters = rig.modules.list().find(({ name }) => name === 'forwarding_to_smtp')?.counters;
  t.match(counters, { forwarded: 2, rejected: 1 });
  const ids = server.mails.map(({ content }) => header(content, 'Message-ID'));
  t.equal(new Set(ids).size, 2, 'mails to two people are two mails');
});

t.test('temporary failures are retried with the same Message-ID, also over a restart', async (t) => {
  const server = await start(t);
  let rig = await ModuleRig.open(testFolder(t), { config: config(server) });
  const faults = [
    ...(['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'body'] as const).flatMap((at) => [
      { at, how: 'cut' } as const,
      { at, how: { say: '421 4.3.2 going down' } } as const,
    ]),
    { at: 'greeting', how: { say: '554 no service' } } as const,
    { at: 'MAIL', how: { say: '530 5.7.0 log in first' } } as const,
  ];
  await rig.receive(ALICE, 'warm-up');
  await rig.handled('forwarding_to_smtp');
  for (const fault of faults) {
    server.mails.length = 0;
    server.fault(fault);
    await rig.receive(ALICE, `after ${fault.at}`);
    await until(() => rig.store.deliveries.counters('forwarding_to_smtp').retried > 0, 'it has failed once');
    t.equal(server.mails.length, 0);
    rig = await rig.crash();
    await later(rig, () => server.mails.length === 1, `it came after ${fault.at} ${String(fault.how)}`);
    await rig.handled('forwarding_to_smtp');
    t.match(bodyOf(server.mails[0]?.content ?? ''), new RegExp(`^after ${fault.at}\n`));
  }

  t.teardown(() => rig.close());
  server.mails.length = 0;
  server.fault({ at: 'body', how: 'lost' });
  await rig.receive(BOB, 'twice');
  await later(rig, () => server.mails.length === 2, 'it came again');
  const ids = server.mails.map(({ content }) => header(content, 'Message-ID'));
  t.equal(ids[0], ids[1], 'when the answer got lost, the second mail can be recognised');
});

t.test('a server that falls silent', async (t) => {
  const folder = testFolder(t);
  const silent = async (at: SmtpStep) => {
    const server = await start(t);
    const rig = await ModuleRig.open(join(folder, at), { config: config(server, { timeout: '1' }) });
    t.teardown(() => rig.close());
    server.fault({ at, how: 'hang' });
    await rig.receive(ALICE, 'hi');
    await until(() => rig.store.deliveries.counters('forwarding_to_smtp').retried === 1, `it gave up waiting at ${at}`);
    t.equal(server.mails.length, 0);
  };
  await Promise.all(smtpSteps.filter((step) => !['AUTH', 'STARTTLS'].includes(step)).map(silent));
});

t.test('a server that talks without end', async (t) => {
  const certificates = makeCertificates(testFolder(t));
  const tls = { kind: 'implicit', certificates } as const;
  const overTls = { secureconnection: '1', tls: 'implicit', smtpip: 'localhost', ca_file: certificates.ca };
  const endless = [
    ['empty lines', { at: 'greeting', how: { endless: '\r\n' } }],
    ['a greeting without end', { at: 'greeting', how: { endless: '220-hello\r\n' } }],
    ['a line without end', { at: 'EHLO', how: { endless: 'x' } }],
    ['an answer without end', { at: 'EHLO', how: { endless: '250-X\r\n' } }],
    ['answers that nobody asked for', { at: 'MAIL', how: { endless: '250 ok\r\n' } }],
    ['preliminary answers', { at: 'RCPT', how: { endless: '150 wait\r\n' } }],
    ['an octet at a time', { at: 'DATA', how: { endless: '250-X\r\n', slow: true } }],
  ] as const satisfies readonly (readonly [string, SmtpFault])[];
  for (const [name, fault] of endless) {
    for (const secure of [false, true]) {
      await t.test(`${name}${secure ? ' over TLS' : ''}`, async (t) => {
        const server = await start(t, secure ? { tls } : {});
        server.fault(fault);
        const rig = await rigOf(t, config(server, { timeout: '5', ...(secure && overTls) }));
        await rig.receive(ALICE, 'patient');
        await until(() => server.flood > 0, 'it talks');
        if ('slow' in fault.how) await rig.clock.advance(31_000);
        await until(() => server.open === 0, 'the connection is broken off');
        t.ok(server.flood < 16 << 20, 'little of it was read');
        t.equal(server.mails.length, 0);
        await later(rig, () => server.mails.length === 1, 'a later try succeeds');
      });
    }
  }

  await t.test('challenges without end', async (t) => {
    const server = await start(t, { login: true });
    server.challenge = '334 bW9yZQ==';
    server.fault({ at: 'AUTH', how: { say: '334 bW9yZQ==' } });
    const rig = await rigOf(t, config(server, { timeout: '5', username: 'gateway', password: 'secret' }));
    await rig.receive(ALICE, 'patient');
    await until(() => rig.log.some((line) => /says more than a dialogue needs/.test(line)), 'it is broken off');
    await until(() => server.open === 0, 'the connection is closed');
  });
});

t.test('permanent refusals are not retried', async (t) => {
  const server = await start(t);
  const rig = await rigOf(t, config(server));
  for (const at of ['MAIL', 'RCPT', 'DATA', 'body'] as const) {
    server.fault({ at, how: { say: '552 5.3.4 never' } });
    await rig.receive(ALICE, at);
  }
  await rig.handled('forwarding_to_smtp');
  t.equal(server.mails.length, 0);
  t.match(rig.store.deliveries.counters('forwarding_to_smtp'), { rejected: 4, retried: 0 });
  t.ok(
    rig.log.some((line) => line.includes('552 5.3.4 never')),
    'the log says why',
  );
});

t.test('retry_hours', async (t) => {
  const server = await start(t);
  const rig = await rigOf(t, config(server, { retry_hours: '0' }));
  server.fault({ at: 'MAIL', how: { say: '450 later' } });
  await rig.receive(ALICE, 'once', { time: rig.clock.now() });
  await rig.handled('forwarding_to_smtp');
  t.match(rig.store.deliveries.counters('forwarding_to_smtp'), { rejected: 1, retried: 0 });
  await rig.configure(config(server, { retry_hours: '2' }));
  server.fault({ at: 'RCPT', how: { say: '450 later' }, to: BOSS });
  await rig.receive(ALICE, 'for two hours', { time: rig.clock.now() });
  const begin = rig.clock.now();
  await until(() => rig.store.deliveries.counters('forwarding_to_smtp').retried === 1, 'it has failed once');
  t.ok((rig.modules.status('forwarding_to_smtp').nextTry ?? 0) > rig.clock.now(), 'and says when it is tried next');
  await later(rig, () => rig.store.deliveries.pending('forwarding_to_smtp') === 0, 'it is given up', 300_000);
  const hours = (rig.clock.now() - begin) / 3_600_000;
  t.ok(hours >= 2 && hours < 4, `given up after ${hours} hours`);
  t.equal(server.mails.length, 0);
});

t.test('TLS and login', async (t) => {
  const folder = testFolder(t);
  const certificates = makeCertificates(folder);
  let rigs = 0;
  const login = { username: 'gateway', password: 'secret', secureconnection: '1' };
  const known = { ...login, ca_file: certificates.ca };
  const tried = async (server: ScriptedSmtp, options: Options): Promise<string> => {
    const rig = await ModuleRig.open(join(folder, `${++rigs}`), { config: config(server, options) });
    try {
      return await rig.modules.test('forwarding_to_smtp', new AbortController().signal);
    } catch (error) {
      return (error as Error).message;
    } finally {
      await rig.close();
      t.notOk(
        rig.log.some((line) => line.includes('secret')),
        'the log keeps the password',
      );
    }
  };
  for (const kind of ['starttls', 'implicit'] as const) {
    const server = await start(t, { tls: { kind, certificates }, login: true });
    const tls = { tls: kind };
    t.match(await tried(server, { ...known, ...tls }), /has taken a test mail to boss@example.com/, kind);
    t.match(server.mails, [{ encrypted: true, user: 'gateway', to: [BOSS] }]);
    server.mails.length = 0;
    t.match(await tried(server, { ...known, ...tls, smtpip: 'localhost' }), /has taken/, 'by its name');
    t.match(await tried(server, { ...login, ...tls, ssl_verify: '0' }), /has taken/, 'unverified when that is wanted');
    server.mails.length = 0;
    t.match(await tried(server, { ...login, ...tls }), /certificate/, 'an unknown authority');
    t.match(await tried(server, { ...known, ...tls, password: 'wrong' }), /535/, 'a wrong password');
    t.equal(server.mails.length, 0);
  }
  const plain = await start(t);
  t.match(await tried(plain, known), /STARTTLS/i, 'no mail in clear where STARTTLS is missing');
  t.equal(plain.mails.length, 0);
  t.match(await tried(plain, {}), /has taken/, 'in clear when that is wanted');
  t.match(plain.mails, [{ encrypted: false, user: undefined }]);
  const open = await start(t, { login: true });
  t.match(await tried(open, { ...known, secureconnection: '0' }), /has taken/, 'a login in clear when that is wanted');
  t.match(open.mails, [{ encrypted: false, user: 'gateway' }]);
  const loginless = await start(t);
  t.match(await tried(loginless, { username: 'gateway', password: 'secret' }), /503/, 'no mail without the login');
  t.equal(loginless.mails.length, 0);
});

t.test('a wrong password costs no message', async (t) => {
  const server = await start(t, { login: true });
  const rig = await rigOf(t, config(server, { username: 'gateway', password: 'wrong' }));
  await rig.receive(ALICE, 'kept');
  await until(() => rig.store.deliveries.counters('forwarding_to_smtp').retried === 1, 'it is to be tried again');
  await rig.configure(config(server, { username: 'gateway', password: 'secret' }));
  await later(rig, () => server.mails.length === 1, 'it came');
});

t.test('no text is injected into the headers', async (t) => {
  const server = await start(t);
  const rig = await rigOf(t, config(server, { subject: 'a\nBcc: evil@example.com\n\nbody' }));
  await rig.receive('A\nTo: x', 'text\nBcc: evil@example.com\r\n.\r\nMAIL FROM:<x@example.com>');
  await rig.handled('forwarding_to_smtp');
  const [mail] = server.mails;
  t.equal(server.mails.length, 1);
  t.strictSame(mail?.to, [BOSS]);
  const head = mail?.content.slice(0, mail.content.indexOf('\r\n\r\n')) ?? '';
  t.notMatch(head, /^(Bcc|To: x)/im);
  t.equal(header(mail?.content ?? '', 'Subject'), 'a Bcc: evil@example.com body');
  t.match(
    bodyOf(mail?.content ?? ''),
    /^text\nBcc: evil@example\.com\n\.\nMAIL FROM:<x@example\.com>\nSMS forwarded from: /,
  );
});

t.test('a removed recipient gets nothing more', async (t) => {
  const server = await start(t);
  const rig = await rigOf(t, config(server));
  server.fault({ at: 'MAIL', how: { say: '450 later' } });
  await rig.receive(ALICE, 'hi');
  await until(() => rig.store.deliveries.counters('forwarding_to_smtp').retried === 1, 'it has failed');
  await rig.configure(config(server, { recipemail: ['other@example.com'] }));
  await later(rig, () => rig.store.deliveries.pending('forwarding_to_smtp') === 0, 'it is over');
  t.equal(server.mails.length, 0);
});

t.test('a token for the answer', async (t) => {
  const server = await start(t);
  const pop3 = (enabled: string) =>
    section('pop3', { enabled, host: '127.0.0.1', port: '1', username: 'u', password: 'p' });
  const rig = await rigOf(t, config(server, { reply_by_mail: '1' }, pop3('1')));
  await rig.receive(ALICE, 'hi');
  await rig.receive('MyBank', 'hi');
  await rig.handled('forwarding_to_smtp');
  await rig.configure(config(server, { reply_by_mail: '1' }, pop3('0')));
  await rig.receive(ALICE, 'hi');
  await rig.handled('forwarding_to_smtp');
  const [first, second, third] = server.mails.map(({ content }) => header(content, 'Subject'));
  t.match(first, /^SMS \[SMS \+37060000001 [a-z2-9]{12}\]$/);
  t.equal(second, 'SMS', 'a name cannot be answered');
  t.equal(third, 'SMS', 'nobody would read the answer');
});
