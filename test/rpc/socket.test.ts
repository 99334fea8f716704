import { existsSync, linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { budgets } from '../../src/access/budgets.ts';
import { Memory } from '../../src/access/memory.ts';
import { Bus } from '../../src/base/bus.ts';
import type { Json, JsonObject } from '../../src/base/json.ts';
import { LineReader } from '../../src/base/line-reader.ts';
import { createLogger } from '../../src/base/log.ts';
import { makeAnswer } from '../../src/base/memory-pool.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import { EventFeed } from '../../src/rpc/events.ts';
import { implement, type Signatures } from '../../src/rpc/method.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { limits } from '../../src/rpc/socket/connection.ts';
import { UnixSocketServer } from '../../src/rpc/socket/server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { LineClient } from './line-client.ts';

const signatures = {
  echo: { help: '', args: { text: { type: 'string', required: true, help: '' } }, result: {} },
  blob: { help: '', args: { size: { type: 'integer', required: true, help: '' } }, result: {} },
  hang: { help: '', args: {}, result: {} },
  listing: { help: '', args: { size: { type: 'integer', required: true, help: '' } }, result: {} },
} as const satisfies Signatures;

/** The path of a unix socket is short: t.testdir() names the test in its path. */
function shortDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'rpc-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function setUp(t: Test) {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', write: (line) => void lines.push(line) });
  const namespace = new Namespace(log);
  const clock = new ManualClock();
  const memory = new Memory(clock);
  const hanging = new Set<() => void>();
  const asked: string[] = [];
  namespace.add(
    implement('test', signatures, {
      echo: async ({ text }) => {
        asked.push(text);
        return { text };
      },
      blob: async ({ size }) => ({ text: 'x'.repeat(size) }),
      listing: ({ size }, { room, signal }) =>
        makeAnswer(room, memory.answers, 2 * size, signal, async () => ({ text: 'x'.repeat(size) })),
      hang: (_args, { signal }) =>
        new Promise((resolve, reject) => {
          const release = () => resolve({ released: true });
          hanging.add(release);
          signal.addEventListener('abort', () => {
            hanging.delete(release);
            reject(signal.reason);
          });
        }),
    }),
  );
  const bus = new Bus<GatewayEvents>(log);
  const events = new EventFeed(bus);
  const path = join(shortDirectory(t), 'rpc.sock');
  const server = new UnixSocketServer({ path, mode: 0o660, namespace, events, clock, log, memory });
  await server.start();
  const connect = () => new LineClient(path);
  t.teardown(async () => {
    const stopped = server.stop();
    // Clients that this test has left open keep their connection until the time for closing is over.
    await clock.advance(limits.closeMs);
    await stopped;
  });
  return { asked, lines, log, memory, namespace, hanging, bus, events, clock, path, server, connect };
}

let lastId = 0;
const call = (method: string, args: JsonObject = {}): JsonObject => ({
  jsonrpc: '2.0',
  id: ++lastId,
  method: 'call',
  params: ['test', method, args],
});
const refusal = (code: string) => ({ jsonrpc: '2.0', id: null, error: { data: { code } } });

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

t.test('lines, however they are cut', async (t) => {
  const { connect } = await setUp(t);
  const client = connect();
  const text = 'žąsis 🦆\u2028';
  for (const octet of Buffer.from(`${JSON.stringify(call('echo', { text }))}\n`)) {
    client.write(Uint8Array.of(octet));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.match(await client.read(), { id: lastId, result: { text } }, 'one octet at a time');
  client.send(call('echo', { text: '1' }), call('echo', { text: '2' }));
  t.match(
    [await client.read(), await client.read()],
    [{ result: { text: '1' } }, { result: { text: '2' } }],
    'two at once',
  );
  client.write(Buffer.from('{"jsonrpc":"2.0","id":"\xff"}\n', 'latin1'));
  t.match(await client.read(), refusal('parse_error'), 'not UTF-8');
  client.write('\n');
  t.match(await client.read(), refusal('parse_error'), 'an empty line');
  client.write(`${JSON.stringify(call('echo', { text: 'crlf' }))}\r\n`);
  t.match(await client.read(), { result: { text: 'crlf' } });
});

t.test('the last line needs no newline, and the client may close its side', async (t) => {
  const { connect, hanging, clock } = await setUp(t);
  const client = connect();
  client.send(call('echo', { text: 'first' }));
  client.socket.end(JSON.stringify(call('echo', { text: 'last' })));
  t.match(
    (await client.end()).map((line) => JSON.parse(line)),
    [{ result: { text: 'first' } }, { result: { text: 'last' } }],
  );

  const slow = connect();
  slow.socket.end(`${JSON.stringify(call('hang'))}\n`);
  await until(() => hanging.size === 1);
  await clock.advance(limits.lingerMs);
  t.match(
    JSON.parse((await slow.end())[0] ?? ''),
    { error: { data: { code: 'stopping' } } },
    'but does not keep calls for ever',
  );
  t.equal(hanging.size, 0);
});

t.test('a line that is too long', async (t) => {
  const { connect } = await setUp(t);
  const client = connect();
  client.write(JSON.stringify(call('echo', { text: 'x'.repeat(limits.lineLength - 200) })).padEnd(limits.lineLength));
  client.write('\n');
  t.match(await client.read(), { result: {} }, 'the longest is taken');
  client.write('x'.repeat(limits.lineLength + 1));
  t.match(await client.read(), refusal('too_large'));
  client.write('x'.repeat(limits.lineLength));
  t.same(await client.end(), [], 'then the connection ends');
});

t.test('many requests at a time wait for each other', async (t) => {
  const { connect, hanging } = await setUp(t);
  const client = connect();
  const count = limits.inFlight + 10;
  client.send(...Array.from({ length: count }, () => call('hang')));
  await until(() => hanging.size === limits.inFlight);
  client.send(call('echo', { text: 'queued behind' }));
  const other = connect();
  other.send(call('echo', { text: 'other' }));
  t.match(await other.read(), { result: { text: 'other' } }, 'other connections go on');
  t.equal(hanging.size, limits.inFlight);
  const released = new Set<() => void>();
  await until(() => {
    for (const release of hanging) {
      if (!released.has(release)) release();
      released.add(release);
    }
    return client.lines.length === count + 1;
  });
  t.equal(hanging.size, count);
});

t.test('a client that goes away ends its calls', async (t) => {
  const { connect, hanging, bus } = await setUp(t);
  const client = connect();
  client.send({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['*'] }, call('hang'));
  await until(() => hanging.size === 1);
  client.socket.destroy();
  // The end of its input alone might be a half-closed side; that nobody takes the output is proof.
  await until(() => {
    bus.emit('config.changed', { sections: [] });
    return hanging.size === 0;
  });
  t.equal(hanging.size, 0);
});

t.test('clients that read nothing hold no more than the limit of listings together', async (t) => {
  const { connect, memory, clock } = await setUp(t);
  const size = 500_000;
  const deaf = Array.from({ length: 12 }, connect);
  for (const { socket } of deaf) {
    socket.pause();
    for (let n = 0; n < limits.inFlight; n++) socket.write(`${JSON.stringify(call('listing', { size }))}\n`);
  }
  let most = 0;
  await until(() => {
    most = Math.max(most, Number(memory.answers.usage()['used']));
    return Number(memory.answers.usage()['waiting']) > 40;
  });
  const { limit } = budgets.memory.answers;
  // Twice its length is what an answer is made of; around it stands its envelope.
  t.ok(most > limit / 2 && most <= limit + 2_000, `${most} octets of ${deaf.length * limits.inFlight} answers`);
  const polite = connect();
  polite.send(call('echo', { text: 'small' }));
  t.match(await polite.read(), { result: { text: 'small' } }, 'what is no listing waits for nobody');
  for (const { socket } of deaf) socket.destroy();
  await until(() => {
    void clock.advance(1_000);
    return Number(memory.answers.usage()['used']) + Number(memory.answers.usage()['waiting']) === 0;
  });
});

t.test('and not for long', async (t) => {
  const { clock, connect, lines, memory } = await setUp(t);
  const deaf = Array.from({ length: 6 }, connect);
  for (const { socket } of deaf) {
    socket.pause();
    socket.write(`${JSON.stringify(call('listing', { size: 500_000 }))}\n`);
  }
  const used = () => Number(memory.answers.usage()['used']);
  await until(() => used() > 5_900_000);
  await clock.advance(1_000);
  const polite = connect();
  polite.send(call('listing', { size: 200_000 }));
  await until(() => memory.answers.usage()['waiting'] === 1);
  await clock.advance(limits.drainMs - 1_000);
  t.match(await polite.read(), { result: { text: 'x'.repeat(200_000) } }, 'then there is room');
  t.match(lines.join(''), /a client has read nothing for 30 s, closing its connection/);
  for (const { socket } of deaf) socket.destroy();
  await until(() => used() === 0);
});

t.test('connections are counted', async (t) => {
  const { connect } = await setUp(t);
  const clients = Array.from({ length: limits.connections }, connect);
  for (const client of clients) client.send(call('echo', { text: '' }));
  await Promise.all(clients.map((client) => client.read()));
  const late = connect();
  late.send(call('echo', { text: 'x'.repeat(100_000) }));
  const refused = JSON.parse((await late.end())[0] ?? '');
  t.match(refused, refusal('too_many'), 'it sees why, although nobody reads what it sends');
  t.match(refused, { id: null, error: { data: { retry_after: 0.3 } } });
  clients[0]?.socket.end();
  await clients[0]?.end();
  const next = connect();
  next.send(call('echo', { text: 'room again' }));
  t.match(await next.read(), { result: {} });
  next.socket.end();
  await next.end();

  await t.test('and one that has long been idle makes room', async (t) => {
    const { connect, clock, hanging } = await setUp(t);
    const [busy, listener, oldest, ...rest] = Array.from({ length: limits.connections }, connect);
    busy?.send(call('hang'));
    listener?.send({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['*'] });
    await listener?.read();
    oldest?.send(call('echo', { text: '' }));
    await oldest?.read();
    await clock.advance(1);
    for (const client of rest) client.send(call('echo', { text: '' }));
    await Promise.all(rest.map((client) => client.read()));
    await until(() => hanging.size === 1);
    await clock.advance(limits.idleMs - 1);
    const next = connect();
    next.send(call('echo', { text: 'came in' }));
    t.match(await next.read(), { result: { text: 'came in' } });
    t.same(await oldest?.end(), []);
    t.match(JSON.parse((await connect().end())[0] ?? ''), refusal('too_many'), 'nobody else has been idle that long');
    for (const client of [listener, ...rest]) {
      client?.send(call('echo', { text: 'still there' }));
      t.match(await client?.read(), { result: { text: 'still there' } });
    }
    t.equal(hanging.size, 1);
  });
});

t.test('local clients keep nobody else out', async (t) => {
  await t.test('who subscribes', async (t) => {
    const { connect } = await setUp(t);
    const answers: Json[] = [];
    const listeners = Array.from({ length: limits.connections }, connect);
    for (const client of listeners) {
      client.send({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['*'] });
      answers.push(await client.read());
    }
    const granted = answers.filter((answer) => 'result' in (answer as JsonObject)).length;
    t.equal(granted, limits.subscribers);
    t.match(answers.at(-1), { error: { data: { code: 'too_many' } } });
    listeners[0]?.send({ jsonrpc: '2.0', id: 2, method: 'unsubscribe' });
    await listeners[0]?.read();
    listeners.at(-1)?.send({ jsonrpc: '2.0', id: 3, method: 'subscribe', params: ['*'] });
    t.match(await listeners.at(-1)?.read(), { result: {} }, 'a place that is given back is free');
  });
  await t.test('who subscribes, and a caller', async (t) => {
    const { connect } = await setUp(t);
    const listeners = Array.from({ length: 32 }, connect);
    for (const client of listeners) {
      client.send({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['*'] });
      await client.read();
    }
    const shim = connect();
    shim.send(call('echo', { text: 'served' }));
    t.match(await shim.read(), { result: { text: 'served' } });
  });
  await t.test('who asks for very much at once', async (t) => {
    const { connect, asked } = await setUp(t);
    const [greedy, modest] = [connect(), connect()];
    for (const client of [greedy, modest]) {
      client.send(call('echo', { text: 'first' }));
      await client.read();
    }
    greedy.send(...Array.from({ length: 500 }, () => call('echo', { text: 'greedy' })));
    modest.send(call('echo', { text: 'modest' }));
    t.match(await modest.read(), { result: { text: 'modest' } });
    t.ok(asked.indexOf('modest') < 50, `came ${asked.indexOf('modest')}th`);
    for (let n = 0; n < 500; n++) await greedy.read();
    t.equal(asked.length, 503, 'and gets everything');
  });
  await t.test('who says an octet now and then', async (t) => {
    const { connect, clock } = await setUp(t);
    const slow = Array.from({ length: limits.connections }, connect);
    await until(() => slow.every(({ socket }) => !socket.connecting));
    for (let n = 0; n < 4; n++) {
      for (const client of slow) client.write('{');
      await new Promise((resolve) => setTimeout(resolve, 20));
      await clock.advance(limits.silentMs / 2);
    }
    const shim = connect();
    shim.send(call('echo', { text: 'served' }));
    t.match(await shim.read(), { result: { text: 'served' } });
  });
  await t.test('a crowd that comes again and again', async (t) => {
    const { connect, clock } = await setUp(t);
    const crowd = Array.from({ length: limits.connections }, connect);
    await until(() => crowd.every(({ socket }) => !socket.connecting));
    const shim = connect();
    shim.send(call('echo', { text: 'served' }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.same(shim.lines, [], 'all have just come: it waits');
    await clock.advance(limits.silentMs);
    t.match(await shim.read(), { result: { text: 'served' } });
  });
  await t.test('who says nothing', async (t) => {
    const { connect, clock } = await setUp(t);
    const silent = Array.from({ length: limits.connections }, connect);
    for (const [at, client] of silent.entries()) {
      client.write(at % 2 === 0 ? '' : '{"jsonrpc":"2.0","id":1,"method":');
    }
    await until(() => silent.every(({ socket }) => !socket.connecting));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance(limits.silentMs);
    for (let i = 0; i < 3; i++) {
      const shim = connect();
      shim.send(call('echo', { text: 'served' }));
      t.match(await shim.read(), { result: { text: 'served' } });
    }
  });
});

t.test('a client that does not read', async (t) => {
  const { connect, clock, lines, bus } = await setUp(t);
  await t.test('is not read from either, and may catch up', async (t) => {
    const client = connect();
    client.socket.pause();
    client.send(...Array.from({ length: 20 }, () => call('blob', { size: 300_000 })));
    client.socket.resume();
    for (let i = 0; i < 20; i++) t.match(await client.read(), { result: { text: /^x{300000}$/ } });
  });
  await t.test('is cut off when events pile up', async (t) => {
    const client = connect();
    client.send({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['config.*'] });
    await client.read();
    client.socket.pause();
    const sections = ['x'.repeat(200_000)];
    for (let i = 0; i < 20; i++) bus.emit('config.changed', { sections });
    await until(() => lines.length > 0);
    t.match(lines.splice(0), [/^warning a client leaves 1048576 octets unread, closing its connection\n$/]);
    client.socket.resume();
    await client.end();
  });
  await t.test('is cut off after a while', async (t) => {
    const client = connect();
    client.socket.pause();
    client.send(call('blob', { size: 900_000 }));
    await until(() => clock.pending > 0);
    await clock.advance(limits.drainMs);
    t.match(lines.splice(0), [/^warning a client has read nothing for 30 s/]);
    client.socket.resume();
    await client.end();
  });
});

t.test('events go to those who asked for them', async (t) => {
  const { connect, bus } = await setUp(t);
  const [some, none] = [connect(), connect()];
  some.send({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['config.*'] });
  none.send({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['sms.*'] });
  await Promise.all([some.read(), none.read()]);
  bus.emit('config.changed', { sections: ['smpp'] });
  const event = { jsonrpc: '2.0', method: 'event', params: ['config.changed', { sections: ['smpp'] }] };
  t.same(await some.read(), event);
  some.send({ jsonrpc: '2.0', id: 2, method: 'unsubscribe' });
  t.match(await some.read(), { id: 2, result: { patterns: [] } });
  bus.emit('config.changed', { sections: ['smpp'] });
  for (const client of [some, none]) {
    client.send(call('echo', { text: 'after' }));
    t.match(await client.read(), { id: lastId }, 'no event came before');
  }
});

t.test('the socket file', async (t) => {
  const { path, log, namespace, events, clock, server } = await setUp(t);
  t.equal(statSync(path).mode & 0o777, 0o660);
  const at = (path: string) => new UnixSocketServer({ path, mode: 0o600, namespace, events, clock, log });
  await t.rejects(at(path).start(), { code: 'connection_failed', message: `another process answers on ${path}` });
  t.ok(existsSync(path), 'the one in use stays');
  await server.stop();
  t.notOk(existsSync(path), 'it goes with the server');

  const left = createServer();
  await new Promise<void>((resolve) => left.listen(`${path}.old`, resolve));
  const stale = `${path}.stale`;
  linkSync(`${path}.old`, stale);
  await new Promise((resolve) => left.close(resolve));
  const next = at(stale);
  await next.start();
  t.equal(statSync(stale).mode & 0o777, 0o600, 'a stale one is replaced');
  await next.stop();

  writeFileSync(path, 'precious');
  await t.rejects(at(path).start(), { code: 'connection_failed', message: /is no socket/ });
  t.ok(existsSync(path));
  await t.rejects(at('/nonexistent/rpc.sock').start(), { code: 'connection_failed', message: /no such directory/ });
  await t.rejects(at(join(path, 'below')).start(), { code: 'connection_failed', message: /ENOTDIR/ });
  await t.rejects(at(`${path}${'x'.repeat(100)}`).start(), { code: 'connection_failed', message: /at most 107/ });
});

t.test('stop ends calls and connections', async (t) => {
  const { connect, hanging, server } = await setUp(t);
  const [busy, idle] = [connect(), connect()];
  busy.send(call('hang'));
  idle.send(call('echo', { text: '' }));
  await idle.read();
  await until(() => hanging.size === 1);
  for (const client of [busy, idle]) client.socket.once('end', () => client.socket.end());
  await server.stop();
  t.match(JSON.parse((await busy.end())[0] ?? ''), { error: { code: -32050, data: { code: 'stopping' } } });
  t.same(await idle.end(), []);
  t.equal(hanging.size, 0);
});

t.test('LineReader: any lines in any chunks', async () => {
  const lines = fc.array(
    fc.uint8Array({ maxLength: 40 }).map((line) => line.map((octet) => (octet === 10 ? 11 : octet))),
  );
  fc.assert(
    fc.property(lines, fc.array(fc.nat({ max: 30 }), { minLength: 1 }), (lines, cuts) => {
      const stream = Buffer.concat(lines.flatMap((line) => [line, Uint8Array.of(10)]));
      const reader = new LineReader(40);
      const seen: Buffer[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = 1 + (cuts[i % cuts.length] ?? 0);
        reader.push(stream.subarray(at, at + size));
        for (let line = reader.next(); line !== undefined; line = reader.next()) seen.push(line);
        at += size;
      }
      return (
        seen.length === lines.length &&
        seen.every((line, i) => line.equals(lines[i] ?? Buffer.alloc(0))) &&
        !reader.rest()
      );
    }),
  );
});

t.test('any octets in any chunks: every line is answered, or the connection closed', async (t) => {
  const { connect, lines } = await setUp(t);
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(`${text}\n`)),
    fc.constant(Buffer.from(`${JSON.stringify(call('echo', { text: 'x' }))}\n`)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(octets, { maxLength: 10 }), async (chunks) => {
      const client = connect();
      for (const chunk of chunks) {
        client.write(chunk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      client.socket.end();
      const answers: Json[] = (await client.end()).map((line) => JSON.parse(line));
      const stream = Buffer.concat(chunks);
      const wanted =
        stream.toString('latin1').split('\n').length - (stream.at(-1) === 10 || stream.length === 0 ? 1 : 0);
      if (answers.length !== wanted) throw new Error(`${wanted} lines, ${answers.length} answers`);
    }),
    { numRuns: 100 },
  );
  t.same(lines, [], 'nothing to log');
});
