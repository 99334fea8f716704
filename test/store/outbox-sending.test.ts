import t, { type Test } from 'tap';
import { retryDelay } from '../../src/store/outbox/conclusions.ts';
import { dayOf, nextDay } from '../../src/store/outbox/table.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { OutboxRig, pass, type RigOptions, until } from '../support/outbox-rig.ts';
import { refused, rejected, ScriptedSender, unavailable } from '../support/scripted-sender.ts';

async function rigFor(t: Test, options: RigOptions = {}): Promise<OutboxRig> {
  const rig = await OutboxRig.open(testFolder(t), options);
  t.teardown(() => rig.close());
  return rig;
}

async function crashed(t: Test, rig: OutboxRig): Promise<OutboxRig> {
  const next = await rig.crash();
  t.teardown(() => next.close());
  return next;
}

const idle = (rig: OutboxRig) => () => rig.outbox.counts().queued + rig.outbox.counts().sending === 0;

t.test('a permanent rejection fails at once', async (t) => {
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender().will(refused));
  const { id } = await rig.submit(1, 'x');
  t.match(await rig.settled(id), { state: 'failed', error: 'unassigned number (cause 1)', attempts: 1 });
  t.equal(sender.given.length, 1);
  t.strictSame(rig.events, ['failed 1']);
});

t.test('a temporary rejection is tried again with growing pauses, twenty times', async (t) => {
  const rig = await rigFor(t);
  const times: number[] = [];
  const reject = () => {
    times.push(rig.clock.monotonic());
    return rejected(38);
  };
  rig.attach(new ScriptedSender().will(...Array.from({ length: 20 }, () => reject)));
  const { id } = await rig.submit(1, 'x');
  await pass(rig.clock, 1000, () => times.length === 6, 'the first tries');
  await pass(rig.clock, 60_000, idle(rig), 'it fails');
  t.match(await rig.get(id), { state: 'failed', attempts: 20, error: 'network out of order (cause 38)' });
  const delays = times.slice(1).map((_, i) => retryDelay(i + 1, () => 0.5));
  t.strictSame(delays.slice(0, 5), [5_000, 10_000, 20_000, 40_000, 80_000]);
  t.strictSame(delays.slice(-2), [1_800_000, 1_800_000]);
  t.ok(times.slice(1).every((time, i) => time - (times[i] ?? 0) >= (delays[i] ?? 0)));
  t.strictSame([retryDelay(1, () => 0), retryDelay(1, () => 1)], [3_750, 6_250], 'a quarter of jitter');
});

t.test('failures are counted over restarts', async (t) => {
  let rig = await rigFor(t);
  let sender = rig.attach(new ScriptedSender().will(...Array.from({ length: 19 }, () => rejected(38))));
  const { id } = await rig.submit(1, 'x');
  await pass(rig.clock, 60_000, () => sender.given.length === 19, '19 are rejected');
  await until(async () => (await rig.get(id)).state === 'queued', 'the last one is written');
  rig = await crashed(t, rig);
  sender = rig.attach(new ScriptedSender().will(rejected(38)));
  t.match(await rig.settled(id), { state: 'failed', attempts: 20 });
});

t.test('a modem that is unwell costs the message no try', async (t) => {
  const rig = await rigFor(t);
  const troubles = [unavailable, rejected(331), rejected(310), unavailable];
  const steps = Array.from({ length: 40 }, (_, i) => troubles[i % 4] ?? unavailable);
  const sender = rig.attach(new ScriptedSender().will(...steps));
  const { id } = await rig.submit(1, 'x');
  await until(() => sender.given.length === 1, 'the first try');
  await until(async () => (await rig.state(id)) === 'queued', 'it waits again');
  t.match(await rig.get(id), { error: 'no prompt', partStates: [{ state: 'queued' }] });
  const start = rig.clock.monotonic();
  await pass(rig.clock, 1000, idle(rig), 'the modem is well');
  t.match(await rig.get(id), { state: 'sent', attempts: 41, error: undefined });
  t.ok(rig.clock.monotonic() - start > 30 * 60_000, 'the modem is not pestered');
});

t.test('a modem that is ready again is used at once', async (t) => {
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender().will(...Array.from({ length: 8 }, () => unavailable)));
  const { id } = await rig.submit(1, 'x');
  await pass(rig.clock, 1000, () => sender.given.length === 8, 'long pauses');
  await until(async () => (await rig.state(id)) === 'queued', 'it waits');
  await rig.clock.advance(5_000);
  t.equal(sender.given.length, 8, 'the modem rests');
  rig.outbox.senderChanged('gsm0');
  t.match(await rig.settled(id), { state: 'sent' });
});

t.test('nothing goes to a modem that is not ready', async (t) => {
  const rig = await rigFor(t);
  const sender = new ScriptedSender();
  sender.ready = false;
  rig.attach(sender);
  const { id } = await rig.submit(1, 'x');
  await rig.clock.advance(600_000);
  t.equal(sender.given.length, 0);
  t.equal(await rig.state(id), 'queued');
  sender.ready = true;
  rig.outbox.senderChanged('gsm0');
  t.match(await rig.settled(id), { state: 'sent' });
});

t.test('validity', async (t) => {
  const rig = await rigFor(t);
  const short = await rig.submit(1, 'short', { validity: 60 });
  const behind = await rig.submit(1, 'behind');
  const sender = rig.attach(new ScriptedSender().will(rejected(42), rejected(42), rejected(42), rejected(42)));
  await pass(rig.clock, 1000, async () => (await rig.state(short.id)) === 'expired', 'it expires');
  t.match(await rig.get(short.id), { error: /validity ended before it was sent; the last try failed: network/ });
  t.ok(rig.clock.now() - short.time >= 60_000);
  t.match(await rig.settled(behind.id), { state: 'sent' }, 'and does not hold up the next');
  t.strictSame(rig.events, ['failed 1', 'sent 2']);
  const [, , , , last] = sender.given;
  const left = last?.part.validity ?? 0;
  t.ok(left > 47 * 3600 && left <= 48 * 3600 - 60, `TP-VP is what is left: ${left} s`);
});

t.test('a message is not sent before its time, and its validity counts from then', async (t) => {
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender());
  const at = rig.clock.now() + 3 * 3600_000;
  const scheduled = await rig.submit(1, 'scheduled', { notBefore: at, validity: 60 });
  t.equal(scheduled.expires, at + 60_000);
  const now = await rig.submit(1, 'now');
  await rig.settled(now.id);
  await rig.clock.advance(at - rig.clock.now() - 1000);
  t.strictSame(sender.texts, ['now']);
  await rig.clock.advance(1100);
  t.match(await rig.settled(scheduled.id), { state: 'sent' });
});

t.test('high priority goes first, and the order of one recipient stays', async (t) => {
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender());
  const release = sender.block();
  await rig.submit(0, 'first');
  await until(() => sender.given.length === 1, 'it is in hand');
  await rig.submit(1, 'bulk 1', { priority: 0 });
  await rig.submit(1, 'bulk 2', { priority: 0 });
  await rig.submit(2, 'normal 1');
  await rig.submit(3, 'alarm 1', { priority: 3 });
  await rig.submit(1, 'alarm 2', { priority: 3 });
  await rig.submit(2, 'normal 2');
  release();
  await until(idle(rig), 'all are sent');
  t.strictSame(sender.texts, ['first', 'alarm 1', 'alarm 2', 'normal 1', 'normal 2', 'bulk 1', 'bulk 2']);
});

t.test('bulk does not starve behind a stream of alarms', async (t) => {
  const rig = await rigFor(t);
  const sender = new ScriptedSender();
  sender.ready = false;
  rig.attach(sender);
  await rig.submit(1, 'bulk', { priority: 0 });
  await rig.clock.advance(11 * 60_000);
  for (let i = 0; i < 20; i++) await rig.submit(100 + i, `alarm ${i}`, { priority: 3 });
  sender.ready = true;
  rig.outbox.senderChanged('gsm0');
  await until(idle(rig), 'all are sent');
  t.ok(sender.texts.indexOf('bulk') <= 4, `bulk was number ${sender.texts.indexOf('bulk') + 1}`);
});

t.test('a message that rests holds up its recipient, and nobody else', async (t) => {
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender().will(rejected(42)));
  await rig.submit(1, 'a1');
  await rig.submit(1, 'a2');
  await rig.submit(2, 'b1');
  await until(() => sender.given.length === 2, 'the other recipient is served');
  await rig.clock.advance(10_000);
  await until(idle(rig), 'all are sent');
  t.strictSame(sender.texts, ['a1', 'b1', 'a1', 'a2']);
});

t.test('parts of a long message stay together and in order', async (t) => {
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender().will(() => sender.accept(), rejected(42)));
  const long = await rig.submit(1, `${'1'.repeat(153)}${'2'.repeat(153)}${'3'.repeat(10)}`, { priority: 0 });
  await rig.submit(1, 'same recipient', { priority: 3 });
  await rig.submit(2, 'other recipient');
  await until(() => sender.given.length === 3, 'the others go on');
  t.equal(await rig.state(long.id), 'sending');
  await rig.clock.advance(10_000);
  await until(idle(rig), 'all are sent');
  const seen = sender.texts.map((text) => text.slice(0, 4));
  t.strictSame(seen, ['1111', '2222', 'othe', '2222', '3333', 'same']);
  const [first, , , second, third] = sender.given;
  const reference = first?.part.udh[2];
  t.strictSame([...(first?.part.udh ?? [])], [0, 3, reference, 3, 1]);
  t.strictSame([...(second?.part.udh ?? [])], [0, 3, reference, 3, 2]);
  t.strictSame([...(third?.part.udh ?? [])], [0, 3, reference, 3, 3]);
});

t.test('several modems', async (t) => {
  await t.test('share the queue', async (t) => {
    const rig = await rigFor(t);
    for (let i = 0; i < 30; i++) await rig.submit(i, `${i}`);
    const senders = ['gsm0', 'gsm1', 'gsm2'].map((name) => rig.attach(new ScriptedSender(name)));
    await until(idle(rig), 'all are sent');
    t.ok(
      senders.every(({ given }) => given.length >= 5),
      senders.map(({ given }) => given.length).join(),
    );
    t.equal(new Set(senders.flatMap(({ texts }) => texts)).size, 30);
    const before = senders.map(({ given }) => given.length);
    for (let i = 0; i < 6; i++) {
      await rig.settled((await rig.submit(i, 'single')).id);
      await rig.clock.advance(10);
    }
    t.strictSame(
      senders.map(({ given }, i) => given.length - (before[i] ?? 0)),
      [2, 2, 2],
      'single messages are spread as well',
    );
  });
  await t.test('one message goes through one modem', async (t) => {
    const rig = await rigFor(t);
    const [a, b] = [new ScriptedSender('a'), new ScriptedSender('b')];
    const release = a.block();
    rig.attach(a);
    const { id } = await rig.submit(1, 'x'.repeat(400));
    await until(() => a.given.length === 1, 'the first part is in hand');
    rig.attach(b);
    release();
    t.match(await rig.settled(id), { state: 'sent', modem: 'a' });
    t.equal(b.given.length, 0);
  });
  await t.test('a modem that goes away leaves what it has not begun to others', async (t) => {
    const rig = await rigFor(t);
    const [a, b] = [new ScriptedSender('a'), new ScriptedSender('b')];
    a.will(
      (_, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(unavailable), { once: true })),
    );
    rig.attach(a);
    const { id } = await rig.submit(1, 'x');
    const second = await rig.submit(1, 'y');
    await until(() => a.given.length === 1, 'it is in hand');
    await rig.outbox.detach('a');
    rig.attach(b);
    await pass(rig.clock, 1000, idle(rig), 'both are sent');
    t.match([await rig.get(id), await rig.get(second.id)], [{ modem: 'b' }, { modem: 'b' }]);
    t.strictSame(b.texts, ['x', 'y']);
    await rig.outbox.detach('nobody');
  });
  await t.test('a message for one modem waits for it', async (t) => {
    let rig = await rigFor(t);
    const a = rig.attach(new ScriptedSender('a'));
    const pinned = await rig.submit(1, 'for b', { modem: 'b' });
    const other = await rig.submit(1, 'for any');
    t.match(await rig.settled(other.id), { state: 'sent', modem: 'a' });
    t.match(await rig.get(pinned.id), { state: 'queued', modem: 'b' });
    rig = await crashed(t, rig);
    rig.attach(new ScriptedSender('b'));
    t.match(await rig.settled(pinned.id), { state: 'sent', modem: 'b' });
    t.strictSame(a.texts, ['for any']);
  });
});

t.test('the send interval', async (t) => {
  const rig = await rigFor(t);
  const times: number[] = [];
  const sender = new ScriptedSender();
  const accept = () => {
    times.push(rig.clock.monotonic());
    return sender.accept();
  };
  rig.attach(sender.will(accept, accept, accept), { interval: 2000, daily: 0 });
  await rig.submit(1, 'x'.repeat(300));
  await rig.submit(2, 'y');
  await pass(rig.clock, 100, idle(rig), 'all are sent');
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  t.ok(
    gaps.every((gap) => gap >= 2000),
    gaps.join(),
  );
  t.equal(gaps.length, 2);
  rig.outbox.attach(sender, { interval: 0, daily: 0 });
  t.match(await rig.settled((await rig.submit(3, 'z')).id), { state: 'sent' }, 'the limits change without a restart');
});

t.test('the daily limit', async (t) => {
  const clock = new ManualClock(new Date(2026, 2, 1, 22, 0).getTime());
  let rig = await rigFor(t, { clock, compactFrom: 1 });
  let sender = rig.attach(new ScriptedSender(), { interval: 0, daily: 3 });
  await rig.settled((await rig.submit(1, 'x'.repeat(200))).id);
  await rig.submit(2, 'a', { priority: 3 });
  await rig.submit(3, 'b', { priority: 3 });
  await until(() => sender.given.length === 3, 'three parts are sent');
  for (let i = 0; i < 50; i++) {
    const { id } = await rig.submit(9, 'x'.repeat(150), { notBefore: clock.now() + 1000 });
    await rig.outbox.cancel(id);
  }
  for (const { id } of (await rig.outbox.list({ limit: 9, state: 'sent' })).messages) await rig.outbox.delete(id);
  await until(() => Number(rig.journal.status().compactions) > 0, 'it is compacted');
  rig = await crashed(t, rig);
  sender = rig.attach(new ScriptedSender(), { interval: 0, daily: 3 });
  await clock.advance(119 * 60_000);
  t.equal(sender.given.length, 0, 'a restart does not begin the day anew, and an alarm does not pass either');
  await pass(clock, 1000, () => sender.given.length === 1, 'midnight');
  t.equal(dayOf(clock.now()), '2026-03-02');
  t.equal(dayOf(nextDay(clock.now())), '2026-03-03');
});

t.test('a long message is not cut off by the limit of a day', async (t) => {
  const clock = new ManualClock(new Date(2026, 2, 1, 22, 0).getTime());
  const rig = await rigFor(t, { clock });
  const sender = rig.attach(new ScriptedSender(), { interval: 0, daily: 4 });
  await rig.settled((await rig.submit(1, 'one')).id);
  const long = await rig.submit(2, 'x'.repeat(700));
  const short = await rig.submit(3, 'short');
  t.match(await rig.settled(short.id), { state: 'sent' }, 'it holds up nothing that has room');
  t.equal(await rig.state(long.id), 'queued');
  await clock.advance(119 * 60_000);
  t.equal(sender.given.length, 2);
  await pass(clock, 1000, async () => (await rig.state(long.id)) === 'sent', 'the next day it goes as a whole');
  t.equal(sender.given.length, 7, 'also where a day has no room for all of it');
  t.equal(dayOf(clock.now()), '2026-03-02');
  const alarm = await rig.submit(2, 'next');
  await clock.advance(60_000);
  t.equal(await rig.state(alarm.id), 'queued', 'what it took too much counts');
});

t.test('a modem that rested while nothing waited any more holds up nothing that comes later', async (t) => {
  for (const sentBefore of [false, true]) {
    const rig = await rigFor(t);
    rig.attach(new ScriptedSender(), { interval: 30_000, daily: 0 });
    await rig.settled((await rig.submit(1, 'one')).id);
    const second = await rig.submit(2, 'waits for the interval');
    await rig.clock.advance(1_000);
    await rig.outbox.cancel(second.id);
    await rig.clock.advance(40_000);
    if (sentBefore) await rig.settled((await rig.submit(3, 'three')).id);
    const { id } = await rig.submit(4, 'later', { notBefore: rig.clock.now() + 120_000 });
    await pass(rig.clock, 1_000, async () => (await rig.state(id)) === 'sent', 'the scheduled one is sent');
    const sent = await rig.outbox.get(id);
    t.ok(rig.clock.now() - (sent?.time ?? 0) < 160_000, 'at its time');
  }
});

t.test('a recipient who is free again gets what waits on another modem at once', async (t) => {
  const rig = await rigFor(t);
  const [a, b] = [rig.attach(new ScriptedSender('a')), rig.attach(new ScriptedSender('b').will(rejected()))];
  await rig.submit(1, 'refused for now', { modem: 'b' });
  await rig.submit(1, 'by a', { modem: 'a' });
  await until(() => a.given.length === 1, 'a sends without waiting for the next try of b');
  t.strictSame([a.texts, b.texts], [['by a'], ['refused for now']]);
});
