import t, { type Test } from 'tap';
import { budgets } from '../../src/access/budgets.ts';
import { Memory } from '../../src/access/memory.ts';
import { Bus } from '../../src/base/bus.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import type { PhoneNumber } from '../../src/base/phone-number.ts';
import type { ModemStatus } from '../../src/modem/status.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import { EventFeed } from '../../src/rpc/events.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { messageObject } from '../../src/rpc/objects/message/message.ts';
import { whyWaiting } from '../../src/rpc/objects/message/waiting.ts';
import { addressOf, encodeDeliver, encodePdu, nameAddress, segment, timeStamp } from '../../src/sms/index.ts';
import { Store, type StorePolicy } from '../../src/store/store.ts';
import { newFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { numberOf, policy as outboxPolicy, until } from '../support/outbox-rig.ts';
import { refused, ScriptedSender } from '../support/scripted-sender.ts';

const start = Date.UTC(2026, 0, 1, 12);
const policy: StorePolicy = {
  sync: 'always',
  inbox: { capacity: 100, evict: false, partTimeoutHours: 24 },
  outbox: { ...outboxPolicy, queueLimit: 20 },
};

/** The object on a real store; `sender` is the only modem and sends once `attach` was called. */
async function setUp(t: Test) {
  const log = createLogger({ level: 'error', write: (line) => t.fail(line) });
  const clock = new ManualClock(start);
  const bus = new Bus<GatewayEvents>(log);
  const store = await Store.open({ directory: newFolder(t), clock, log, policy, bus });
  const sender = new ScriptedSender();
  const attach = () => store.outbox.attach(sender, { interval: 0, daily: 0 });
  const { inbox, outbox } = store;
  const groups = new Map<string, readonly PhoneNumber[]>([
    ['friends', [numberOf(1), numberOf(2), numberOf(1)]],
    ['empty', []],
  ]);
  const control = {
    name: 'gsm0',
    status: (): ModemStatus => ({
      ...{ name: 'gsm0', state: 'ready', since: start, device: 'sim' },
      ...{ sent: 0, received: 0, errors: 0, reopened: 0 },
    }),
    restart() {},
    at: async () => ({ lines: [], result: 'OK' }),
    ussd: async () => '',
  };
  const modems = {
    list: () => [control],
    find: (name: string) => (name === 'gsm0' ? control : undefined),
    today: () => ({ sent: 0, limit: 0 }),
  };
  const namespace = new Namespace(log);
  const segments = (text: string) => {
    const segmentation = segment(text);
    return { ...segmentation, parts: segmentation.parts.length };
  };
  const memory = new Memory(clock);
  namespace.add(
    messageObject({
      memory,
      inbox,
      outbox,
      traffic: store.traffic,
      groups: { find: (name) => groups.get(name) },
      modems,
      clock,
      segments,
    }),
  );
  const abort = new AbortController();
  t.teardown(async () => {
    sender.ready = false;
    await store.close();
  });
  const call = (method: string, args: JsonObject = {}) =>
    namespace.call('sms_gateway.message', method, args, { transport: 'unix', signal: abort.signal });
  const callAs = (source: string, method: string, args: JsonObject) =>
    namespace.call('sms_gateway.message', method, args, { transport: 'http', signal: abort.signal, source });
  const receive = async (from: string, text: string) => {
    const { dcs, parts } = segment(text);
    for (const { data } of parts) {
      const address = from.startsWith('+') ? addressOf(from) : nameAddress(from);
      const deliver = { from: address, dcs, time: timeStamp(clock.now()), userData: { elements: [], data } };
      await inbox.accept({ modem: 'gsm0', pdu: encodePdu(undefined, encodeDeliver(deliver)), received: clock.now() });
    }
  };
  return { call, callAs, receive, memory, clock, bus, store, sender, attach, abort };
}

const ids = ({ messages }: JsonObject) => (Array.isArray(messages) ? messages.map(({ id }) => id) : []);

t.test('callers who wait leave room for those who do not', async (t) => {
  const { call, abort } = await setUp(t);
  const waiting = Array.from({ length: 18 }, (_, n) =>
    call('send', { number: `+3706000000${n % 10}`, text: `${n}`, wait: 300 }),
  );
  const more = Array.from({ length: 30 }, () =>
    call('send', { group: 'friends', text: 'x', wait: 300, client_ref: 'r' }),
  );
  const all = Promise.allSettled([...waiting, ...more]);
  await t.rejects(call('send', { number: '+37060000001', text: 'one too many', wait: 1 }), {
    code: 'queue_full',
    message: '48 calls wait for the modem already; send without wait',
  });
  t.match(await call('send', { number: '+37060000001', text: 'without wait', client_ref: 'free' }).catch((e) => e), {
    id: Number,
  });
  t.notMatch(JSON.stringify(await call('list')), 'one too many', 'nothing of it was accepted');
  abort.abort(new Error('they go'));
  await all;
});

t.test('send later', async (t) => {
  const { call, sender, attach, clock, bus } = await setUp(t);
  attach();
  const sent = new Promise((resolve) => bus.on('sms.sent', t, resolve));
  await call('send', { number: '1234', text: 'later', not_before: '2026-01-01T14:00:00+01:00', validity: 60 });
  t.match(await call('status', { id: 1 }), {
    not_before: '2026-01-01T13:00:00.000Z',
    expires: '2026-01-01T14:00:00.000Z',
  });
  t.strictSame(sender.texts, []);
  await clock.advance(3_600_000);
  await sent;
  t.strictSame(sender.texts, ['later']);
  await t.rejects(call('send', { number: '1234', text: 'x', not_before: '2027-02-30T12:00:00Z' }), {
    code: 'invalid_argument',
  });
  await t.rejects(call('send', { number: '1234', text: 'x', not_before: 'tomorrow' }), {
    code: 'invalid_argument',
    message: /argument not_before/,
  });
});

t.test('send to a number', async (t) => {
  const { call, sender, attach, store } = await setUp(t);
  const answer = await call('send', { number: '0037060000001', text: 'žąsis' });
  t.same(answer, { id: 1, state: 'queued', parts: 1, encoding: 'ucs2' });
  const options = { modem: 'gsm0', priority: 3, validity: 90, flash: true, report: true, client_ref: 'a1' };
  t.match(await call('send', { number: '1234', text: 'x'.repeat(161), ...options }), {
    id: 2,
    parts: 2,
    encoding: 'gsm7',
  });
  t.match(
    await call('send', { number: '1234', text: 'another', client_ref: 'a1' }),
    { id: 2 },
    'the reference is known',
  );
  t.same(await call('status', { id: 2 }), {
    id: 2,
    box: 'outbox',
    number: '1234',
    text: 'x'.repeat(161),
    time: '2026-01-01T12:00:00.000Z',
    state: 'queued',
    modem: 'gsm0',
    parts: 2,
    encoding: 'gsm7',
    part_states: [{ state: 'queued' }, { state: 'queued' }],
    priority: 3,
    expires: '2026-01-01T13:30:00.000Z',
    report: true,
    attempts: 0,
    source: 'rpc',
    client_ref: 'a1',
    changed: '2026-01-01T12:00:00.000Z',
  });
  attach();
  await store.outbox.settled(2 as never, AbortSignal.timeout(60_000));
  t.match(await call('status', { id: 2 }), {
    state: 'sent',
    part_states: [
      { state: 'sent', mr: 0 },
      { state: 'sent', mr: 1 },
    ],
  });
  t.equal(sender.given[0]?.part.report, true);
  t.match(
    await call('send', { number: '1234', text: 'at once' }),
    { id: 3, state: 'queued' },
    'whether a modem is free or not',
  );
});

t.test('send: what is refused', async (t) => {
  const { call } = await setUp(t);
  for (const [args, error] of [
    [{ text: 'x' }, { code: 'invalid_argument', message: 'wanted number, numbers or group, got none' }],
    [
      { number: '1234', group: 'friends', text: 'x' },
      { code: 'invalid_argument', message: 'wanted number, numbers or group, got number and group' },
    ],
    [
      { number: 'bad', text: 'x' },
      { code: 'invalid_number', message: '"bad" is no phone number' },
    ],
    [{ number: '1234', text: '' }, { code: 'invalid_text' }],
    [{ number: '1234', text: 'x'.repeat(50_000) }, { code: 'text_too_long' }],
    [{ number: '1234', text: 'x', modem: 'gsm1' }, { code: 'modem_not_found' }],
    [
      { group: 'foes', text: 'x' },
      { code: 'group_not_found', message: 'no group "foes"' },
    ],
    [{ group: 'empty', text: 'x' }, { code: 'group_empty' }],
    [{ group: 'friends', text: '' }, { code: 'invalid_text' }],
    [{ number: '1234', text: 'x', priority: 4 }, { code: 'invalid_argument' }],
    [{ number: '1234', text: 'x', validity: 0 }, { code: 'invalid_argument' }],
    [{ number: '1234', text: 'x', wait: 301 }, { code: 'invalid_argument' }],
  ] as const) {
    await t.rejects(call('send', args), error, JSON.stringify(args).slice(0, 60));
  }
  t.same(ids(await call('list')), []);
  for (let i = 0; i < policy.outbox.queueLimit; i++) await call('send', { number: '1234', text: `${i}` });
  await t.rejects(call('send', { number: '1234', text: 'x' }), { code: 'queue_full' });
});

t.test('send to a group', async (t) => {
  const { call } = await setUp(t);
  const friends = [
    { number: '+37060000001', id: 1, state: 'queued' },
    { number: '+37060000002', id: 2, state: 'queued' },
  ];
  const answer = { id: 1, state: 'queued', parts: 1, encoding: 'gsm7', recipients: friends };
  t.same(
    await call('send', { group: 'friends', text: 'hi', client_ref: 'r' }),
    answer,
    'a repeated number counts once',
  );
  t.same(
    await call('send', { group: 'friends', text: 'hi', client_ref: 'r' }),
    { ...answer, duplicate: true },
    'the same reference sends nothing',
  );
  t.match(await call('status', { id: 2 }), { batch: 1, client_ref: 'r/+37060000002' });
  // The queue takes 20 messages.
  for (let i = 3; i < 20; i++) await call('send', { number: '1234', text: 'hi' });
  t.match(
    (await call('send', { group: 'friends', text: 'hi' }))['recipients'],
    [
      { number: '+37060000001', id: 20, state: 'queued' },
      { number: '+37060000002', state: 'failed', code: 'queue_full' },
    ],
    'what one member runs into does not hide what the others came to',
  );
});

t.test('send to several numbers', async (t) => {
  const { call } = await setUp(t);
  const numbers = ['+37060000001', '0037060000002', '+370 600 00001'];
  const recipients = [
    { number: '+37060000001', id: 1, state: 'queued' },
    { number: '+37060000002', id: 2, state: 'queued' },
  ];
  t.match(await call('send', { numbers, text: 'hi', client_ref: 'r' }), { id: 1, recipients });
  t.match(await call('send', { numbers, text: 'hi', client_ref: 'r' }), { id: 1, duplicate: true });
  t.match(await call('status', { id: 2 }), { batch: 1, client_ref: 'r/+37060000002', source: 'rpc' });
  for (const [wrong, error] of [
    [['+37060000001', 'bad'], { code: 'invalid_number', message: '"bad" is no phone number' }],
    [[1234], { code: 'invalid_number', message: '"1234" is no phone number' }],
    [[], { code: 'invalid_argument', message: /got 0 elements, wanted 1 to 250/ }],
    [Array(251).fill('1234'), { code: 'invalid_argument', message: /got 251 elements/ }],
  ] as const) {
    await t.rejects(call('send', { numbers: wrong, text: 'hi' }), error);
  }
  t.match(await call('list', { box: 'outbox' }), { messages: [{ id: 1 }, { id: 2 }] }, 'a wrong number sends nothing');
});

t.test('a caller with a source of its own has references of its own', async (t) => {
  const { call, callAs } = await setUp(t);
  const args = { number: '1234', text: 'hi', client_ref: 'r' };
  t.match(await call('send', args), { id: 1 });
  t.match(await callAs('token:a', 'send', args), { id: 2 });
  t.match(await callAs('token:a', 'send', args), { id: 2, duplicate: true });
  t.match(await callAs('token:b', 'send', args), { id: 3 });
  t.match(await call('status', { id: 2 }), { source: 'token:a' });
});

t.test('send and wait', async (t) => {
  const { call, sender, attach, clock, abort } = await setUp(t);
  attach();
  t.match(await call('send', { number: '1234', text: 'good', wait: 60 }), { id: 1, state: 'sent' });
  sender.will(refused);
  t.match(await call('send', { number: '1234', text: 'bad', wait: 60 }), {
    id: 2,
    state: 'failed',
    error: /unassigned number/,
  });
  sender.will(sender.accept(), refused);
  t.match(await call('send', { group: 'friends', text: 'x', wait: 60 }), {
    id: 3,
    recipients: [{ state: 'sent' }, { state: 'failed', error: /unassigned number/ }],
  });
  const timers = clock.pending;
  for (let i = 0; i < 5; i++) await call('send', { number: '1234', text: 'good', wait: 60 });
  t.ok(clock.pending <= timers, 'no timers are left behind');

  const release = sender.block();
  const slow = call('send', { number: '1234', text: 'slow', wait: 60 });
  while (sender.texts.at(-1) !== 'slow') await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(60_000);
  t.match(await slow, { id: 10, state: 'sending' }, 'the time is over');
  release();
  const last = sender.block();
  const gone = call('send', { number: '1234', text: 'gone', wait: 60 });
  while (sender.texts.at(-1) !== 'gone') await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  t.match(await gone, { id: 11, state: 'sending' }, 'the caller is gone');
  last();
});

t.test('list', async (t) => {
  const { call, receive, clock } = await setUp(t);
  await receive('+37060000001', 'first');
  await call('send', { number: '60000001', text: 'second' });
  await clock.advance(60_000);
  await receive('Bank', 'THIRD\u0007');
  await call('send', { number: '+37060000003', text: 'fourth' });
  const messages = [
    {
      id: 1,
      index: 0,
      box: 'inbox',
      number: '+37060000001',
      text: 'first',
      time: '2026-01-01T12:00:00.000Z',
      state: 'unread',
      modem: 'gsm0',
      parts: 1,
      encoding: 'gsm7',
    },
    {
      id: 2,
      box: 'outbox',
      number: '60000001',
      text: 'second',
      time: '2026-01-01T12:00:00.000Z',
      state: 'queued',
      parts: 1,
      encoding: 'gsm7',
    },
  ];
  t.same(await call('list', { limit: 2 }), { messages, cursor: '2' }, 'both boxes, oldest first');
  t.same((await call('list')).cursor, undefined);
  for (const [args, wanted, cursor] of [
    [{}, [1, 2, 3, 4]],
    [{ limit: 2, cursor: '2' }, [3, 4]],
    [{ limit: 1, cursor: '2' }, [3], '3'],
    [{ box: 'inbox' }, [1, 3]],
    [{ box: 'outbox', limit: 1 }, [2], '2'],
    [{ state: 'unread' }, [1, 3]],
    [{ state: 'read' }, []],
    [{ state: 'queued' }, [2, 4]],
    [{ state: 'queued', box: 'outbox' }, [2, 4]],
    [{ number: '+37060000001' }, [1, 2]],
    [{ text: 'third' }, [3]],
    [{ since: '2026-01-01T12:01:00Z' }, [3, 4]],
    [{ since: '2026-01-01T14:00:30+02:00' }, [3, 4]],
    [{ since: '2026-01-01' }, [1, 2, 3, 4]],
    [{ since: '2026-01-02' }, []],
  ] as const) {
    const answer = await call('list', args);
    t.same([ids(answer), answer['cursor']], [wanted, cursor], JSON.stringify(args));
  }
  for (const args of [
    { box: 'both' },
    { state: 'lost' },
    { state: 'unread', box: 'outbox' },
    { limit: 0 },
    { limit: 1001 },
    { cursor: 'x' },
    { cursor: '' },
    { since: 'yesterday' },
    { since: '2026-13-01' },
    { since: '2026-01-01T12:00' },
    { since: 1_767_268_800 },
  ]) {
    await t.rejects(call('list', args), { code: 'invalid_argument' }, JSON.stringify(args));
  }
});

t.test('list: long texts make a page shorter', async (t) => {
  const { call } = await setUp(t);
  for (let i = 0; i < 15; i++) await call('send', { number: '1234', text: `${i} ${'x'.repeat(39_000)}` });
  const first = await call('list');
  const second = await call('list', { cursor: first['cursor'] });
  t.same(
    [...ids(first), ...ids(second)],
    Array.from({ length: 15 }, (_, i) => i + 1),
  );
  t.equal(first['cursor'], '13');
  t.equal(second['cursor'], undefined);
});

t.test('list: the newest first', async (t) => {
  const { call, receive } = await setUp(t);
  await receive('+37060000001', 'one');
  await call('send', { number: '+37060000002', text: 'two' });
  await receive('+37060000003', 'three');
  await call('send', { number: '+37060000004', text: 'four' });
  await receive('+37060000005', 'five');
  t.same(ids(await call('list', { order: 'newest' })), [5, 4, 3, 2, 1]);
  const first = await call('list', { order: 'newest', limit: 2 });
  t.same([ids(first), first['cursor']], [[5, 4], '4']);
  const second = await call('list', { order: 'newest', limit: 2, cursor: '4' });
  t.same([ids(second), second['cursor']], [[3, 2], '2']);
  t.same(await call('list', { order: 'newest', limit: 2, cursor: '2' }).then((last) => [ids(last), last['cursor']]), [
    [1],
    undefined,
  ]);
  t.same(ids(await call('list', { order: 'newest', box: 'outbox', limit: 1 })), [4]);
  await t.rejects(call('list', { order: 'best' }), { code: 'invalid_argument' });
});

t.test('statistics', async (t) => {
  const { call, receive, clock, attach, store } = await setUp(t);
  await receive('+37060000001', 'one');
  clock.step(3_600_000);
  await receive('+37060000001', 'two');
  await receive('+37060000001', 'three');
  attach();
  await call('send', { number: '+37060000002', text: 'out', wait: 30 });
  const { hours } = (await call('statistics')) as { hours: readonly { time: string }[] };
  t.equal(hours.length, 24);
  t.same(hours.slice(-3), [
    { time: '2026-01-01T11:00:00.000Z', in: 0, out: 0, failed: 0 },
    { time: '2026-01-01T12:00:00.000Z', in: 1, out: 0, failed: 0 },
    { time: '2026-01-01T13:00:00.000Z', in: 2, out: 1, failed: 0 },
  ]);
  t.match(await call('statistics', { hours: 1 }), { hours: [{ in: 2 }] });
  clock.step(-7_200_000);
  store.traffic.count('in', start);
  t.match(await call('statistics', { hours: 1 }), { hours: [{ in: 0 }] }, 'hours to come do not count');
  await t.rejects(call('statistics', { hours: 169 }), { code: 'invalid_argument' });
});

t.test('read, total, delete', async (t) => {
  const { call, receive } = await setUp(t);
  for (const text of ['one', 'two']) await receive('+37060000001', text);
  await call('send', { number: '1234', text: 'out' });
  t.same(await call('total'), { used: 2, total: 100, unread: 2 });
  t.match(await call('read', { id: 1, mark: false }), { text: 'one', state: 'unread' });
  t.match(await call('status', { id: 1 }), { state: 'unread', received: '2026-01-01T12:00:00.000Z' });
  t.match(await call('read', { id: 1 }), { text: 'one', state: 'read', index: 0 });
  t.match(await call('read', { id: 1 }), { state: 'read' });
  t.match(await call('read', { id: 3 }), { box: 'outbox', text: 'out' });
  t.same(await call('total'), { used: 2, total: 100, unread: 1 });
  t.same(await call('delete', { id: 1 }), { id: 1 });
  t.same(await call('total'), { used: 1, total: 100, unread: 1 });
  await t.rejects(call('delete', { id: 3 }), { code: 'wrong_state' }, 'it still waits');
  for (const method of ['read', 'status', 'delete', 'cancel', 'retry']) {
    await t.rejects(call(method, { id: 1 }), { code: 'message_not_found' }, method);
    for (const id of [0, -1, 1.5, 1e10, '2']) await t.rejects(call(method, { id }), { code: 'invalid_argument' });
  }
});

t.test('why a message waits', async (t) => {
  const modem = (name: string, state: ModemStatus['state'], sent: number, limit: number) => ({
    ...{ name, sent, limit, restart() {}, at: async () => ({ lines: [], result: 'OK' }), ussd: async () => '' },
    status: (): ModemStatus => ({
      ...{ name, state, since: start, device: 'sim', sent: 0, received: 0, errors: 0, reopened: 0 },
    }),
  });
  const why = (all: readonly ReturnType<typeof modem>[], message: Partial<Parameters<typeof whyWaiting>[0]> = {}) =>
    whyWaiting(
      { state: 'queued', parts: 1, modem: undefined, error: undefined, notBefore: undefined, ...message } as never,
      {
        list: () => all,
        find: (name) => all.find((each) => each.name === name),
        today: (name) => all.find((each) => each.name === name) ?? { sent: 0, limit: 0 },
      },
      start,
    );
  const full = modem('a', 'ready', 4, 4);
  t.match(why([full]), /^it goes tomorrow: a has sent 4 of its daily_limit of 4 parts$/);
  t.match(why([full, modem('b', 'ready', 3, 4)], { parts: 2 }), /a has sent 4 .*, b has sent 3 of/);
  t.equal(why([full, modem('b', 'ready', 3, 4)]), undefined, 'another modem has room');
  t.equal(why([modem('a', 'ready', 0, 4)], { parts: 9 }), undefined, 'what is longer than a day goes first on one');
  t.equal(why([full], { state: 'sending' }), undefined, 'what is begun goes on');
  t.match(why([full], { modem: 'b' as never }), /^there is no modem b any more$/);
});

t.test('a long message waits for room as a listing does, a short one does not', async (t) => {
  const { call, memory } = await setUp(t);
  for (const text of ['short', 'long '.repeat(1_000)]) await call('send', { number: '1234', text });
  const lease = await memory.answers.enter(budgets.memory.answers.limit);
  t.match(await call('read', { id: 1 }), { text: 'short' });
  t.match(await call('status', { id: 1 }), { text: 'short' });
  const late = Promise.all(['read', 'status'].map((method) => call(method, { id: 2 })));
  const failing = call('read', { id: 2 });
  void failing.catch(() => {});
  await until(() => memory.answers.usage()['waiting'] === 3, 'all three wait for room');
  lease.release();
  t.match(await late, [{ text: /^long / }, { text: /^long / }]);
  await failing;
  t.equal(memory.answers.usage()['used'], 0);
});

t.test('cancel and retry', async (t) => {
  const { call, attach } = await setUp(t);
  await call('send', { number: '1234', text: 'x' });
  await t.rejects(call('retry', { id: 1 }), { code: 'wrong_state' });
  t.same(await call('cancel', { id: 1 }), { id: 1, state: 'cancelled' });
  await t.rejects(call('cancel', { id: 1 }), { code: 'wrong_state' });
  attach();
  t.match(await call('retry', { id: 1 }), { id: 1, state: /queued|sending|sent/ });
});

t.test('segments', async (t) => {
  const { call } = await setUp(t);
  t.same(await call('segments', { text: '' }), { encoding: 'gsm7', parts: 1, characters: 0, remaining: 160 });
  t.same(await call('segments', { text: 'a€' }), { encoding: 'gsm7', parts: 1, characters: 3, remaining: 157 });
  t.same(await call('segments', { text: '🦆'.repeat(36) }), {
    encoding: 'ucs2',
    parts: 2,
    characters: 72,
    remaining: 61,
  });
  await t.rejects(call('segments', { text: 'x'.repeat(50_000) }), { code: 'text_too_long' });
});

t.test('events show messages as `read` does', async (t) => {
  const { call, receive, bus, attach, sender } = await setUp(t);
  const feed = new EventFeed(bus);
  const seen: (readonly [string, JsonObject])[] = [];
  feed.on(seen, (name, payload) => seen.push([name, payload]));
  await receive('+37060000001', 'in');
  attach();
  sender.will(sender.accept(), refused);
  await call('send', { number: '1234', text: 'good', wait: 60 });
  await call('send', { number: '1234', text: 'bad', wait: 60 });
  while (seen.length < 3) await new Promise((resolve) => setImmediate(resolve));
  t.same(seen, [
    ['sms.received', await call('read', { id: 1, mark: false })],
    ['sms.sent', await call('read', { id: 2 })],
    ['sms.failed', await call('read', { id: 3 })],
  ]);
  feed.stop();
  await receive('+37060000001', 'after');
  t.equal(seen.length, 3);
});

t.test('a repeated reference says that nothing was sent again', async (t) => {
  const { call } = await setUp(t);
  const first = await call('send', { number: '+37060000001', text: 'once', client_ref: 'a' });
  t.notOk('duplicate' in first);
  t.match(await call('send', { number: '+37060000001', text: 'once', client_ref: 'a' }), {
    id: first['id'],
    duplicate: true,
  });
});
