import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { AnswerHead } from '../../src/modules/kit/answer-head.ts';
import { until } from '../support/outbox-rig.ts';
import { NAME, names, rigWith } from './http-forwarder.ts';

/** A server of octets: it gives each request what the test says, and counts. */
class RawServer {
  port = 0;
  readonly requests: string[] = [];
  readonly open = new Set<Socket>();
  answer: (socket: Socket, request: string) => void = (socket) => void socket.end();

  static async start(t: Test): Promise<RawServer> {
    const raw = new RawServer();
    const server = createServer((socket) => {
      let request = '';
      let answered = false;
      raw.open.add(socket);
      socket.on('close', () => raw.open.delete(socket));
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        request += chunk.toString('latin1');
        const end = request.indexOf('\r\n\r\n');
        const length = Number(/\r\nContent-Length: (\d+)/.exec(request)?.[1] ?? 0);
        if (answered || end === -1 || request.length < end + 4 + length) return;
        answered = true;
        raw.requests.push(request);
        raw.answer(socket, request);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    raw.port = (server.address() as AddressInfo).port;
    t.teardown(() => {
      for (const socket of raw.open) socket.destroy();
      server.close();
    });
    return raw;
  }
}

const ok = 'HTTP/1.1 200 OK';

/** Octets of an answer, after which the server closes, and what becomes of the message. */
const answers: readonly (readonly [what: string, octets: string, outcome: 'done' | RegExp])[] = [
  ['strict', `${ok}\r\nContent-Length: 2\r\n\r\nok`, 'done'],
  ['LF only', `${ok}\nContent-Type: text/plain\n\nok`, 'done'],
  ['LF and CR LF mixed', `${ok}\r\nA: b\nContent-Length: 2\n\r\nok`, 'done'],
  ['two CR', `${ok}\r\r\nA: b\r\r\n\r\r\n`, 'done'],
  ['a blank before the colon', `${ok}\r\nContent-Length : 2\r\n\r\nok`, 'done'],
  ['no colon', `${ok}\r\ngarbage\r\n\r\nok`, 'done'],
  ['a header name with a blank', `${ok}\r\nX Powered By: x\r\n\r\nok`, 'done'],
  ['a header name of other letters', `${ok}\r\nX-\xc3\xa4: x\r\n\r\nok`, 'done'],
  ['no header name', `${ok}\r\n: x\r\n\r\nok`, 'done'],
  ['control characters in a header', `${ok}\r\nA: \0\x01\x7f\r\n\r\nok`, 'done'],
  ['a folded header', `${ok}\r\nA: b\r\n c\r\n\r\nok`, 'done'],
  ['a fold in front of every header', `${ok}\r\n A: b\r\n\r\nok`, 'done'],
  [
    'Content-Length with chunked',
    `${ok}\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    'done',
  ],
  ['two lengths', `${ok}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok`, 'done'],
  ['a length that is none', `${ok}\r\nContent-Length: x\r\n\r\nok`, 'done'],
  ['a body that breaks off', `${ok}\r\nContent-Length: 200\r\n\r\nok`, 'done'],
  ['chunks that break off', `${ok}\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nok`, 'done'],
  ['chunks that are none', `${ok}\r\nTransfer-Encoding: chunked\r\n\r\nok`, 'done'],
  ['a header that breaks off', `${ok}\r\nContent-Le`, 'done'],
  ['a status line alone', ok, 'done'],
  ['a status line without a reason', 'HTTP/1.1 200\r\n\r\n', 'done'],
  ['a reason that sticks to the status', 'HTTP/1.1 200OK\r\n\r\n', 'done'],
  ['HTML at once behind the status line', `${ok}\r\n<html>ok</html>`, 'done'],
  ['blank lines in front', `\r\n\n${ok}\r\n\r\n`, 'done'],
  ['HTTP/1.0', 'HTTP/1.0 201 Created\r\n\r\n', 'done'],
  ['another version', 'HTTP/2 202\r\n\r\n', 'done'],
  ['small letters and blanks', 'http/1.1   204   No Content\r\n\r\n', 'done'],
  ['SHOUTcast', 'ICY 200 OK\r\n\r\n', 'done'],
  ['100 before it', `HTTP/1.1 100 Continue\r\n\r\n${ok}\r\n\r\n`, 'done'],
  ['103 with a field before it', `HTTP/1.1 103 Early Hints\nLink: </a>\n\n${ok}\n\n`, 'done'],
  ['100 without a blank line', `HTTP/1.1 100 Continue\r\n${ok}\r\n\r\n`, 'done'],
  ['a header of 1 MB', `${ok}\r\nA: ${'x'.repeat(1_000_000)}\r\n\r\n`, 'done'],
  ['nothing', '', /closed the connection without an answer/],
  ['half a status', 'HTTP/1.1 20', /without an answer/],
  ['100 alone', 'HTTP/1.1 100 Continue\r\n\r\n', /without an answer/],
  ['101', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', /answered 101/],
  ['17 times 100', `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17)}${ok}\r\n\r\n`, /did not answer in HTTP/],
  ['mail', '220 mail.example.com ESMTP\r\n', /did not answer in HTTP/],
  ['HTML', '<html>200</html>\n', /did not answer in HTTP/],
  ['a status line of 1 MB', `HTTP/1.1 ${'x'.repeat(1_000_000)}`, /did not answer in HTTP/],
  ['TLS', '\x15\x03\x01\x00\x02\x02\x46', /without an answer|answer in HTTP/],
  ['no, and LF only', 'HTTP/1.1 404 Not Found\n\n', /answered 404/],
  ['no, and it breaks off', 'HTTP/1.1 500 Oh\r\nRetry-Af', /answered 500/],
  ['a redirect without a place', 'HTTP/1.1 302 Found\r\n\r\n', /answered 302/],
  ['a redirect that breaks off', 'HTTP/1.1 302 Found\r\nLoca', /without an answer/],
  ['four digits', 'HTTP/1.1 2000 OK\r\n\r\n', /did not answer in HTTP/],
];

t.test('once the status line can be read, it decides', async (t) => {
  const server = await RawServer.start(t);
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, retry_hours: '0', ...names });
  const counters = () => rig.modules.list().find(({ name }) => name === NAME)?.counters ?? {};
  for (const [what, octets, outcome] of answers) {
    for (const piece of octets.length < 200 ? [octets.length, 1] : [octets.length]) {
      server.answer = (socket) => {
        socket.setNoDelay(true);
        for (let at = 0; at < octets.length; at += piece) socket.write(octets.slice(at, at + piece), 'latin1');
        socket.end();
      };
      const before = { ...counters() };
      const asked = server.requests.length;
      const logged = rig.log.length;
      await rig.receive('+370000000000', 'Hello!');
      await rig.handled(NAME);
      const done = (counters()['forwarded'] ?? 0) - (before['forwarded'] ?? 0);
      t.equal(done, outcome === 'done' ? 1 : 0, `${what}, ${piece} octets at once`);
      t.equal(server.requests.length, asked + 1, 'asked once');
      if (outcome !== 'done') t.match(rig.log.slice(logged).join('\n'), outcome);
    }
  }
  await rig.clock.advance(2_000);
  await until(() => server.open.size === 0, 'nothing stays open');
});

t.test('an answer that never ends', async (t) => {
  const server = await RawServer.start(t);
  const rig = await rigWith(t, { url: `127.0.0.1:${server.port}`, retry_hours: '0', timeout: '7', ...names });
  const endless = (start: string, more: string) => (socket: Socket) => {
    socket.write(start);
    const go = () => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.on('drain', go);
    go();
  };
  for (const [what, start, more, outcome] of [
    ['body', `${ok}\r\n\r\n`, 'x'.repeat(16_384), undefined],
    ['header', `${ok}\r\n`, 'A: b\r\n'.repeat(4096), undefined],
    ['header line', `${ok}\r\nA: `, 'b'.repeat(16_384), undefined],
    ['header of a refusal', 'HTTP/1.1 404 Not Found\r\n', 'A: b\r\n'.repeat(4096), /answered 404/],
    ['answers 1xx', '', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(512), /did not answer in HTTP/],
    ['header of a 1xx', 'HTTP/1.1 100 Continue\r\n', 'A: b\r\n'.repeat(4096), /did not answer in HTTP/],
    ['blank lines', '', '\r\n'.repeat(4096), /did not answer in HTTP/],
    ['status line', 'HTTP/1.1 ', ' '.repeat(16_384), /did not answer in HTTP/],
  ] as const) {
    server.answer = endless(start, more);
    const logged = rig.log.length;
    await rig.receive('+370000000000', what);
    await rig.handled(NAME);
    // A connection that was opened ahead and came too late for its message is given up by then; the answer has 7 s.
    await rig.clock.advance(2_000);
    await until(() => server.open.size === 0, `the ${what} without end is cut off`);
    if (outcome !== undefined) t.match(rig.log.slice(logged).join('\n'), outcome, what);
  }
  t.match(rig.modules.list().find(({ name }) => name === NAME)?.counters, { forwarded: 3, rejected: 5 });

  server.answer = (socket) => void socket.write('HTTP/1.1 500 Oh\r\nRetry-After: 9\r\n');
  await rig.receive('+370000000000', 'stops in the middle');
  await until(() => server.open.size === 1 && server.requests.length === 9, 'it is asked');
  await until(async () => {
    await rig.clock.advance(1_000);
    return server.open.size === 0;
  }, 'the time is over');
  await rig.handled(NAME);
  t.match(rig.log.at(-1), /answered 500|did not answer in 7 s/);
});

t.test('Location and Retry-After in all forms', async (t) => {
  const read = (octets: string) => {
    const head = new AnswerHead();
    head.push(Buffer.from(octets, 'latin1'));
    return head.answer;
  };
  t.same(read('HTTP/1.1 302 Found\nlocation : /a\xc3\xa4 \nLocation: /b\n\n'), {
    status: 302,
    location: '/a%C3%A4',
  });
  t.same(read('HTTP/1.1 503 x\nRETRY-AFTER:\n  5\nX: y\n z\n\n'), { status: 503, retryAfter: ' 5' });
  t.same(read('HTTP/1.1 404 x\nLocation: /a\n\n'), { status: 404 });
  t.same(read('HTTP/1.1 302 x\nLocation: /a\n'), { status: 302, location: '/a' });
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constantFrom(
            'HTTP/1.1 200 OK',
            'HTTP/1.1 100 C',
            'HTTP/1.1 302 F',
            'Location: /x',
            '\r\n',
            '\n',
            ' ',
            ':',
          ),
          fc.uint8Array({ maxLength: 30 }).map((octets) => Buffer.from(octets).toString('latin1')),
        ),
      ),
      fc.array(fc.nat(60)),
      (pieces, cuts) => {
        const octets = Buffer.from(pieces.join(''), 'latin1');
        const whole = new AnswerHead();
        whole.push(octets);
        whole.end();
        const cut = new AnswerHead();
        let at = 0;
        for (const length of cuts) {
          cut.push(octets.subarray(at, at + length));
          at += length;
        }
        cut.push(octets.subarray(at));
        cut.end();
        t.same(cut.answer, whole.answer);
        t.equal(whole.decided, true);
      },
    ),
    { numRuns: 200 },
  );
});
