import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Daemon, noLimits } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { Dovecot } from '../support/mail/dovecot.ts';
import { Exim } from '../support/mail/exim.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { until } from '../support/outbox-rig.ts';
import { missingPrograms } from '../support/programs.ts';

/*
 * E-mail in both directions against the servers that people have: dovecot's POP3, and exim with a login and TLS.
 */
const dovecotMissing = missingPrograms(['dovecot', 'openssl'], 'dovecot-pop3d openssl');
const eximMissing = missingPrograms(['exim4', 'openssl'], 'exim4-daemon-light openssl');

const ALICE = '+37060000001';

type Options = Readonly<Record<string, string | number>>;

function section(name: string, options: Options): string {
  const lines = Object.entries(options).map(([key, value]) =>
    key === 'recipemail' ? `\tlist ${key} '${value}'\n` : `\toption ${key} '${value}'\n`,
  );
  return `config ${name} '${name}'\n\toption enabled '1'\n${lines.join('')}\n`;
}

const mailbox = (account: string, port: number, more: Options = {}) =>
  `config gateway 'gateway'\n${noLimits}\n` +
  section('pop3', { host: 'localhost', port, username: account, password: 'secret', limit: 2000, ...more });

async function rigWith(t: Test, config: string): Promise<ModuleRig> {
  const rig = await ModuleRig.open(join(testFolder(t), 'rig'), { config });
  t.teardown(() => rig.close());
  return rig;
}

const mail = (lines: readonly string[], subject = ALICE) =>
  Buffer.from([`From: a@example.com`, `Subject: ${subject}`, ...lines, ''].join('\r\n'), 'latin1');

/** Mails of many kinds, and the text that each is to become. */
const kinds: readonly (readonly [text: string, lines: readonly string[]])[] = [
  ['plain', ['', 'plain']],
  ['.dot\n..dots\n.', ['', '.dot', '..dots', '.']],
  [
    'Žąsis €',
    [
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '=C5=BD=C4=85sis =E2=82=AC',
    ],
  ],
  ['latin1 é', ['Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit', '', 'latin1 \xe9']],
  [
    'base64 ąčę',
    [
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('base64 ąčę').toString('base64'),
    ],
  ],
  [
    'the plain one',
    [
      ...[
        'MIME-Version: 1.0',
        'Content-Type: multipart/alternative; boundary=b',
        '',
        '--b',
        'Content-Type: text/html',
        '',
      ],
      ...['<p>the html one', '--b', 'Content-Type: text/plain', '', 'the plain one', '--b--'],
    ],
  ],
  ['from html & more', ['Content-Type: text/html', '', '<html><body><p>from <b>html</b> &amp; more</p></body></html>']],
];

for (const [name, options] of [
  ['plain', (server: Dovecot) => mailbox('plain', server.port)],
  ['POP3S', (server: Dovecot) => mailbox('pop3s', server.tlsPort, { ssl: 1, ca_file: server.certificates.ca })],
  ['STLS', (server: Dovecot) => mailbox('stls', server.port, { starttls: 1, ca_file: server.certificates.ca })],
] as const) {
  t.test(`200 mails of all kinds from dovecot, ${name}`, { skip: dovecotMissing }, async (t) => {
    const account = name.toLowerCase();
    const server = new Dovecot([account]);
    t.teardown(() => server.remove());
    const expected = Array.from({ length: 200 }, (_, i) => kinds[i % kinds.length]?.[0] ?? '');
    server.deliver(account, ...expected.map((_, i) => mail(kinds[i % kinds.length]?.[1] ?? [])));
    await server.start();
    const rig = await rigWith(t, options(server));
    await until(() => server.count(account) === 0, 'the mailbox is empty');
    const texts = (await rig.outbox()).map(({ text }) => text);
    t.same([...texts].sort(), [...expected].sort());
  });
}

t.test('what dovecot refuses, and what is too much', { skip: dovecotMissing }, async (t) => {
  const server = new Dovecot(['big', 'many', 'wrong']);
  t.teardown(() => server.remove());
  server.deliver('big', mail(['', 'x'.repeat(20 << 20)]), mail(['', 'behind a big one']));
  server.deliver(
    'many',
    ...Array.from({ length: 5000 }, () => mail(['', 'not for us'], 'Hello')),
    mail(['', 'the last']),
  );
  await server.start();

  t.test('a mail of 20 MB is ignored', async (t) => {
    const rig = await rigWith(t, mailbox('big', server.port));
    await until(() => server.count('big') === 0, 'the mailbox is empty');
    t.match(await rig.outbox(), [{ text: 'behind a big one' }]);
  });

  t.test('a wrong password', async (t) => {
    const rig = await rigWith(t, mailbox('wrong', server.port, { password: 'hunter2' }));
    await t.rejects(rig.modules.test('pop3', new AbortController().signal), { code: /access_denied|peer_rejected/ });
    t.notMatch(rig.log.join('\n'), /hunter2/);
  });

  t.test('a certificate that nobody knows', async (t) => {
    const rig = await rigWith(t, mailbox('wrong', server.tlsPort, { ssl: 1 }));
    await t.rejects(rig.modules.test('pop3', new AbortController().signal), { message: /certificate/ });
  });

  t.test('5,000 mails in the box', async (t) => {
    const rig = await rigWith(t, mailbox('many', server.port));
    for (const end = Date.now() + 240_000; server.count('many') > 0 && Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    t.equal(server.count('many'), 0);
    t.match(await rig.outbox(), [{ text: 'the last' }]);
  });
});

t.test('a dovecot that cannot delete', { skip: dovecotMissing }, async (t) => {
  const server = new Dovecot(['full']);
  t.teardown(() => server.remove());
  server.deliver('full', mail(['', 'once']));
  await server.start();
  server.protect('full', true);
  const rig = await rigWith(t, mailbox('full', server.port, { timeout: 300 }));
  const error = () => rig.modules.list().find(({ name }) => name === 'pop3')?.error;
  const sessions = () => server.log.split('Logged out').length - 1;
  let looks = 1;
  const over = () => until(() => sessions() >= looks, `look ${looks} is over`);
  const look = async () => {
    looks += 1;
    // The module notes the end of its session before it sleeps again.
    await until(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      // Not while a session is under way: its deadline would pass.
      if (sessions() < looks && rig.clock.waits(60_000)) await rig.clock.advance(60_000);
      return sessions() >= looks;
    }, `look ${looks} is over`);
  };
  await over();
  for (let n = 0; n < 5; n++) await look();
  await until(
    () => /cannot be deleted from the mailbox: 1; the server confirms their deletion/.test(error() ?? ''),
    'status has it',
  );
  t.match(server.log, /retr=0\/0, del=1\/1/, 'it is not fetched at each look');
  server.protect('full', false);
  await look();
  await look();
  await until(() => error() === undefined, 'all is well again');
  t.equal(server.count('full'), 0);
  t.match(await rig.outbox(), [{ text: 'once' }]);
});

t.test('forwarding to e-mail by exim', { skip: eximMissing }, async (t) => {
  const server = new Exim();
  t.teardown(() => server.remove());
  // It takes mail for the mailboxes that it finds.
  mkdirSync(join(server.folder, 'mail', 'alice'));
  await server.start();
  const smtp = (port: number, more: Options = {}) =>
    section('forwarding_to_smtp', {
      ...{
        smtpip: 'localhost',
        smtpport: port,
        username: 'gateway',
        password: 'secret',
        subject: 'SMS Ąž',
        sender_num: 1,
      },
      ...{ senderemail: 'gateway@test.example', recipemail: 'alice@test.example', secureconnection: 1 },
      ca_file: server.certificates.ca,
      ...more,
    });

  let count = 0;
  for (const [name, config] of [
    ['STARTTLS', smtp(server.port, { tls: 'starttls' })],
    ['implicit TLS', smtp(server.tlsPort, { tls: 'implicit' })],
  ] as const) {
    t.test(name, async (t) => {
      const rig = await rigWith(t, config);
      await rig.receive('+37061111111', 'Ąžuolas 🙂\n.\nend');
      count += 1;
      const mails = await server.mails('alice', count).catch((error: Error) => {
        throw new Error(`${error.message}\n${rig.log.join('\n')}`);
      });
      const latest = mails.at(-1);
      t.match(latest, /^Subject: =\?UTF-8\?/m);
      t.match(latest, /^Message-ID: <[^>\s]+@test\.example>/im);
      await rig.handled('forwarding_to_smtp');
    });
  }

  t.test('a wrong password is reported, and not shown', async (t) => {
    const rig = await rigWith(t, smtp(server.port, { tls: 'starttls', password: 'hunter2' }));
    await t.rejects(rig.modules.test('forwarding_to_smtp', new AbortController().signal), {
      message: /Incorrect authentication/,
    });
    t.notMatch(rig.log.join('\n'), /hunter2/);
  });
});

t.test(
  'a message goes out by exim, and the answer to it comes back by dovecot',
  { skip: eximMissing || dovecotMissing },
  async (t) => {
    const dovecot = new Dovecot(['gateway', 'boss']);
    const exim = new Exim(join(dovecot.folder, 'mail'));
    t.teardown(() => Promise.all([dovecot.remove(), exim.remove()]));
    await Promise.all([dovecot.start(), exim.start()]);
    const daemon = new Daemon({
      folder: testFolder(t),
      config: [
        "config modem 'sim0'\n\toption device 'sim'\n\toption send_interval '0'\n",
        section('pop3', {
          ...{ host: 'localhost', port: dovecot.port, username: 'gateway', password: 'secret' },
          ...{ starttls: 1, ca_file: dovecot.certificates.ca, allow_from: 'nobody@test.example' },
        }).replace('option allow_from', 'list allow_from'),
        section('forwarding_to_smtp', {
          ...{ smtpip: 'localhost', smtpport: exim.port, secureconnection: 1, ca_file: exim.certificates.ca },
          ...{ username: 'gateway', password: 'secret', senderemail: 'gateway@test.example' },
          ...{ recipemail: 'boss@test.example', subject: 'SMS', reply_by_mail: 1 },
        }),
      ].join('\n'),
    });
    t.teardown(() => daemon.stop('SIGKILL'));
    await daemon.start();
    await daemon.call('sms_gateway.simulator', 'receive', { from: ALICE, text: 'Labas ąčę 🙂' });
    const [forwarded = ''] = await exim.mails('boss', 1);
    t.match(Buffer.from(forwarded.split('\n\n')[1] ?? '', 'base64').toString(), /^Labas ąčę 🙂\s*$/);
    const subject = /^Subject: (.*(?:\n .*)*)/m.exec(forwarded)?.[1]?.replace(/\n/g, '') ?? '';
    t.match(subject, /^SMS \[SMS \+37060000001 [a-z2-9]{12}\]$/);

    const answer = Buffer.from('A\xe8i\xfb!\n\n> Labas', 'latin1').toString('base64');
    const kind = ['Content-Type: text/plain; charset=windows-1257', 'Content-Transfer-Encoding: base64'];
    // The look that the start makes would take the answer before it is counted.
    await until(() => dovecot.log.includes('Logged out'), 'the first look is over');
    dovecot.deliver('gateway', mail([...kind, '', answer], `Re: ${subject}`));
    const test = await daemon.call('sms_gateway.module', 'test', { module: 'pop3' });
    t.match(test, { message: /logged in at localhost port [0-9]+ over TLS; mails in the mailbox: 1/ });
    await daemon.call('sms_gateway.module', 'restart', { module: 'pop3' });
    const { messages } = await daemon.until('sms_gateway.simulator', 'sent', {}, (result) => {
      return Array.isArray(result.messages) && result.messages.length > 0;
    });
    t.match(messages, [{ to: ALICE, text: 'Ačiū!' }]);
    await until(() => dovecot.count('gateway') === 0, 'the mailbox is empty');
    t.equal(await daemon.stop(), 0);
  },
);
