import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Bus } from '../../src/base/bus.ts';
import { GatewayError } from '../../src/base/errors.ts';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import { EventFeed } from '../../src/rpc/events.ts';
import { type ArgumentType, implement, type RpcObject, type Signatures } from '../../src/rpc/method.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { blobmsgType } from '../../src/rpc/ubus/blobmsg.ts';
import { limits } from '../../src/rpc/ubus/limits.ts';
import {
  attributeId,
  decodeMessage,
  encodeMessage,
  isSet,
  messageType,
  numberAttribute,
  textAttribute,
  type UbusMessage,
} from '../../src/rpc/ubus/message.ts';
import { UbusPeer } from '../../src/rpc/ubus/peer.ts';
import { readVectors, skipVectors } from '../conformance/vectors.ts';
import { newFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { pass, until } from '../support/outbox-rig.ts';
import { ScriptedUbusd, shown } from './scripted-ubusd.ts';

const argument = <T extends ArgumentType>(type: T) => ({ type, help: '' }) as const;

const signatures = {
  echo: {
    help: '',
    args: {
      text: argument('string'),
      count: argument('integer'),
      flash: argument('boolean'),
      list: argument('array'),
      table: argument('table'),
    },
    result: {},
  },
  blob: { help: '', args: { size: { type: 'integer', required: true, help: '' } }, result: {} },
  hang: { help: '', args: {}, result: {} },
} as const satisfies Signatures;

const OBJECT = 0xfedcba98;

/** A peer, and the ubusd that it finds. `objects` are in its namespace from the beginning. */
async function setUp(t: Test, objects: readonly RpcObject[] = []) {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', write: (line) => void lines.push(line) });
  const namespace = new Namespace(log);
  const hanging: { release(): void; readonly signal: AbortSignal }[] = [];
  const own = implement('sms_gateway', signatures, {
    echo: async (args) => ({ ...args }),
    blob: async ({ size }) => ({ text: 'x'.repeat(size) }),
    hang: (_args, { signal }) =>
      new Promise((resolve, reject) => {
        hanging.push({ release: () => resolve({ released: true }), signal });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  for (const object of objects.length === 0 ? [own] : objects) namespace.add(object);
  const bus = new Bus<GatewayEvents>(log);
  const events = new EventFeed(bus);
  const clock = new ManualClock();
  const path = join(newFolder(t), 'ubus.sock');
  const ubusd = new ScriptedUbusd(path);
  const peer = new UbusPeer({ path, namespace, events, clock, log });
  t.teardown(async () => {
    await stopPeer(peer, clock);
    await ubusd.stop();
    events.stop();
    if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
  });
  /** Up to the moment when it serves. */
  const serve = async () => {
    await ubusd.listen();
    peer.start();
    await ubusd.greet();
    await ubusd.register('sms_gateway', OBJECT);
    await until(() => lines.some((line) => line.startsWith('info serving on ')), 'it serves');
  };
  return { lines, namespace, hanging, bus, clock, path, ubusd, peer, serve };
}

/** Real I/O happens meanwhile: the time that passes on the clock is a matter of the machine. */
async function stopPeer(peer: UbusPeer, clock: ManualClock): Promise<void> {
  let stopped = false;
  const done = peer.stop().then(() => {
    stopped = true;
  });
  await pass(clock, 100, () => stopped, 'the peer has stopped');
  await done;
}

const status = (seq: number, peer: number, status: number, object = OBJECT): JsonObject => ({
  ...{ type: messageType.status, seq, peer, object, status },
});
const data = (seq: number, peer: number, data: JsonObject, object = OBJECT): JsonObject => ({
  ...{ type: messageType.data, seq, peer, object, data },
});

/** The next status; before it stands the sentence that explains it. */
async function refusal(ubusd: ScriptedUbusd): Promise<JsonObject> {
  const explained = await ubusd.next();
  const answer = shown(await ubusd.next());
  const { data, ...head } = shown(explained);
  const sentence = isJsonObject(data) && typeof data.code === 'string' && typeof data.message === 'string';
  if (!sentence) throw new Error(`no sentence before the status: ${JSON.stringify(head)}`);
  return answer;
}

t.test('the recorded conversation of a provider, octet by octet', { skip: skipVectors }, async (t) => {
  const demo = {
    send: {
      help: '',
      args: {
        number: { type: 'string', required: true, help: '' },
        text: { type: 'string', required: true, help: '' },
        flash: argument('boolean'),
      },
      result: {},
    },
    note: { help: '', args: { id: argument('integer'), payload: argument('table') }, result: {} },
    fail: { help: '', args: {}, result: {} },
  } as const satisfies Signatures;
  const calls: JsonObject[] = [];
  const object = implement('sms_demo', demo, {
    send: async (args) => {
      calls.push(args);
      return {
        ...{ ok: true, number: args.number, parts: 2, big: 5e9, pi: 3.5, ids: [1, 2] },
        ...{ cost: { cur: 'EUR', cents: 9 }, nothing: null },
      };
    },
    note: async () => ({ notified: 0 }),
    fail: async () => {
      throw new GatewayError('not_supported', 'never');
    },
  });
  const { namespace, ubusd, peer } = await setUp(t, [object]);
  await ubusd.listen();
  peer.start();
  await ubusd.connected();
  for (const { n, dir, hex } of readVectors<{ n: number; dir: string; hex: string }>('ubus/provider.jsonl')) {
    // 14 notifies subscribers without being asked; from 18 on the numbers of its requests differ by one.
    if (n === 14) continue;
    const octets = Buffer.from(hex, 'hex');
    if (n >= 18) octets.writeUInt16BE(2, 2);
    if (n === 18) namespace.remove('sms_demo');
    if (dir === 'ubusd>client') {
      for (const octet of octets) {
        ubusd.write(Uint8Array.of(octet));
        await new Promise((resolve) => setImmediate(resolve));
      }
      continue;
    }
    // The recorded provider gives no sentence before the status of a refusal.
    const { type, status } = shown(decodeMessage(octets));
    if (type === messageType.status && status !== 0) {
      t.match(shown(await ubusd.next()), { data: { code: String, message: String } });
    }
    const answer = await ubusd.next();
    // 6 holds an int16, which no JSON gives.
    if (n === 6) t.same(shown(answer), shown(decodeMessage(octets)));
    else t.equal(encodeMessage(answer).toString('hex'), octets.toString('hex'), `message ${n}`);
  }
  t.same(calls, [{ number: '+491700000001', text: 'hi', flash: true }]);
});

t.test('calls', async (t) => {
  await t.test('arguments of every type', async (t) => {
    const { ubusd, serve } = await setUp(t);
    await serve();
    const args = { text: 'žąsis 🦆', count: -5, flash: false, list: [1, 'b', null], table: { a: { b: true } } };
    ubusd.invoke(OBJECT, 'echo', { ...args, ubus_rpc_session: '0123456789abcdef' }, { seq: 9, peer: 5 });
    t.same(shown(await ubusd.next()), data(9, 5, args), 'without the web session');
    t.same(shown(await ubusd.next()), status(9, 5, 0));
    ubusd.invoke(OBJECT, 'echo', { count: 2 ** 40 });
    t.same(shown(await ubusd.next()), data(2, 0x77, { count: 2 ** 40 }), 'an int64');
    t.same(shown(await ubusd.next()), status(2, 0x77, 0));
  });

  await t.test('what is refused, and the status for it', async (t) => {
    const { ubusd, namespace, serve } = await setUp(t);
    await serve();
    const refused: readonly [number, string, JsonObject, number][] = [
      [OBJECT, 'nosuch', {}, 3],
      [OBJECT, 'constructor', {}, 3],
      [7, 'echo', {}, 4],
      [OBJECT, 'echo', { text: 1 }, 2],
      [OBJECT, 'echo', { count: true }, 2],
      [OBJECT, 'echo', { flash: 1 }, 2],
      [OBJECT, 'echo', { count: 1.5 }, 2],
      [OBJECT, 'echo', { table: [] }, 2],
      [OBJECT, 'echo', { other: 1 }, 2],
      [OBJECT, 'blob', { size: limits.messageLength }, 2],
    ];
    for (const [object, method, args, expected] of refused) {
      ubusd.invoke(object, method, args);
      t.same(await refusal(ubusd), status(2, 0x77, expected, object), `${method} ${JSON.stringify(args)}`);
    }
    const call = (...attributes: UbusMessage['attributes']) =>
      ubusd.send({ type: messageType.invoke, seq: 4, peer: 8, attributes });
    const object = numberAttribute(attributeId.objectId, OBJECT);
    const method = textAttribute(attributeId.method, 'echo');
    const table = (octets: string) => ({ id: attributeId.data, extended: false, data: Buffer.from(octets, 'hex') });
    call(object, method);
    t.same(await refusal(ubusd), status(4, 8, 2), 'no arguments');
    call(object, table(''));
    t.same(await refusal(ubusd), status(4, 8, 2), 'no method');
    call(method, table(''));
    t.same(await refusal(ubusd), { type: messageType.status, seq: 4, peer: 8, status: 4 }, 'no object');
    call(object, method, table('8300000900'));
    t.same(await refusal(ubusd), status(4, 8, 12), 'arguments that are no table');
    namespace.remove('sms_gateway');
    ubusd.invoke(OBJECT, 'echo', {});
    t.equal((await ubusd.next()).type, messageType.removeObject);
    t.same(await refusal(ubusd), status(2, 0x77, 4), 'an object that is just being removed');
  });

  await t.test('several at a time, of equal numbers', async (t) => {
    const { ubusd, hanging, serve } = await setUp(t);
    await serve();
    for (const peer of [1, 2, 3]) ubusd.invoke(OBJECT, 'hang', {}, { seq: 7, peer });
    await until(() => hanging.length === 3, 'all have begun');
    for (const i of [2, 0, 1]) {
      hanging[i]?.release();
      t.same(shown(await ubusd.next()), data(7, i + 1, { released: true }));
      t.same(shown(await ubusd.next()), status(7, i + 1, 0));
    }
    ubusd.send({
      ...{ type: messageType.invoke, seq: 7, peer: 1 },
      attributes: [
        { id: attributeId.noReply, extended: false, data: Buffer.of(1) },
        numberAttribute(attributeId.objectId, OBJECT),
        textAttribute(attributeId.method, 'hang'),
        { id: attributeId.data, extended: false, data: Buffer.alloc(0) },
      ],
    });
    await until(() => hanging.length === 4, 'it has begun');
    hanging[3]?.release();
    ubusd.invoke(OBJECT, 'echo', {}, { seq: 8 });
    t.same(shown(await ubusd.next()), data(8, 0x77, {}), 'nobody wants an answer to the call before');
  });

  await t.test('no more than so many, and none for ever', async (t) => {
    const { ubusd, clock, hanging, serve } = await setUp(t);
    await serve();
    for (let peer = 0; peer <= limits.inFlight; peer++) ubusd.invoke(OBJECT, 'hang', {}, { peer });
    t.same(await refusal(ubusd), status(2, limits.inFlight, 11), 'one too many');
    t.equal(hanging.length, limits.inFlight);
    await clock.advance(limits.callMs - 1);
    t.equal(ubusd.unread, 0);
    await clock.advance(1);
    for (let peer = 0; peer < limits.inFlight; peer++) t.same(await refusal(ubusd), status(2, peer, 7));
    ubusd.invoke(OBJECT, 'echo', {});
    t.same(shown(await ubusd.next()), data(2, 0x77, {}), 'there is room again');
  });
});

t.test('objects', async (t) => {
  await t.test('signatures, and what becomes of them', async (t) => {
    const { ubusd, namespace, peer } = await setUp(t);
    await ubusd.listen();
    peer.start();
    await ubusd.greet();
    const add = await ubusd.next();
    const signature = add.attributes.find(({ id }) => id === attributeId.signature);
    t.same(
      shown({ ...add, attributes: [{ id: attributeId.data, extended: false, data: signature?.data ?? Buffer.of() }] }),
      {
        ...{ type: messageType.addObject, seq: 1, peer: 0 },
        data: {
          echo: {
            text: blobmsgType.string,
            count: blobmsgType.int32,
            flash: blobmsgType.int8,
            list: blobmsgType.array,
            table: blobmsgType.table,
          },
          blob: { size: blobmsgType.int32 },
          hang: {},
        },
      },
    );
    // The first call in the same chunk as the answer.
    ubusd.grant(add, { object: OBJECT });
    ubusd.invoke(OBJECT, 'echo', { count: 1 });
    t.same(shown(await ubusd.next()), data(2, 0x77, { count: 1 }));
    await ubusd.next();

    const simulator = (args: Signatures[string]['args']) =>
      implement('sms_gateway.simulator', { sent: { help: '', args, result: {} } }, { sent: async () => ({ n: 1 }) });
    namespace.add(simulator({}));
    await ubusd.register('sms_gateway.simulator', 5);
    namespace.add(simulator({}));
    ubusd.invoke(5, 'sent', {});
    t.same(shown(await ubusd.next()), data(2, 0x77, { n: 1 }, 5), 'nothing to do for an equal one');
    await ubusd.next();
    namespace.add(simulator({ limit: argument('integer') }));
    const removed = await ubusd.next();
    t.same(shown(removed), { type: messageType.removeObject, seq: 3, peer: 0, object: 5 });
    ubusd.grant(removed, { object: 5 });
    await ubusd.register('sms_gateway.simulator', 6);
    namespace.remove('sms_gateway.simulator');
    t.match(shown(await ubusd.next()), { type: messageType.removeObject, object: 6 });
  });

  await t.test('one that ubusd refuses is offered again every second', async (t) => {
    const object = (name: string) => implement(name, {}, {});
    const { ubusd, lines, clock, peer } = await setUp(t, [object('a'), object('b')]);
    await ubusd.listen();
    peer.start();
    await ubusd.greet();
    ubusd.grant(await ubusd.next(), {}, 6);
    await ubusd.register('b', 2);
    ubusd.grant(await ubusd.next(), {}, 6); // no right to listen
    await until(() => lines.length === 2, 'it serves');
    t.same(lines[0], 'warning a is not on ubus: ubusd answers with status 6; trying again every second\n');
    for (let i = 0; i < 3; i++) {
      await clock.advance(1000);
      ubusd.grant(await ubusd.next(), {}, 6);
      ubusd.invoke(2, 'nosuch', {});
      t.same(await refusal(ubusd), status(2, 0x77, 3, 2), 'the other one serves');
    }
    await clock.advance(1000);
    await ubusd.register('a', 1);
    await until(() => lines.length === 3, 'it is over');
    t.equal(lines[2], 'info a is on ubus after 4 failures\n');
  });

  await t.test('a name that another process held comes at the moment it is free', async (t) => {
    const { ubusd, lines, clock, peer } = await setUp(t, [implement('a', {}, {})]);
    await ubusd.listen();
    peer.start();
    await ubusd.greet();
    ubusd.grant(await ubusd.next(), {}, 2);
    const listener = await ubusd.next();
    t.same(shown(listener), { type: messageType.addObject, seq: 2, peer: 0 }, 'an anonymous object');
    ubusd.grant(listener, { object: 77 });
    const registration = await ubusd.next();
    t.match(shown(registration), {
      ...{ object: 1, method: 'register' },
      data: { object: 77, pattern: 'ubus.object.remove' },
    });
    ubusd.grant(registration);
    t.same(lines, [
      'warning a is not on ubus: the name is taken, or this user has no right to publish it (/usr/share/acl.d); trying again every second\n',
    ]);
    ubusd.invoke(77, 'ubus.object.remove', { id: 5, path: 'a' }, { peer: 0 });
    await ubusd.register('a', 1);
    await until(() => lines.length === 3, 'it serves');
    t.match(lines[1], /^info serving on /);
    t.equal(lines[2], 'info a is on ubus\n');
    await clock.advance(5000);
    t.equal(ubusd.unread, 0, 'nothing is offered any more');
  });
});

t.test('ubusd that means ill', async (t) => {
  await t.test('gives an object many ids', async (t) => {
    const { ubusd, peer } = await setUp(t);
    await ubusd.listen();
    peer.start();
    await ubusd.greet();
    const request = await ubusd.next();
    const { seq, peer: client } = request;
    for (let id = 1; id <= 1000; id++) {
      const attributes = [numberAttribute(attributeId.objectId, id)];
      ubusd.send({ type: messageType.data, seq, peer: client, attributes });
    }
    ubusd.grant(request, { object: OBJECT });
    ubusd.invoke(2, 'echo', {});
    t.same(await refusal(ubusd), status(2, 0x77, 4, 2), 'the first one counts');
    ubusd.invoke(1, 'echo', {});
    t.same(shown(await ubusd.next()), data(2, 0x77, {}, 1));
  });

  await t.test('sends one event after the other', async (t) => {
    const { ubusd, peer, clock } = await setUp(t);
    await ubusd.listen();
    peer.start();
    await ubusd.greet();
    ubusd.grant(await ubusd.next(), {}, 2);
    ubusd.grant(await ubusd.next(), { object: 77 });
    ubusd.grant(await ubusd.next());
    for (let i = 0; i < 500; i++) ubusd.invoke(77, 'ubus.object.remove', {});
    ubusd.grant(await ubusd.next(), {}, 2);
    ubusd.grant(await ubusd.next(), {}, 2);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    t.equal(ubusd.unread, 0, 'what comes while an update is under way asks for one more');
    await clock.advance(limits.againMs);
    t.equal((await ubusd.next()).type, messageType.addObject, 'and it goes on');
  });

  await t.test('brings calls with huge arguments', async (t) => {
    const hold = { help: '', args: { text: { type: 'string', help: '' } }, result: {} } as const;
    const releases: (() => void)[] = [];
    const object = implement(
      'sms_gateway',
      { hold },
      {
        hold: () => new Promise((resolve) => releases.push(() => resolve({}))),
      },
    );
    const { ubusd, serve } = await setUp(t, [object]);
    await serve();
    const text = 'x'.repeat(1_000_000);
    for (let peer = 0; peer < 6; peer++) ubusd.invoke(OBJECT, 'hold', { text }, { peer });
    t.same(await refusal(ubusd), status(2, 4, 11), 'four of a million octets are enough');
    t.same(await refusal(ubusd), status(2, 5, 11));
    for (const release of releases) release();
    for (let peer = 0; peer < 4; peer++) {
      t.same(shown(await ubusd.next()), data(2, peer, {}));
      t.same(shown(await ubusd.next()), status(2, peer, 0));
    }
  });

  await t.test('sends any octets', async (t) => {
    const { ubusd, peer, clock } = await setUp(t);
    await ubusd.listen();
    peer.start();
    for (const octets of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 200 }), { numRuns: 20, seed: 14 })) {
      await ubusd.greet();
      const header = Buffer.from([0, octets[0] ?? 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4 + octets.length]);
      ubusd.write(Buffer.concat([header, octets, Buffer.alloc(3)]));
      ubusd.drop();
      const { connections } = ubusd;
      await pass(clock, 500, () => ubusd.connections > connections, 'it comes back');
    }
    await ubusd.greet();
    t.ok(ubusd.isConnected);
  });
});

t.test('events', async (t) => {
  const event = (seq: number, sections: readonly string[]): JsonObject => ({
    ...{ type: messageType.invoke, seq, peer: 1, object: 1, method: 'send' },
    data: { id: 'sms_gateway.config.changed', data: { sections } },
  });

  await t.test('go to all, and to subscribers', async (t) => {
    const { ubusd, bus, lines, serve } = await setUp(t);
    await serve();
    bus.emit('config.changed', { sections: ['a'] });
    const first = await ubusd.next();
    t.same(shown(first), event(2, ['a']));
    const news = (active: number) => ({
      ...{ type: messageType.notify, seq: 1, peer: 0 },
      attributes: [
        numberAttribute(attributeId.objectId, OBJECT),
        { id: attributeId.active, extended: false, data: Buffer.of(active) },
      ],
    });
    const echo = async () => {
      ubusd.invoke(OBJECT, 'echo', {});
      t.same(shown(await ubusd.next()), data(2, 0x77, {}));
      await ubusd.next();
    };
    ubusd.send(news(1));
    await echo();
    bus.emit('config.changed', { sections: ['b'] });
    const notification = await ubusd.next();
    t.same(shown(notification), {
      ...{ type: messageType.notify, seq: 0, peer: OBJECT, object: OBJECT },
      ...{ method: 'config.changed', data: { sections: ['b'] } },
    });
    t.ok(isSet(notification, attributeId.noReply));
    const second = await ubusd.next();
    t.same(shown(second), event(3, ['b']));
    ubusd.send(news(0));
    await echo();
    bus.emit('config.changed', { sections: ['c'] });
    const third = await ubusd.next();
    t.same(shown(third), event(4, ['c']));
    for (const request of [third, first, second]) ubusd.grant(request, {}, 6);
    await until(() => lines.length === 2, 'the refusal is logged');
    t.equal(lines[1], 'warning events cannot be sent: ubusd answers with status 6\n', 'once');
    bus.emit('config.changed', { sections: ['d'] });
    ubusd.grant(await ubusd.next());
    await until(() => lines.length === 3, 'its end is logged');
    t.equal(lines[2], 'info events are sent again after 3 failures\n');
  });

  await t.test('are dropped while ubusd does not read', async (t) => {
    const { ubusd, bus, lines, serve } = await setUp(t);
    await serve();
    ubusd.pause();
    for (let i = 0; i < 40; i++) bus.emit('config.changed', { sections: ['x'.repeat(100_000)] });
    t.match(lines.slice(1), ['warning ubusd reads too slowly, events are dropped\n']);
    bus.emit('config.changed', { sections: ['x'.repeat(limits.messageLength)] });
    t.ok(ubusd.isConnected);
  });

  await t.test('one that is too large', async (t) => {
    const { ubusd, bus, lines, serve } = await setUp(t);
    await serve();
    bus.emit('config.changed', { sections: ['x'.repeat(limits.messageLength)] });
    bus.emit('config.changed', { sections: [] });
    t.same(shown(await ubusd.next()), event(2, []));
    t.equal(lines[1], 'warning events cannot be sent: a ubus message has at most 1048576 octets\n');
  });
});

t.test('ubusd that is away', async (t) => {
  const back = ({ lines }: { lines: readonly string[] }) =>
    lines.filter((line) => /^info (serving|connected again) /.test(line)).length;

  await t.test('comes later, and again', async (t) => {
    const rig = await setUp(t);
    const { ubusd, clock, lines, hanging, bus, peer } = rig;
    peer.start();
    await pass(clock, 1_000, () => clock.now() > Date.UTC(2026, 0, 1) + 600_000, 'ten minutes');
    t.same(lines.length, 1, 'logged once');
    t.match(lines[0], /^warning \S+ubus.sock: ENOENT; trying again/);
    await ubusd.listen();
    await pass(clock, 500, () => ubusd.isConnected, 'it connects');
    await ubusd.greet();
    await ubusd.register('sms_gateway', 1);
    await until(() => back(rig) === 1, 'it serves');
    ubusd.invoke(1, 'hang', {});
    await until(() => hanging.length === 1, 'a call');
    bus.emit('config.changed', { sections: [] });
    await ubusd.next();
    await ubusd.restart();
    await until(() => hanging[0]?.signal.aborted === true, 'nobody could get the answer');
    const lost = clock.monotonic();
    await pass(clock, 500, () => ubusd.connections === 2, 'it connects');
    t.ok(clock.monotonic() - lost <= 2_000, 'soon, however long it was away before');
    bus.emit('config.changed', { sections: [] });
    await ubusd.greet();
    await ubusd.register('sms_gateway', 2);
    await until(() => back(rig) === 2, 'it serves');
    ubusd.invoke(1, 'echo', {});
    t.same(await refusal(ubusd), status(2, 0x77, 4, 1), 'ids of another life');
    ubusd.invoke(2, 'echo', {});
    t.same(shown(await ubusd.next()), data(2, 0x77, {}, 2));
  });

  const ends: readonly [string, RegExp, (ubusd: ScriptedUbusd, clock: ManualClock) => Promise<void>][] = [
    ['never greets', /has not answered for 5 s/, (_, clock) => clock.advance(limits.requestMs)],
    [
      'never answers a request',
      /has not answered for 5 s/,
      async (ubusd, clock) => {
        await ubusd.greet();
        await ubusd.next();
        await clock.advance(limits.requestMs);
      },
    ],
    [
      'speaks something else',
      /version 72, only 0 is known/,
      async (ubusd) => ubusd.write(Buffer.from('HTTP/1.1 200 OK')),
    ],
    [
      'sends a message of empty attributes',
      /more than 64 attributes/,
      async (ubusd) => {
        const empty = Array.from({ length: 10_000 }, () => ({ id: 1, extended: false, data: Buffer.alloc(0) }));
        ubusd.send({ type: messageType.hello, seq: 0, peer: 1, attributes: empty });
      },
    ],
    ['closes at once', /ubusd closed the connection/, async (ubusd) => ubusd.drop()],
    [
      'closes while objects are registered',
      /ubusd closed the connection/,
      async (ubusd) => {
        await ubusd.greet();
        await ubusd.next();
        ubusd.drop();
      },
    ],
    [
      'reads no answers',
      /ubusd leaves 4194304 octets unread/,
      async (ubusd) => {
        await ubusd.greet();
        await ubusd.register('sms_gateway', OBJECT);
        for (let i = 0; i < 8; i++) ubusd.invoke(OBJECT, 'blob', { size: 1_000_000 });
        ubusd.pause();
      },
    ],
  ];
  for (const [what, reason, act] of ends) {
    await t.test(what, async (t) => {
      const { ubusd, clock, lines, peer } = await setUp(t);
      await ubusd.listen();
      peer.start();
      await ubusd.connected();
      await act(ubusd, clock);
      await until(() => lines.some((line) => line.startsWith('warning')), 'it is logged');
      t.match(lines.at(-1), reason);
      await pass(clock, 500, () => ubusd.connections === 2, 'the next try');
    });
  }
});

t.test('stop', async (t) => {
  await t.test('answers the calls and takes the objects away', async (t) => {
    const { ubusd, hanging, bus, peer, serve } = await setUp(t);
    await serve();
    ubusd.invoke(OBJECT, 'hang', {});
    await until(() => hanging.length === 1, 'a call');
    const stopped = peer.stop();
    const messages = [await ubusd.next(), await ubusd.next(), await ubusd.next()];
    const types = [messageType.data, messageType.status, messageType.removeObject];
    t.same(new Set(messages.map(({ type }) => type)), new Set<number>(types));
    const answer = messages.find(({ type }) => type === messageType.status);
    t.same(answer && shown(answer), status(2, 0x77, 10));
    ubusd.invoke(OBJECT, 'echo', {});
    t.same(await refusal(ubusd), status(2, 0x77, 10), 'a call that crossed');
    bus.emit('config.changed', { sections: [] });
    for (const message of messages)
      if (message.type === messageType.removeObject) ubusd.grant(message, { object: OBJECT });
    await stopped;
    await ubusd.disconnected();
    t.equal(ubusd.unread, 0);
    t.equal(ubusd.connections, 1);
  });

  await t.test('is not held up by a method that does not give up', async (t) => {
    let begun = false;
    const stubborn = implement(
      'sms_gateway',
      { hang: signatures.hang },
      {
        hang: () => {
          begun = true;
          return new Promise(() => {});
        },
      },
    );
    const { ubusd, clock, peer, serve } = await setUp(t, [stubborn]);
    await serve();
    ubusd.invoke(OBJECT, 'hang', {});
    await until(() => begun, 'a call');
    await stopPeer(peer, clock);
    await ubusd.disconnected();
    // The deadline of the call itself.
    await clock.advance(limits.callMs);
    t.equal(ubusd.connections, 1);
  });

  await t.test('at any moment', async (t) => {
    const moments: readonly [string, (ubusd: ScriptedUbusd, peer: UbusPeer) => Promise<void>][] = [
      ['before the start', async () => {}],
      ['without ubusd', async (_, peer) => peer.start()],
      [
        'before the greeting',
        async (ubusd, peer) => {
          await ubusd.listen();
          peer.start();
          await ubusd.connected();
        },
      ],
      [
        'while objects are registered',
        async (ubusd, peer) => {
          await ubusd.listen();
          peer.start();
          await ubusd.greet();
          await ubusd.next();
        },
      ],
      [
        'while an object is refused',
        async (ubusd, peer) => {
          await ubusd.listen();
          peer.start();
          await ubusd.greet();
          ubusd.grant(await ubusd.next(), {}, 6);
          ubusd.invoke(1, 'nosuch', {});
          await ubusd.next();
        },
      ],
    ];
    for (const [what, come] of moments) {
      await t.test(what, async (t) => {
        const { ubusd, lines, clock, peer } = await setUp(t);
        await come(ubusd, peer);
        await stopPeer(peer, clock);
        t.ok(clock.monotonic() <= limits.closeMs + 1_000, 'soon');
        t.same(
          lines.filter((line) => !/ENOENT|not on ubus|serving/.test(line)),
          [],
        );
      });
    }
  });
});
