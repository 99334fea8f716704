import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/log.ts';
import { type CgiEntry, cgiBin } from '../../src/http/cgi-bin.ts';
import { escapeRequestLines } from '../../src/http/request-line.ts';
import { type HttpLimits, HttpServer } from '../../src/http/server.ts';
import type { CgiRequest } from '../../src/modules/host/contract.ts';
import { ManualClock } from '../support/manual-clock.ts';

const log: string[] = [];
const logger = createLogger({ level: 'debug', write: (line) => void log.push(line) });

interface Served {
  readonly port: number;
  readonly server: HttpServer;
  readonly requests: CgiRequest[];
  readonly signals: AbortSignal[];
}

async function serve(t: Test, entry: CgiEntry, limits: Partial<HttpLimits> = {}): Promise<Served> {
  const requests: CgiRequest[] = [];
  const signals: AbortSignal[] = [];
  const route = cgiBin((request, signal) => {
    requests.push(request);
    signals.push(signal);
    return entry(request, signal);
  }, systemClock);
  const server = new HttpServer({
    ...{ host: '127.0.0.1', port: 0, routes: [route], clock: systemClock, log: logger },
    limits,
  });
  const { port } = await server.start();
  t.teardown(() => server.stop());
  return { port, server, requests, signals };
}

const ok: CgiEntry = async () => ({ status: 200, contentType: 'text/plain', body: 'OK\n' });

function open(t: Test, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

/** Sends a request as it is and gives the whole answer, one character an octet. */
async function exchange(t: Test, port: number, request: string): Promise<{ head: string; body: string }> {
  const socket = open(t, port).setEncoding('latin1');
  socket.write(request, 'latin1');
  const answer = await text(socket);
  const end = answer.indexOf('\r\n\r\n');
  return { head: answer.slice(0, end), body: answer.slice(end + 4) };
}

const line = (request: string, headers = '', body = '') =>
  `${request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n${body}`;

t.test('hands requests on as they came', async (t) => {
  const { port, requests } = await serve(t, ok);
  const form = 'a=%41&b=\xe4\xff';
  const cases: readonly (readonly [request: string, expected: Partial<CgiRequest>])[] = [
    [
      line('GET /cgi-bin/sms_list?a=%41+b&c=d?e'),
      { script: 'sms_list', method: 'GET', query: 'a=%41+b&c=d?e', body: '' },
    ],
    [line('GET /cgi-bin/sms_read'), { script: 'sms_read', query: '' }],
    [line('GET /cgi-bin/sms_total?'), { script: 'sms_total', query: '' }],
    [line('GET http://router:80/cgi-bin/sms_delete?x'), { script: 'sms_delete', query: 'x' }],
    [line('GET /cgi-bin/sms_send?t=%E4;"<'), { script: 'sms_send', query: 't=%E4;"<' }],
    [line('GET /cgi-bin/sms_send?t=\xe4\xff\x80'), { script: 'sms_send', query: 't=%e4%ff%80' }],
    [`\r\n${line('GET /cgi-bin/sms_send?t=\xe4')}`, { query: 't=%e4' }],
    [
      line('POST /cgi-bin/sms_send?q', `Content-Length: ${form.length}\r\n`, form),
      { method: 'POST', query: 'q', body: form },
    ],
    [
      line('POST /cgi-bin/sms_send', 'Transfer-Encoding: chunked\r\n', '3\r\na=b\r\n2\r\n&c\r\n0\r\n\r\n'),
      { body: 'a=b&c' },
    ],
    [line('PUT /cgi-bin/sms_send', 'Content-Length: 1\r\n', 'x'), { method: 'PUT' }],
  ];
  for (const [request, expected] of cases) {
    const { head, body } = await exchange(t, port, request);
    t.match(head, /^HTTP\/1.1 200 OK\r\n/, expected.script ?? expected.method ?? '');
    t.equal(body, 'OK\n');
    t.match(requests.pop(), { remoteAddress: '127.0.0.1', ...expected });
  }
  const { head } = await exchange(t, port, line('GET /cgi-bin/sms_list'));
  t.match(head, 'Content-Type: text/plain\r\n');
  t.match(head, 'Content-Length: 3');
  t.match(head, 'Cache-Control: no-store\r\n');
  t.match(head, 'X-Content-Type-Options: nosniff\r\n');
});

t.test('gives the answer as it is', async (t) => {
  const { port } = await serve(t, async ({ method }) =>
    method === 'GET'
      ? { status: 401, contentType: 'application/json', body: 'ä€\n' }
      : { status: 405, contentType: 'text/plain', body: 'no\n' },
  );
  const get = await exchange(t, port, line('GET /cgi-bin/sms_list'));
  t.match(get.head, /^HTTP\/1.1 401 Unauthorized\r\n.*Content-Type: application\/json\r\n/s);
  t.equal(Buffer.from(get.body, 'latin1').toString(), 'ä€\n');
  const head = await exchange(t, port, line('HEAD /cgi-bin/sms_list'));
  t.match(head.head, /^HTTP\/1.1 405 Method Not Allowed\r\n/);
  t.match(head.head, /\r\nAllow: GET, POST\r\n/);
  t.equal(head.body, '', 'no body for HEAD');
});

t.test('octets above 0x7F in each request line, and nowhere else', async (t) => {
  const { port, requests } = await serve(t, ok);
  const kept = open(t, port).setEncoding('latin1');
  for (const piece of [1000, 1, 7]) {
    for (const [body, name] of [
      ['\xe4\n\xc3=\xa4\n', 'POST'],
      ['', 'GET'],
    ] as const) {
      const octets = `${name} /cgi-bin/sms_send?t=\xe4+\xf6 HTTP/1.1\r\nHost: \xe4\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const answered = once(kept, 'data');
      for (let at = 0; at < octets.length; at += piece) {
        kept.write(octets.slice(at, at + piece), 'latin1');
        if (piece < 1000) await new Promise((resolve) => setImmediate(resolve));
      }
      t.match(String((await answered)[0]), /^HTTP\/1.1 200 OK/);
      t.match(requests.pop(), { method: name, query: 't=%e4+%f6', body });
    }
  }
});

t.test('an answer that takes too long', async (t) => {
  const clock = new ManualClock();
  const began: AbortSignal[] = [];
  const route = cgiBin((_, signal) => {
    began.push(signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }, clock);
  const server = new HttpServer({ host: '127.0.0.1', port: 0, routes: [route], clock, log: logger });
  const { port } = await server.start();
  t.teardown(() => server.stop());
  const answer = exchange(t, port, line('GET /cgi-bin/sms_send'));
  while (began.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(54_000);
  t.equal(began[0]?.aborted, false);
  await clock.advance(1_000);
  const { head, body } = await answer;
  t.match(head, /^HTTP\/1.1 504 Gateway Timeout\r\n/);
  t.equal(body, 'TIMEOUT\n');
  t.equal(began[0]?.aborted, true, 'and the work ends');
  t.equal(clock.pending, 0);
});

t.test('serves the five names and nothing else', async (t) => {
  const { port, requests } = await serve(t, ok);
  for (const path of [
    '/',
    '/cgi-bin/',
    '/cgi-bin/sms_lis',
    '/cgi-bin/sms_list/',
    '/cgi-bin/SMS_LIST',
    '//cgi-bin/sms_list',
    '*',
  ]) {
    const { head } = await exchange(t, port, line(`${path === '*' ? 'OPTIONS' : 'GET'} ${path}`));
    t.match(head, /^HTTP\/1.1 404 Not Found\r\n/, path);
  }
  t.equal(requests.length, 0);
});

t.test('refuses what is too big or malformed', async (t) => {
  const { port, requests } = await serve(t, ok);
  const big = 'x'.repeat(65_537);
  const cases: readonly (readonly [name: string, request: string, status: RegExp])[] = [
    ['a body of 64 KiB', line('POST /cgi-bin/sms_send', 'Content-Length: 65536\r\n', big.slice(1)), / 200 OK/],
    ['a longer one', line('POST /cgi-bin/sms_send', 'Content-Length: 65537\r\n', big), / 413 /],
    ['a much longer one', line('POST /cgi-bin/sms_send', 'Content-Length: 900000\r\n', 'x'.repeat(900_000)), / 413 /],
    [
      'a longer one in chunks',
      line('POST /cgi-bin/sms_send', 'Transfer-Encoding: chunked\r\n', `10001\r\n${big}\r\n0\r\n\r\n`),
      / 413 /,
    ],
    ['a longer one that nobody reads', line('GET /cgi-bin/sms_total', 'Content-Length: 65537\r\n', big), / 200 OK/],
    ['a query of 15 KB', line(`GET /cgi-bin/sms_send?${'x'.repeat(15_000)}`), / 200 OK/],
    ['a longer one', line(`GET /cgi-bin/sms_send?${'x'.repeat(17_000)}`), / 431 /],
    ['junk', 'junk\r\n\r\n', / 400 /],
    ['a blank in the target', line('GET /cgi-bin/sms_list?a b'), / 400 /],
    ['two lengths', line('POST /cgi-bin/sms_send', 'Content-Length: 1\r\nContent-Length: 2\r\n', 'xx'), / 400 /],
  ];
  for (const [name, request, status] of cases) {
    const { head } = await exchange(t, port, request);
    t.match(head.split('\r\n')[0], status, name);
  }
  t.equal(requests.length, 3);
});

t.test('an entry that fails is logged without the query', async (t) => {
  const { port } = await serve(t, () => Promise.reject(new Error('broken')));
  const { head, body } = await exchange(t, port, line('GET /cgi-bin/sms_list?password=secret'));
  t.match(head, /^HTTP\/1.1 503 Service Unavailable\r\n/);
  t.equal(body, 'ERROR\n');
  t.ok(log.some((entry) => entry.includes('/cgi-bin/sms_list failed: broken')));
  t.notOk(log.some((entry) => entry.includes('secret')));
});

t.test('a client that has gone ends its request', async (t) => {
  let began = () => {};
  const beginning = new Promise<void>((resolve) => {
    began = resolve;
  });
  const { port, signals } = await serve(t, (_, signal) => {
    began();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const socket = open(t, port);
  socket.write(line('GET /cgi-bin/sms_send'));
  await beginning;
  const aborted = once(signals[0] ?? new EventTarget(), 'abort');
  socket.destroy();
  await aborted;
  t.match(signals[0]?.reason, { code: 'stopping' });
});

t.test('keeps connections alive, and slow clients short', async (t) => {
  const short = {
    headersTimeout: 100,
    requestTimeout: 200,
    checkInterval: 20,
    keepAliveTimeout: 150,
    idleTimeout: 500,
  };
  const { port } = await serve(t, ok, short);
  const kept = open(t, port).setEncoding('latin1');
  for (let i = 0; i < 3; i++) {
    kept.write('GET /cgi-bin/sms_total HTTP/1.1\r\nHost: x\r\n\r\n');
    t.match(String((await once(kept, 'data'))[0]), /^HTTP\/1.1 200 OK.*OK\n$/s);
  }
  await once(kept, 'close');
  for (const [name, start] of [
    ['headers', 'GET /cgi-bin/sms_list HTTP/1.1\r\nHost:'],
    ['body', 'POST /cgi-bin/sms_send HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na'],
  ] as const) {
    const socket = open(t, port);
    socket.write(start);
    t.match(await text(socket), /^HTTP\/1.1 408 /, `${name} that never end`);
  }
  t.equal(await text(open(t, port)), 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', 'nothing at all');
});

t.test('cuts off who sends the next request before the answer came', async (t) => {
  const { port, server, requests, signals } = await serve(t, (_request, signal) => {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const request = 'GET /cgi-bin/sms_total HTTP/1.1\r\nHost: x\r\n\r\n';
  const socket = open(t, port).resume();
  socket.write(request.repeat(5_000));
  await new Promise((resolve) => socket.once('close', resolve));
  if (signals[0]?.aborted === false) await once(signals[0], 'abort');
  t.equal(requests.length, 1, 'the others are not even begun');
  await server.stop();
});

t.test('takes no more connections than it may', async (t) => {
  const { port, signals } = await serve(t, () => new Promise(() => undefined), { connections: 2, stopGrace: 50 });
  const held = [open(t, port), open(t, port)];
  for (const [count, socket] of held.entries()) {
    socket.write(line('GET /cgi-bin/sms_list'));
    while (signals.length <= count) await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(await text(open(t, port)), '', 'the third is closed while the others are answered');
  held[0]?.destroy();
  if (signals[0]?.aborted === false) await once(signals[0], 'abort');
  open(t, port).write(line('GET /cgi-bin/sms_list'));
  for (const end = Date.now() + 60_000; signals.length < 3 && Date.now() < end; ) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(signals.length, 3, 'a place that is free again is given');
});

t.test('silent connections keep nobody out', async (t) => {
  for (const [name, said] of [
    ['silent', ''],
    ['that never end their headers', 'GET /cgi-bin/sms_list HTTP/1.1\r\nHost:'],
    ['that never end their body', 'POST /cgi-bin/sms_send HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na'],
  ] as const) {
    const { port } = await serve(t, ok);
    const held = Array.from({ length: 80 }, () => open(t, port));
    await Promise.all(held.map((socket) => (socket.connecting ? once(socket, 'connect') : undefined)));
    for (const socket of held) socket.write(said);
    for (const localAddress of ['127.0.0.1', '127.0.0.2']) {
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      socket.write(line('GET /cgi-bin/sms_list'));
      t.match(await text(socket), /^HTTP\/1.1 200 OK/, `80 ${name} of one address, and one of ${localAddress}`);
    }
  }
});

t.test('stops in order', async (t) => {
  const entry = async (_: CgiRequest, signal: AbortSignal) => {
    await once(signal, 'abort');
    return { status: 200, contentType: 'text/plain', body: 'TIMEOUT\n' };
  };
  // Without the time of grace: that is longer than a test may take.
  const { port, server, signals } = await serve(t, entry, { stopGrace: 600_000 });
  const idle = open(t, port);
  await once(idle, 'connect');
  const socket = open(t, port).setEncoding('latin1');
  socket.write('GET /cgi-bin/sms_send HTTP/1.1\r\nHost: x\r\n\r\n');
  while (signals.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const answer = text(socket);
  await server.stop();
  t.match(await answer, /TIMEOUT\n$/, 'what is under way is answered');
  const [error] = await once(connect(port, '127.0.0.1'), 'error').catch((thrown) => [thrown]);
  t.match(error, { code: 'ECONNREFUSED' }, 'and nobody else comes in');
  await server.stop();

  t.test('also when an answer never comes', async (t) => {
    const { port, server, signals } = await serve(t, () => new Promise(() => undefined), { stopGrace: 50 });
    open(t, port).write(line('GET /cgi-bin/sms_send'));
    while (signals.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await t.resolves(server.stop());
  });
});

t.test('a port that is taken', async (t) => {
  const { port } = await serve(t, ok);
  const second = new HttpServer({ host: '127.0.0.1', port, routes: [], clock: systemClock, log: logger });
  await t.rejects(second.start(), { code: 'connection_failed' });
  await second.stop();
});

t.test('of a thousand requests at once few are made when the first has ended the connection', async (t) => {
  let made = 0;
  const server = createServer(({ socket }) => {
    made += 1;
    socket.destroy();
  });
  server.on('connection', (socket) => void escapeRequestLines(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const socket = open(t, (server.address() as AddressInfo).port);
  await once(socket, 'connect');
  socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2_000));
  await once(socket, 'close');
  t.ok(made >= 1 && made < 200, `${made} were made`);
});
