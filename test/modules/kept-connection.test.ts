import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { AnswerHead } from '../../src/modules/kit/answer-head.ts';
import { AnswerBody } from '../../src/modules/kit/kept-connection.ts';
import type { FileSystem } from '../../src/store/journal/file-system.ts';
import { heldDisk } from '../support/held-disk.ts';
import { until } from '../support/outbox-rig.ts';
import { pending, rigWith } from './http-forwarder.ts';

interface Asked {
  readonly connection: number;
  readonly text: string;
  readonly keep: boolean;
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A server in octets: knows which request came over which connection. Holds the first one until `release`. */
async function open(t: Test, answer: (asked: Asked, socket: Socket) => void, fileSystem?: FileSystem) {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let held: (() => void) | undefined;
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let octets = '';
    socket.on('data', (chunk) => {
      octets += chunk.toString('latin1');
      for (let end = octets.indexOf('\r\n\r\n'); end >= 0; end = octets.indexOf('\r\n\r\n')) {
        const head = octets.slice(0, end);
        octets = octets.slice(end + 4);
        const one = {
          connection,
          text: /Text=(\S*)/.exec(head)?.[1] ?? '',
          keep: /^Connection: keep-alive$/m.test(head.replaceAll('\r', '')),
        };
        asked.push(one);
        if (asked.length === 1) held = () => answer(one, socket);
        else answer(one, socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rig = await rigWith(t, { url, message_name: 'Text' }, '', fileSystem);
  const burst = async (...texts: readonly string[]) => {
    // Nobody knows of the others yet when the first one goes.
    await rig.receive('+37061111111', 'first');
    await until(() => held !== undefined, 'the first one is there');
    for (const text of texts) await rig.receive('+37061111111', text);
    held?.();
    await until(() => pending(rig) === 0, 'all are made');
  };
  /** Lets the answer to the first request go. */
  const release = () => held?.();
  return { asked, sockets, burst, rig, release, connections: () => connections };
}

t.test('requests that follow each other go over one connection', async (t) => {
  const { asked, sockets, burst } = await open(t, ({ keep }, socket) => {
    socket.write(OK);
    if (!keep) socket.end();
  });
  await burst('a', 'b', 'c', 'd');
  t.same(
    asked,
    ['first', 'a', 'b', 'c', 'd'].map((text) => ({ connection: 1, text, keep: true })),
  );
  t.equal(sockets.size, 1, 'which stays open for the next');
});

t.test('what a server does with a connection that was to stay open costs no message', async (t) => {
  const behaviours: Readonly<Record<string, (asked: Asked, socket: Socket) => void>> = {
    'closes all the same': (_, socket) => {
      socket.write(OK);
      socket.destroySoon();
    },
    'says that it closes': (_, socket) => socket.end(OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
    'speaks HTTP/1.0': (_, socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nok'),
    'says more than it announced': (_, socket) => socket.end(`${OK}and more`),
    'breaks off its chunks': (_, socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok'),
  };
  for (const [what, answer] of Object.entries(behaviours)) {
    const { asked, burst } = await open(t, answer);
    await burst('a', 'b', 'c');
    t.same(
      asked.map(({ text }) => text),
      ['first', 'a', 'b', 'c'],
      what,
    );
    t.equal(asked.at(-1)?.keep, what !== 'closes all the same', 'asked to keep the next');
  }
});

t.test('a request that an open connection swallows is made once more on a new one', async (t) => {
  const { asked, burst } = await open(t, ({ text, connection, keep }, socket) => {
    if (text === 'b' && connection === 1) socket.destroy();
    else socket.write(OK, () => keep || socket.end());
  });
  await burst('a', 'b', 'c');
  t.same(
    asked.map(({ text, connection }) => `${text} ${connection}`),
    ['first 1', 'a 1', 'b 1', 'b 2', 'c 3'],
    'and from then on each has one of its own',
  );
});

const stays = (_: Asked, socket: Socket) => socket.write(OK);

t.test('an idle connection is closed after a second, and at once with the module', async (t) => {
  for (const end of ['time', 'stop'] as const) {
    const { sockets, burst, rig } = await open(t, stays);
    await burst();
    await rig.clock.advance(999);
    t.equal(sockets.size, 1);
    if (end === 'time') await rig.clock.advance(1);
    else await rig.close();
    await until(() => sockets.size === 0, end);
  }
});

t.test('an answer that ends when the module has stopped leaves nothing open', async (t) => {
  let end = () => {};
  const { sockets, rig, release, asked } = await open(t, (_, socket) => {
    socket.write(OK.slice(0, -1));
    end = () => socket.write(OK.slice(-1));
  });
  await rig.receive('+37061111111', 'first');
  await until(() => asked.length === 1, 'it is asked');
  release();
  await until(() => pending(rig) === 0, 'it is made');
  await rig.close();
  end();
  await until(() => sockets.size === 0, 'it is closed');
});

t.test('a server that closes what is idle is asked to keep the next one, one in haste is not', async (t) => {
  for (const [idle, keep] of [
    [150, false],
    [250, true],
  ] as const) {
    const { asked, sockets, burst, rig } = await open(t, stays);
    await burst();
    await rig.clock.advance(idle);
    for (const socket of sockets) socket.end();
    await until(() => sockets.size === 0, 'it is closed');
    await rig.receive('+37061111111', 'second');
    await until(() => asked.length === 2, 'the second one is there');
    t.same(asked[1], { connection: 2, text: 'second', keep }, `after ${idle} ms`);
  }
});

t.test('one that is refused over a connection which was silent is asked once more, and then refused', async (t) => {
  const refusal = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';
  const { asked, burst, rig } = await open(t, ({ text }, socket) => socket.write(text === 'bad' ? refusal : OK));
  await burst();
  await rig.clock.advance(100);
  await rig.receive('+37061111111', 'bad');
  await until(() => pending(rig) === 0, 'it is over');
  t.same(
    asked.map(({ text, connection, keep }) => [text, connection, keep]),
    [
      ['first', 1, true],
      ['bad', 1, true],
      ['bad', 2, true],
    ],
  );
  t.match(rig.modules.status('forwarding_to_http').counters, { forwarded: 1, rejected: 1 });
  await rig.receive('+37061111111', 'bad');
  await until(() => pending(rig) === 0, 'the next is over');
  t.equal(asked.length, 4, 'once over one that was just in use');
});

t.test('a connection is opened while the message is stored', async (t) => {
  const answer = (_: Asked, socket: Socket) => socket.end(OK);
  await t.test('and its request goes over it', async (t) => {
    const { fileSystem, hold } = heldDisk();
    const { asked, sockets, rig, release } = await open(t, answer, fileSystem);
    const store = hold();
    const received = rig.receive('+37061111111', 'first');
    await until(() => sockets.size === 1, 'it is open');
    t.same(asked, [], 'nothing is asked before the message is safe');
    store();
    await received;
    await until(() => asked.length === 1, 'it is asked');
    release();
    await until(() => pending(rig) === 0, 'it is made');
    t.same(asked, [{ connection: 1, text: 'first', keep: true }]);
  });
  await t.test('one that the server closes meanwhile costs nothing', async (t) => {
    const { fileSystem, hold } = heldDisk();
    const { asked, sockets, rig, release } = await open(t, answer, fileSystem);
    const store = hold();
    const received = rig.receive('+37061111111', 'first');
    await until(() => sockets.size === 1, 'it is open');
    for (const socket of sockets) socket.destroy();
    await until(() => sockets.size === 0, 'it is closed');
    store();
    await received;
    await until(() => asked.length === 1, 'it is asked');
    release();
    await until(() => pending(rig) === 0, 'it is made');
    t.match(asked, [{ text: 'first' }]);
  });
  for (const [what, last] of [
    ['it closes', undefined],
    ['it says that it waited too long', 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'],
    ['it takes the silence for a bad request', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'],
  ] as const) {
    const giveUp = (sockets: Iterable<Socket>) => {
      for (const socket of sockets) last === undefined ? socket.destroy() : socket.end(last);
    };
    await t.test(`one that the server gives up as the request goes: ${what}`, async (t) => {
      const files = heldDisk();
      const { asked, sockets, rig, release } = await open(t, answer, files.fileSystem);
      const store = files.hold();
      const received = rig.receive('+37061111111', 'first');
      await until(() => sockets.size === 1, 'it is open');
      await rig.clock.advance(100);
      files.afterWrite(() => giveUp(sockets));
      store();
      await received;
      await until(() => asked.some(({ connection }) => connection === 2), 'it is asked over a new one');
      release();
      await until(() => pending(rig) === 0, 'it is made');
      t.match(rig.modules.status('forwarding_to_http').counters, { forwarded: 1, rejected: 0 });
    });
    await t.test(`and one that was used before: ${what}`, async (t) => {
      const files = heldDisk();
      const { asked, sockets, burst, rig } = await open(t, stays, files.fileSystem);
      await burst();
      await rig.clock.advance(500);
      const store = files.hold();
      const received = rig.receive('+37061111111', 'second');
      await until(() => files.isWriting, 'the disk is at work');
      files.afterWrite(() => giveUp(sockets));
      store();
      await received;
      await until(() => asked.some(({ connection }) => connection === 2), 'it is asked over a new one');
      await until(() => pending(rig) === 0, 'it is made');
      t.match(rig.modules.status('forwarding_to_http').counters, { forwarded: 2, rejected: 0 });
    });
  }
  await t.test('none for a message that the store refuses at once', async (t) => {
    const { fileSystem, hold } = heldDisk();
    const { sockets, rig, connections } = await open(t, answer, fileSystem);
    const store = hold();
    const first = t.rejects(rig.receive('+37061111111', 'first'), { code: 'store_unavailable' });
    await until(() => sockets.size === 1, 'it is open');
    store('EIO');
    await first;
    for (const socket of sockets) socket.destroy();
    await until(() => sockets.size === 0, 'it is closed');
    await t.rejects(rig.receive('+37061111111', 'second'), { code: 'store_unavailable' });
    // A connection that is opened now is there by then.
    await wait(50);
    t.equal(connections(), 1);
  });
  await t.test('and closed when the store does not take it', async (t) => {
    const { fileSystem, hold } = heldDisk();
    const { asked, sockets, rig, release } = await open(t, answer, fileSystem);
    const store = hold();
    const received = t.rejects(rig.receive('+37061111111', 'first'), { code: 'store_full' });
    await until(() => sockets.size === 1, 'it is open');
    store('ENOSPC');
    await received;
    await rig.clock.advance(1_000);
    await until(() => sockets.size === 0, 'it is closed');
    t.same(asked, []);
    hold()();
    await rig.receive('+37061111111', 'second');
    await until(() => asked.length > 0, 'the next is asked');
    t.match(asked, [{ text: 'second' }], 'what was made ready for the first is gone');
    release();
    await until(() => pending(rig) === 0, 'it is made');
  });
});

t.test('where the body of an answer ends', async (t) => {
  const read = (octets: string, pieces: number): string => {
    const head = new AnswerHead();
    let body: AnswerBody | undefined;
    for (let at = 0; at < octets.length; at += pieces) {
      const chunk = Buffer.from(octets.slice(at, at + pieces), 'latin1');
      const behind = head.whole ? chunk : head.push(chunk);
      if (head.whole && body === undefined && head.framing !== undefined) body = new AnswerBody(head.framing);
      body?.push(behind);
    }
    return body === undefined ? 'closes' : body.ended ? 'ended' : 'open';
  };
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const cases: readonly (readonly [octets: string, result: string])[] = [
    [OK, 'ended'],
    [OK.slice(0, -1), 'open'],
    [`${OK}!`, 'open'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'ended'],
    ['HTTP/1.1 204 No Content\r\n\r\n', 'ended'],
    ['HTTP/1.1 200 OK\r\n\r\nok', 'closes'],
    ['HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok', 'closes'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: TE, Close\r\n\r\nok', 'closes'],
    ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 'closes'],
    ['ICY 200 OK\r\nContent-Length: 2\r\n\r\nok', 'closes'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 'closes'],
    [`HTTP/1.1 100 Continue\r\n\r\n${OK}`, 'ended'],
    [`${chunked}0\r\n\r\n`, 'ended'],
    [`${chunked}2\r\nok\r\n00\r\n\r\n`, 'ended'],
    [`${chunked}2;a=b\r\nok\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n`, 'ended'],
    [`${chunked}2\r\nok\r\n`, 'open'],
    [`${chunked}2\r\nok\r\n0\r\n`, 'open'],
    [`${chunked}2\r\nok\r\n0\r\n\r\nmore`, 'open'],
    [`${chunked}-2\r\nok\r\n0\r\n\r\n`, 'open'],
    [`${chunked}${'0'.repeat(300)}\r\n\r\n`, 'open'],
    [`${chunked}fffffffff\r\n`, 'open'],
  ];
  for (const [octets, result] of cases) {
    for (const pieces of [1, 7, octets.length]) t.equal(read(octets, pieces), result, `${octets} by ${pieces}`);
  }
});
