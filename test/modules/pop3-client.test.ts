import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { tlsOptions } from '../../src/modules/kit/tls.ts';
import { AnswerReader } from '../../src/modules/pop3/pop3-answers.ts';
import { Pop3Client, type Pop3Options } from '../../src/modules/pop3/pop3-client.ts';
import { testFolder } from '../support/folder.ts';
import { makeCertificates } from '../support/mail/certificates.ts';
import { ScriptedPop3, type Step, steps } from '../support/mail/scripted-pop3.ts';

const options = (port: number, changes: Partial<Pop3Options> = {}): Pop3Options => ({
  ...{ host: '127.0.0.1', port, username: 'user', password: 'secret' },
  ...{ security: 'none', tls: {}, timeout: 5_000, clock: systemClock },
  ...changes,
});
const never = new AbortController().signal;

async function start(t: Test): Promise<ScriptedPop3> {
  const server = await ScriptedPop3.start();
  t.teardown(() => server.stop());
  return server;
}

/** All that a session can be asked for. */
async function session(port: number, changes: Partial<Pop3Options> = {}, signal = never): Promise<readonly unknown[]> {
  const client = await Pop3Client.open(options(port, changes), signal);
  try {
    const list = await client.list();
    const ids = await client.uniqueIds();
    const mails: string[] = [];
    for (const { number } of list) mails.push((await client.retrieve(number, 10_000)).toString('latin1'));
    for (const { number } of list) await client.delete(number);
    await client.quit();
    return [list.map(({ size }) => size), ids && [...ids.values()], mails];
  } finally {
    client.close();
  }
}

const tricky = [
  'Subject: 1\r\n\r\n.\r\n..\r\n.x\r\n',
  'a\r\n.\r\n.\r\nb\r\n\r\n',
  'bare\n.\nline feeds, and a bare\rreturn\r\n',
  'latin1 \xe9\xff and \x00\r\n',
  '.',
  '',
];

t.test('a whole session, cut into pieces at every octet', async (t) => {
  const server = await start(t);
  const deliver = () => server.deliver(...tricky.map((text) => Buffer.from(text, 'latin1')));
  const wanted = [
    tricky.map(({ length }) => length),
    tricky.map((_, at) => `u${at + 1}`),
    tricky.map((text) => (text.endsWith('\r\n') ? text : `${text}\r\n`)),
  ];
  deliver();
  t.strictSame(await session(server.port), wanted);
  t.equal(server.mails.length, 0, 'they are deleted');
  server.pieces = (octets) => Array.from(octets, (octet) => Buffer.of(octet));
  deliver();
  t.strictSame((await session(server.port))[2], wanted[2], 'octet by octet');
  for (let at = 0; at < 40; at++) {
    server.pieces = (octets) => [octets.subarray(0, at), octets.subarray(at)].filter(({ length }) => length > 0);
    deliver();
    t.strictSame((await session(server.port))[2], wanted[2], `split at octet ${at}`);
    server.pieces = (octets) => [octets.subarray(0, -at), octets.subarray(-at)].filter(({ length }) => length > 0);
    deliver();
    t.strictSame((await session(server.port))[2], wanted[2], `split ${at} octets before the end`);
  }
});

t.test('answers do not depend on the chunks', async () => {
  const text = fc.stringMatching(/^[a.\r\n]{0,30}$/);
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 40 }), { maxLength: 6 }), (body, cuts) => {
      const lines = body.split('\r\n').map((line) => (line.startsWith('.') ? `.${line}` : line));
      const wire = Buffer.from(`+OK x\r\n${lines.join('\r\n')}\r\n.\r\n`);
      const seen: string[] = [];
      const reader = new AnswerReader({
        answered: (info, content) => void seen.push(info, content.toString()),
        refused: (why) => void seen.push(why),
        broken: ({ message }) => void seen.push(message),
      });
      reader.expect({ octets: 1_000, lines: 100 });
      const points = [0, ...cuts.filter((cut) => cut < wire.length).sort((a, b) => a - b), wire.length];
      for (let at = 1; at < points.length; at++) reader.receive(wire.subarray(points[at - 1], points[at]));
      return seen.length === 2 && seen[0] === 'x' && seen[1] === `${body}\r\n`;
    }),
    { numRuns: 2_000 },
  );
});

t.test('servers with other blanks and line ends', async (t) => {
  const server = await start(t);
  const deliver = () => server.deliver('Subject: 1\r\n\r\nhello\r\n.\r\n', 'Subject: 2\r\n\r\n');
  const wanted = [[24, 14], undefined, ['Subject: 1\r\n\r\nhello\r\n.\r\n', 'Subject: 2\r\n\r\n']];
  const lineFeeds = (octets: Buffer) => Buffer.from(octets.toString('latin1').replace(/\r\n/g, '\n'), 'latin1');
  const pieces = {
    'CR LF': (octets: Buffer) => [octets],
    'LF alone': (octets: Buffer) => [lineFeeds(octets)],
    'LF alone, octet by octet': (octets: Buffer) => Array.from(lineFeeds(octets), (octet) => Buffer.of(octet)),
  };
  for (const [what, cut] of Object.entries(pieces)) {
    for (const gap of [' ', '  ', '\t', ' \t ']) {
      server.pieces = cut;
      server.gap = gap;
      server.mails = [];
      deliver();
      const ids = server.mails.map(({ uniqueId }) => uniqueId);
      t.strictSame(await session(server.port), [wanted[0], ids, wanted[2]], `${what}, ${JSON.stringify(gap)}`);
    }
  }
});

t.test('unique ids that are missing', async (t) => {
  const server = await start(t);
  const idsOf = async (...ids: readonly string[]) => {
    server.mails = ids.map((uniqueId) => ({ uniqueId, content: Buffer.from('\r\n') }));
    const client = await Pop3Client.open(options(server.port), never);
    const map = await client.uniqueIds();
    await client.quit();
    return map && [...map];
  };
  t.strictSame(await idsOf('a', '', 'c'), [
    [1, 'a'],
    [3, 'c'],
  ]);
  t.strictSame(await idsOf('', '', ''), []);
  t.strictSame(await idsOf(' ', 'b ', '  c'), [
    [2, 'b'],
    [3, 'c'],
  ]);
  t.strictSame(await idsOf('a', 'b', 'a'), [[2, 'b']], 'the same one twice says nothing');
  t.strictSame(await idsOf('a b'), [[1, 'a b']]);
});

t.test('a server that falls silent, or disconnects, at any step', async (t) => {
  const server = await start(t);
  server.deliver('Subject: 1\r\n\r\nhello\r\n');
  for (const at of steps) {
    server.fault({ at, how: 'cut' });
    await t.rejects(session(server.port), { code: 'connection_failed' }, `cut at ${at}`);
    server.fault({ at, how: 'hang' });
    await t.rejects(session(server.port, { timeout: 50 }), { code: 'timeout' }, `silent at ${at}`);
    server.fault({ at, how: 'hang' });
    const abort = new AbortController();
    const under = session(server.port, {}, abort.signal);
    setTimeout(() => abort.abort(new Error('stop')), 20);
    await t.rejects(under, { message: 'stop' }, `stopped at ${at}`);
    server.mails = [];
    server.deliver('Subject: 1\r\n\r\nhello\r\n');
  }
  await t.rejects(session(server.port, {}, AbortSignal.abort(new Error('stop'))), { message: 'stop' });
  t.ok(server.open <= 1, 'no connection is left');
});

t.test('a mail that arrives too slowly', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('+OK\r\n');
    let timer: NodeJS.Timeout | undefined;
    socket.on('close', () => clearInterval(timer));
    socket.on('data', (line) => {
      if (!String(line).startsWith('RETR')) socket.write('+OK\r\n');
      else {
        socket.write('+OK\r\n');
        timer = setInterval(() => socket.write('x'), 10);
      }
    });
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const client = await Pop3Client.open(options((server.address() as AddressInfo).port, { timeout: 60 }), never);
  await t.rejects(client.retrieve(1, 1_000_000), { code: 'timeout' });
});

t.test('malformed answers', async (t) => {
  const server = await start(t);
  const cases: readonly (readonly [string, Step, string, string])[] = [
    ['a refusal as greeting', 'greeting', '-ERR too busy\r\n', 'peer_rejected'],
    ['another protocol', 'greeting', 'SSH-2.0-OpenSSH_9.2\r\n', 'peer_rejected'],
    ['a second answer', 'greeting', '+OK\r\n+OK\r\n', 'connection_failed'],
    ['an endless line', 'greeting', 'x'.repeat(10_000), 'too_large'],
    ['a mailbox in use', 'PASS', '-ERR [IN-USE] locked\r\n', 'peer_rejected'],
    ['a wrong password', 'PASS', '-ERR [AUTH] no\r\n', 'access_denied'],
    ['a listing of nonsense', 'LIST', '+OK\r\nnonsense here\r\n.\r\n', 'connection_failed'],
    ['a listing of one mail without a size, and nonsense', 'LIST', '+OK\r\n1\r\nx\r\n.\r\n', 'connection_failed'],
    ['an endless listing', 'LIST', `+OK\r\n${'1 1\r\n'.repeat(900_000)}`, 'too_large'],
    ['an endless mail', 'RETR', `+OK\r\n${'x'.repeat(20_000)}`, 'too_large'],
    ['a mail with more lines than it should', 'RETR', `+OK\r\n${'x\r\n'.repeat(20_000)}.\r\n`, 'too_large'],
    ['a refused deletion', 'DELE', '-ERR no\r\n', 'peer_rejected'],
    ['an unconfirmed end', 'after QUIT', '-ERR some deleted messages not removed\r\n', 'peer_rejected'],
  ];
  for (const [what, at, say, code] of cases) {
    server.mails = [];
    server.deliver('Subject: 1\r\n\r\nhello\r\n');
    server.fault({ at, how: { say } });
    await t.rejects(session(server.port), { code }, what);
  }
  server.uidl = false;
  t.strictSame((await session(server.port))[1], undefined, 'no unique ids is no failure');
});

t.test('a refusal does not end the session, however often', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const server = await start(t);
  server.deliver('Subject: 1\r\n\r\nhello\r\n');
  const client = await Pop3Client.open(options(server.port), never);
  for (let i = 0; i < 30; i++) await t.rejects(client.retrieve(99, 100), { code: 'peer_rejected' });
  t.equal((await client.retrieve(1, 100)).toString(), 'Subject: 1\r\n\r\nhello\r\n');
  await client.quit();
  await t.rejects(client.list(), { code: 'connection_failed' }, 'after the end');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  t.strictSame(warnings, [], 'no listeners pile up');
});

t.test('no command can be injected', async (t) => {
  const server = await start(t);
  for (const text of ['a\r\nDELE 1', 'a\nb', 'a\0']) {
    await t.rejects(session(server.port, { username: text }), { code: 'config_invalid' });
    await t.rejects(session(server.port, { password: text }), { code: 'config_invalid' });
  }
  t.strictSame(server.commands, []);
  const refused = await session(server.port, { password: 'wrong pass' }).catch(String);
  t.notMatch(refused, /wrong pass/);
});

t.test('STLS', async (t) => {
  const { ca, certificate, key } = makeCertificates(testFolder(t));
  const secureContext = createSecureContext({ cert: readFileSync(certificate), key: readFileSync(key) });
  let behind = '';
  let refuse = false;
  const commands: string[] = [];
  const talk = (socket: Socket | TLSSocket, encrypted: boolean) => {
    socket.on('error', () => undefined);
    socket.on('data', (line) => {
      const [name = ''] = String(line).trim().split(' ');
      commands.push(`${name}${encrypted ? ' encrypted' : ''}`);
      if (name === 'STLS' && !refuse) {
        socket.removeAllListeners('data');
        socket.write(`+OK begin\r\n${behind}`);
        talk(new TLSSocket(socket, { isServer: true, secureContext }), true);
      } else {
        socket.write(name === 'STLS' ? '-ERR no TLS here\r\n' : '+OK\r\n');
      }
    });
  };
  const server = createServer((socket) => {
    socket.write('+OK\r\n');
    talk(socket, false);
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async (trusted: boolean, verify = true, host = '127.0.0.1') => {
    const tls = await tlsOptions(host, { ssl_verify: verify, ...(trusted && { ca_file: ca }) });
    const client = await Pop3Client.open(options(port, { host, security: 'stls', tls }), never);
    await client.quit();
  };
  await open(true);
  await open(true, true, 'localhost');
  t.strictSame(commands.slice(0, 4), ['STLS', 'USER encrypted', 'PASS encrypted', 'QUIT encrypted']);
  await open(false, false);
  commands.length = 0;
  await t.rejects(open(false), { code: 'connection_failed', message: /certificate/ }, 'an unknown authority');
  behind = '+OK you are logged in\r\n';
  await t.rejects(open(true), { code: 'connection_failed' }, 'an answer in front of TLS');
  behind = '+OK half a li';
  await t.rejects(open(true), { code: 'connection_failed' }, 'half an answer in front of TLS');
  refuse = true;
  await t.rejects(open(true), { code: 'peer_rejected' }, 'a server without TLS');
  t.notOk(
    commands.some((command) => /^(USER|PASS)/.test(command)),
    'no password went out',
  );
  await t.rejects(tlsOptions('a', { ssl_verify: true, ca_file: '/nowhere' }), { code: 'config_invalid' });
});

t.test('an answer of more octets or lines than its budget ends the reading', async (t) => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['octets', Buffer.from(`+OK\r\n${'x'.repeat(99)}\r\n`), 'the answer of the server is too long'],
    ['lines', Buffer.from(`+OK\r\n${'\r\n'.repeat(11)}`), 'the answer of the server is too long'],
    ['a first line without end', Buffer.alloc(9_000, 'x'), 'the answer of the server is too long'],
    [
      'a first line that is too long',
      Buffer.from(`+OK ${'x'.repeat(9_000)}\r\n`),
      'the answer of the server is too long',
    ],
  ];
  for (const [what, wire, wanted] of cases) {
    const seen: string[] = [];
    const reader = new AnswerReader({
      answered: () => void seen.push('answered'),
      refused: () => void seen.push('refused'),
      broken: ({ message }) => void seen.push(message),
    });
    reader.expect({ octets: 100, lines: 10 });
    reader.receive(wire);
    reader.receive(wire);
    t.strictSame(seen, [wanted], what);
  }
});
