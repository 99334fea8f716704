import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import { Inbox } from '../../src/store/inbox/inbox.ts';
import { Journal } from '../../src/store/journal/journal.ts';
import { SmppClient } from '../modules/smpp/client.ts';
import { c, ids, pdu, u8, u16 } from '../modules/smpp/octets.ts';
import { submit } from '../modules/smpp/submit.ts';
import { Daemon } from '../support/daemon.ts';
import { newFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { incomingPdus } from '../support/incoming.ts';
import { ScriptedPop3 } from '../support/mail/scripted-pop3.ts';
import { until } from '../support/outbox-rig.ts';

/*
 * A whole daemon with the heap that it has on a small router, and what would use that up: the process lives, who behaves is
 * served meanwhile, and nothing that was accepted is lost.
 */
t.setTimeout(600_000);

const ALICE = '+37060000001';

/** A modem that is away: everything waits. */
const away = `
config modem 'gsm0'
	option device '/dev/there-is-no-such-modem'
`;

const postGet = `
config post_get 'post_get'
	option enabled '1'
	option username 'user1'
	option password 'quite secret'
`;

class SmallDaemon extends Daemon {
  static async open(t: Test, config: string, folder = newFolder(t)): Promise<SmallDaemon> {
    const daemon = new SmallDaemon({ folder, config, nodeFlags: ['--max-old-space-size=48'] });
    t.teardown(() => daemon.stop('SIGKILL'));
    await daemon.start();
    return daemon;
  }

  /** A cgi-bin answer of the built-in web server. */
  async cgi(script: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const parameters = new URLSearchParams({ username: 'user1', password: 'quite secret', ...more });
    const answer = await fetch(`${this.http}/cgi-bin/${script}?${parameters}`);
    return answer.text();
  }

  /** Somebody who behaves, until `work` has ended: how often they were served, and the longest they waited, ms. */
  async serves<T>(work: Promise<T>, ask: () => Promise<unknown>): Promise<{ result: T; served: number }> {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    done.catch(() => undefined);
    let served = 0;
    do {
      await ask();
      served += 1;
      await wait(50);
    } while (!over);
    return { result: await done, served };
  }

  async process(): Promise<JsonObject> {
    return (await this.call('sms_gateway', 'status'))['process'] as JsonObject;
  }
}

const MESSAGES = 600;
const LENGTH = 1_500;
/** Each text is known by its number; every other one needs two octets a character. */
const textOf = (n: number) =>
  `${n}:${(n % 2 === 0 ? 'Пример текста ' : 'A text of some length ').repeat(150)}`.slice(0, LENGTH);

/** Fills an inbox as a daemon would, before one begins. */
async function fillInbox(directory: string): Promise<void> {
  const log = createLogger({ level: 'error', write: () => undefined });
  const journal = new Journal({ directory, clock: systemClock, log, sync: 60 });
  const policy = { capacity: 10_000, evict: false, partTimeoutHours: 24 };
  const inbox = new Inbox({ journal, clock: systemClock, log, policy });
  await journal.open();
  inbox.start();
  for (let n = 0; n < MESSAGES; n++) {
    const received = systemClock.now();
    const pdus = incomingPdus(ALICE, textOf(n), { reference: n });
    await Promise.all(pdus.map((pdu) => inbox.accept({ modem: 'gsm0', pdu, received })));
  }
  await inbox.stop();
  await journal.close();
}

t.test(`listings of ${MESSAGES} messages of ${LENGTH} characters`, async (t) => {
  const folder = newFolder(t);
  await fillInbox(`${folder}/state`);
  const gateway = "config gateway 'gateway'\n\toption capacity '10000'\n";
  const daemon = await SmallDaemon.open(t, `${gateway}${away}${postGet}`, folder);

  t.test('ten sms_list at once, by both ways', async (t) => {
    const whole = await daemon.cgi('sms_list');
    const count = whole.match(/^Index: /gm)?.length ?? 0;
    t.ok(count > 100 && whole.includes(textOf(0)) && whole.includes(textOf(count - 1)), 'one by itself is right');
    const query = new URLSearchParams({ username: 'user1', password: 'quite secret' }).toString();
    const byShim = async () => {
      const args = { script: 'sms_list', method: 'GET', query, remote_addr: '192.168.1.7' };
      return (await daemon.call('sms_gateway.cgi', 'request', args))['body'];
    };
    // Whoever waits for room longer than they may is refused, as on a slow machine; they ask again, as programs do.
    let refused = 0;
    const served = async (ask: () => Promise<unknown>) => {
      for (;;) {
        const answer = await ask();
        if (answer !== 'ERROR\n') return answer;
        refused += 1;
      }
    };
    const ten = (ask: () => Promise<unknown>) => Promise.all(Array.from({ length: 10 }, () => served(ask)));
    const { result, served: others } = await daemon.serves(
      Promise.all([ten(() => daemon.cgi('sms_list')), ten(byShim)]),
      async () => t.match(await daemon.cgi('sms_total'), /^Used: 600\n/, 'sms_total is answered'),
    );
    t.ok(
      result.flat().every((answer) => answer === whole),
      'each of them has the whole answer',
    );
    t.ok(others > 0);
    const { doors } = (await daemon.call('sms_gateway', 'status')) as { doors: { answers?: { refused: number } } };
    t.equal(refused, doors.answers?.refused ?? 0, 'nobody had an error for another reason');
  });

  t.test('listings of the namespace, a batch on each of ten connections', async (t) => {
    const listed = (await daemon.call('sms_gateway.message', 'list', { limit: 1000 })) as {
      messages: { text: string }[];
      cursor?: string;
    };
    t.equal(listed.messages[0]?.text, textOf(0));
    t.ok(listed.cursor !== undefined, 'a page is shorter than what was asked for, and there are more');
    const member = (id: number) => ({
      jsonrpc: '2.0',
      id,
      method: 'call',
      params: ['sms_gateway.message', 'list', { limit: 1000 }],
    });
    const batch = async () => {
      const socket = connect(daemon.socket);
      socket.write(`${JSON.stringify(Array.from({ length: 20 }, (_, id) => member(id)))}\n`);
      const text = await lineOf(socket);
      socket.destroy();
      return JSON.parse(text) as { result?: { messages: unknown[] }; error?: { data: { code: string } } }[];
    };
    const { result } = await daemon.serves(Promise.all(Array.from({ length: 10 }, batch)), () =>
      daemon.call('sms_gateway', 'version'),
    );
    for (const answers of result) {
      t.equal(answers.length, 20);
      t.ok(
        answers.some((answer) => answer.result?.messages.length === listed.messages.length),
        'some are whole',
      );
      const codes = new Set(answers.flatMap(({ error }) => (error === undefined ? [] : [error.data.code])));
      for (const code of codes) t.match(code, /^(too_large|queue_full)$/, 'the others say why');
    }
  });

  t.test('clients that ask for listings and never read', async (t) => {
    const deaf = Array.from({ length: 60 }, () =>
      connect(daemon.socket)
        .on('error', () => undefined)
        .pause(),
    );
    const request = { jsonrpc: '2.0', id: 1, method: 'call', params: ['sms_gateway.message', 'list', { limit: 1000 }] };
    for (const socket of deaf) socket.write(`${JSON.stringify(request)}\n`.repeat(8));
    await wait(1_000);
    t.match(await daemon.call('sms_gateway', 'version'), { version: /./ });
    t.match(await daemon.cgi('sms_total'), /^Used: 600\n/);
    for (const socket of deaf) socket.destroy();
    await daemon.until('sms_gateway', 'status', {}, ({ doors }) => {
      const { answers } = doors as { answers?: { used: number } };
      return answers === undefined || answers.used === 0;
    });
    t.match(await daemon.cgi('sms_list'), /^Index: 0\n/, 'then there is room again');
  });
});

async function lineOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) {
    text += chunk;
    if (text.endsWith('\n')) break;
  }
  return text;
}

t.test('ten submit_multi of 35 KB to 254 each', async (t) => {
  const port = await freePort();
  const smpp = `
config smpp 'smpp'
	option enabled '1'
	option port '${port}'
	option address '127.0.0.1'
`;
  const folder = newFolder(t);
  // As many SMS as anybody likes: memory is what is short here.
  const free = ['sms', 'recipient'].flatMap((of) =>
    ['minute', 'hour', 'day'].map((span) => `\toption ${of}_per_${span} '0'\n`),
  );
  const config = `config gateway 'gateway'\n\toption queue_limit '100000'\n${free.join('')}${away}${postGet}${smpp}`;
  const daemon = await SmallDaemon.open(t, config, folder);
  const text = Buffer.from('0123456789'.repeat(3_500));
  const payload = Buffer.concat([u16(0x0424), u16(text.length), text]);
  const destinations = Array.from({ length: 254 }, (_, n) =>
    Buffer.concat([u8(1, 1, 1), c(`37060000${String(n).padStart(3, '0')}`)]),
  );
  const body = submit({ text: '', tlvs: [payload] }, [u8(254), ...destinations]);
  const clients = await Promise.all(Array.from({ length: 10 }, () => SmppClient.bound(port, 'bind_transmitter')));
  const answers = Promise.all(
    clients.map((client) => {
      client.send(pdu(ids.submit_multi, body, 77));
      return client.next(({ sequence }) => sequence === 77, 120_000);
    }),
  );
  const { result } = await daemon.serves(answers, () => daemon.call('sms_gateway', 'version'));
  let accepted = 0;
  for (const { status, body } of result) {
    if (status !== 0) {
      t.ok(status === 0x14 || status === 0x58, `refused as full or throttled, got 0x${status.toString(16)}`);
      continue;
    }
    accepted += 254 - (body[body.indexOf(0) + 1] ?? 0);
  }
  t.ok(accepted > 100, `${accepted} messages were accepted`);
  const queued = async () => ((await daemon.call('sms_gateway', 'status'))['queue'] as JsonObject)['queued'];
  t.equal(await queued(), accepted, 'as many wait as were accepted');
  for (const client of clients) client.destroy();
  await daemon.stop('SIGKILL');
  await daemon.start();
  t.equal(await queued(), accepted, 'also after a crash');
});

t.test('80 connections with parts of lines', async (t) => {
  const daemon = await SmallDaemon.open(t, `${away}${postGet}`);
  const honest = connect(daemon.socket);
  const text = 'x'.repeat(20_000);
  const line = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'call', params: ['sms_gateway.message', 'segments', { text }] })}\n`;
  honest.write(line.slice(0, -100));
  const part = Buffer.alloc(512 * 1024 - 1, '{');
  const sockets = Array.from({ length: 79 }, () => connect(daemon.socket).on('error', () => undefined));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.resume().write(part);
  await until(() => sockets.filter((socket) => socket.destroyed).length > 60, 'those that hold the most are closed');
  t.match(await daemon.cgi('sms_total'), /^Used: 0\n/, 'the web server serves on');
  const { doors } = (await daemon.call('sms_gateway', 'status')) as {
    doors: { input: { used: number; limit: number } };
  };
  t.ok(doors.input.used <= doors.input.limit, `${doors.input.used} octets are held of ${doors.input.limit}`);
  honest.write(line.slice(-100));
  t.match(JSON.parse(await lineOf(honest)), { result: { parts: 131 } }, 'who holds little is not disturbed');
  for (const socket of [...sockets, honest]) socket.destroy();
});

const CRLF = Buffer.from('\r\n');
const mail = (...lines: readonly (string | Buffer)[]) =>
  Buffer.concat([`From: a@example.com`, `Subject: ${ALICE}`, ...lines].flatMap((line) => [Buffer.from(line), CRLF]));
const FULL = 511 * 1024;
const fill = (text: string) => Buffer.alloc(FULL - 400, text);

/** 40,000 levels of multipart, each within the one before. */
function nested(): Buffer {
  const levels = Array.from(
    { length: 8_000 },
    (_, n) => `--b${n}\r\nContent-Type: multipart/mixed; boundary=b${n + 1}\r\n`,
  );
  return mail('MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b0', '', ...levels);
}

const nasty: readonly (readonly [what: string, content: Buffer])[] = [
  ['nothing but line ends', Buffer.alloc(FULL, '\r\n')],
  ['line ends as its text', mail('', fill('\r\n'))],
  ['parts within parts', nested()],
  ['20,000 header fields', mail(...Array.from({ length: 20_000 }, (_, n) => `X-${n}: ${n}`), '', 'text')],
  ['one header field without end', mail(Buffer.concat([Buffer.from('X-Long: '), fill('a b ')]), '', 'text')],
  ['one field in 15,000 lines', mail('X-Long: a', ...Array.from({ length: 15_000 }, () => ' folded'), '', 'text')],
  ['a large base64', mail('Content-Transfer-Encoding: base64', '', fill('QUJD'))],
  ['base64 of line ends', mail('Content-Transfer-Encoding: base64', '', fill('DQoNCg0K'))],
  ['a large HTML', mail('Content-Type: text/html', '', fill('<div><b>x</b>'))],
  ['HTML that only opens', mail('Content-Type: text/html', '', fill('<div>'))],
  ['tables in tables', mail('Content-Type: text/html', '', fill('<table><tr><td>'))],
  ['entities', mail('Content-Type: text/html', '', fill('&amp;&#x41;'))],
  ['quoted-printable', mail('Content-Transfer-Encoding: quoted-printable', '', fill('=41=\r\n'))],
  ['attributes', mail('Content-Type: text/html', '', Buffer.concat([Buffer.from('<p '), fill('a=b ')]))],
  ['quotations', mail('', fill('> > > > x\r\n'))],
  ['boundaries', mail('Content-Type: multipart/mixed; boundary=b', '', fill('--b\r\n\r\n'))],
  ['addresses', mail(Buffer.concat([Buffer.from('To: '), fill('a@b.c,')]), '', 'text')],
  ['groups of addresses', mail(Buffer.concat([Buffer.from('Reply-To: '), fill('g:a@b;,')]), '', 'text')],
  ['encoded words', mail(Buffer.concat([Buffer.from('X: '), fill('=?utf-8?B?QUJD?= ')]), '', 'text')],
  ['parameters', mail(Buffer.concat([Buffer.from('Content-Type: text/plain'), fill(';a*0=b')]), '', 'text')],
];

t.test('mails that strangers made for this', async (t) => {
  const server = await ScriptedPop3.start();
  t.teardown(() => server.stop());
  const pop3 = `
config pop3 'pop3'
	option enabled '1'
	option host '127.0.0.1'
	option port '${server.port}'
	option username 'u'
	option password 'secret'
	option ssl '0'
`;
  server.deliver(...nasty.map(([, content]) => content), mail('', 'the last one'));
  const daemon = await SmallDaemon.open(t, `${away}${postGet}${pop3}`);
  const handled = daemon.until(
    'sms_gateway.message',
    'list',
    { box: 'outbox' },
    ({ messages }) => JSON.stringify(messages).includes('the last one'),
    300_000,
  );
  const { served } = await daemon.serves(handled, async () => t.match(await daemon.cgi('sms_total'), /^Used: 0\n/));
  t.ok(served > 0);
  t.equal(server.sessions, 1, 'all in one session');
  t.notMatch(daemon.complaints, /pop3/, 'without a complaint in the log');
  for (const [what] of nasty) t.ok(true, what);
});
