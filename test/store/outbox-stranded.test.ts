import t from 'tap';
import type { MessageId } from '../../src/store/message.ts';
import type { SendOutcome } from '../../src/store/sender.ts';
import { crashed, idle, rigFor } from '../support/doubtful-sends.ts';
import { heldDisk } from '../support/held-disk.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type OutboxRig, pass, until } from '../support/outbox-rig.ts';
import { rejected, ScriptedSender, silent, unavailable } from '../support/scripted-sender.ts';

/** Eight in the morning: a day lies ahead. */
const morning = () => new ManualClock(new Date(2026, 2, 1, 8, 0).getTime());
const sentTo = (rig: OutboxRig, id: MessageId) => async () => (await rig.state(id)) === 'sent';

/** The modem takes the first part of a message, and is gone with this outcome of the second. */
function diesInSecondPart(rig: OutboxRig, modem: ScriptedSender, outcome: SendOutcome): void {
  modem.will(
    () => modem.accept(),
    async () => {
      modem.ready = false;
      rig.outbox.senderChanged(modem.name);
      return outcome;
    },
  );
}

t.test('the rest of a long message whose modem is gone holds up nobody', async (t) => {
  const rig = await rigFor(t);
  const [a, b] = [new ScriptedSender('a'), new ScriptedSender('b')];
  diesInSecondPart(rig, a, unavailable);
  rig.attach(a);
  const long = await rig.submit(1, 'x'.repeat(400));
  await until(() => a.given.length === 2, 'the second part is in hand');
  const alarm = await rig.submit(1, 'alarm', { priority: 3 });
  rig.attach(b);
  t.match(await rig.settled(alarm.id), { state: 'sent', modem: 'b' });
  t.equal(await rig.state(long.id), 'sending');
  const second = await rig.submit(1, 'y'.repeat(400));
  t.match(await rig.settled(second.id), { state: 'sent', modem: 'b' });
  a.ready = true;
  rig.outbox.senderChanged('a');
  await pass(rig.clock, 1000, async () => (await rig.state(long.id)) === 'sent', 'the rest goes when it is back');
  t.match(await rig.get(long.id), { modem: 'a' });
});

t.test('the rest of a long message whose modem is gone can be taken back', async (t) => {
  let rig = await rigFor(t);
  const a = new ScriptedSender('a');
  a.will(() => a.accept(), unavailable);
  rig.attach(a);
  const { id } = await rig.submit(1, 'x'.repeat(400));
  await until(() => a.given.length === 2, 'the second part is in hand');
  await t.rejects(rig.outbox.cancel(id), { code: 'wrong_state' }, 'it goes on before long');
  await rig.outbox.detach('a');
  rig = await crashed(t, rig);
  t.match(await rig.outbox.cancel(id), { state: 'cancelled' });
  const b = rig.attach(new ScriptedSender('b'));
  t.match(await rig.settled((await rig.submit(1, 'next')).id), { state: 'sent' });
  t.strictSame(b.texts, ['next']);
});

t.test('a cancel that the disk refuses changes nothing', async (t) => {
  const disk = heldDisk();
  const rig = await rigFor(t, { fileSystem: disk.fileSystem });
  const a = new ScriptedSender('a');
  diesInSecondPart(rig, a, unavailable);
  rig.attach(a);
  const { id } = await rig.submit(1, 'x'.repeat(400));
  await until(async () => a.given.length === 2 && (await rig.get(id)).error !== undefined, 'the outcome is written');
  const go = disk.hold();
  const cancelled = t.rejects(rig.outbox.cancel(id), { code: 'store_unavailable' });
  await until(() => disk.isWriting, 'the cancel is under way');
  go('EIO');
  await cancelled;
  disk.hold()();
  a.ready = true;
  rig.outbox.senderChanged('a');
  await pass(rig.clock, 1_000, sentTo(rig, id), 'the rest is sent');
  t.strictSame(
    a.given.filter(({ taken }) => taken).map(({ part }) => part.udh?.at(-1)),
    [1, 2, 3],
    'and no part twice',
  );
});

t.test('a message that has no room in the day of the preferred modem goes by another', async (t) => {
  const rig = await rigFor(t, { clock: morning() });
  const a = rig.attach(new ScriptedSender('a'), { interval: 0, daily: 4 });
  const b = rig.attach(new ScriptedSender('b'));
  await rig.outbox.prefer('a');
  for (let n = 0; n < 3; n++) await rig.settled((await rig.submit(n, 'short')).id);
  t.equal(a.given.length, 3);
  t.match(await rig.settled((await rig.submit(9, 'x'.repeat(400))).id), { state: 'sent', modem: 'b' });
  t.match(await rig.settled((await rig.submit(8, 'short')).id), { modem: 'a' }, 'what has room still goes by it');
  t.equal(b.given.length, 3);
});

t.test('a preferred modem whose SIM is barred holds up nothing', async (t) => {
  const rig = await rigFor(t);
  const a = new ScriptedSender('a');
  rig.attach(a.will(...Array.from({ length: 100 }, () => rejected(8))));
  const b = rig.attach(new ScriptedSender('b'));
  await rig.outbox.prefer('a');
  for (let n = 0; n < 40; n++) await rig.submit(n, 'x');
  const begun = rig.clock.monotonic();
  await pass(rig.clock, 100, idle(rig), 'all are sent');
  t.equal(b.given.length, 40);
  t.ok(rig.clock.monotonic() - begun < 60_000, 'within a minute');
});

t.test('a message that a barred SIM refuses waits for a modem that is away for a moment', async (t) => {
  const rig = await rigFor(t);
  const [a, b] = [new ScriptedSender('a'), new ScriptedSender('b')];
  rig.attach(a.will(...Array.from({ length: 100 }, () => rejected(8))));
  b.ready = false;
  rig.attach(b);
  const { id } = await rig.submit(1, 'x');
  await until(() => a.given.length === 1, 'a was asked');
  await rig.clock.advance(8_000);
  t.equal(await rig.state(id), 'queued');
  b.ready = true;
  rig.outbox.senderChanged('b');
  await pass(rig.clock, 1_000, sentTo(rig, id), 'b sends it');
  t.match(await rig.get(id), { modem: 'b' });
});

t.test('a modem that dies in the middle of a part holds up nobody either', async (t) => {
  const rig = await rigFor(t);
  const a = new ScriptedSender('a');
  diesInSecondPart(rig, a, silent);
  rig.attach(a);
  const long = await rig.submit(1, 'x'.repeat(400));
  await until(() => a.given.length === 2, 'the second part is in hand');
  rig.attach(new ScriptedSender('b'));
  await rig.outbox.detach('a');
  const alarm = await rig.submit(1, 'alarm', { priority: 3 });
  await pass(rig.clock, 10_000, sentTo(rig, alarm.id), 'the alarm is sent');
  t.equal(await rig.state(long.id), 'sending');
  await t.rejects(rig.outbox.cancel(long.id), { code: 'wrong_state' }, 'its second part was perhaps sent');
});

t.test('what begun messages still need counts for the limit of the day', async (t) => {
  const rig = await rigFor(t, { clock: morning() });
  const a = new ScriptedSender('a');
  // The first part of each goes, the second has to wait.
  for (let n = 0; n < 15; n++) a.will(() => a.accept(), rejected(42));
  rig.attach(a, { interval: 0, daily: 10 });
  for (let n = 0; n < 15; n++) await rig.submit(n, 'x'.repeat(700));
  for (let n = 0; n < 12 * 60; n++) await rig.clock.advance(60_000);
  await until(() => rig.outbox.counts().sent === 2, 'two are sent');
  t.equal(rig.outbox.sentToday('a'), 10);
});

t.test('a slow modem is none that is away', async (t) => {
  const rig = await rigFor(t);
  const a = rig.attach(new ScriptedSender('a'), { interval: 120_000, daily: 0 });
  const { id } = await rig.submit(1, 'x'.repeat(400));
  await until(() => a.given.length === 1, 'it is begun');
  await rig.clock.advance(10_000);
  await t.rejects(rig.outbox.cancel(id), { code: 'wrong_state' });
});

t.test('messages keep their order when the first is diverted', async (t) => {
  const rig = await rigFor(t);
  const [a, b] = [new ScriptedSender('a'), new ScriptedSender('b')];
  const release = b.block();
  rig.attach(b);
  const busy = await rig.submit(5, 'keeps b busy');
  await until(() => b.given.length === 1, 'b is busy');
  const bars = a.block();
  rig.attach(a.will(...Array.from({ length: 20 }, () => rejected(8))));
  await rig.submit(1, 'one');
  await rig.submit(1, 'two');
  release();
  await rig.settled(busy.id);
  bars(rejected(8));
  await pass(rig.clock, 100, idle(rig), 'both are sent');
  t.strictSame(b.texts.slice(1), ['one', 'two']);
});

t.test('one whose rest waits does not let a third between the parts of the second', async (t) => {
  const rig = await rigFor(t);
  const [a, b, c] = [new ScriptedSender('a'), new ScriptedSender('b'), new ScriptedSender('c')];
  diesInSecondPart(rig, a, unavailable);
  rig.attach(a);
  await rig.submit(1, '1'.repeat(400));
  await until(() => a.given.length === 2, 'the second part is in hand');
  rig.attach(b, { interval: 10_000, daily: 0 });
  const second = await rig.submit(1, '2'.repeat(400));
  await until(() => b.given.length === 1, 'the second is begun');
  await rig.clock.advance(7_000);
  rig.attach(c);
  const third = await rig.submit(1, '3');
  t.equal(await rig.state(third.id), 'queued');
  await pass(rig.clock, 1_000, sentTo(rig, second.id), 'the second is sent');
  await pass(rig.clock, 1_000, sentTo(rig, third.id), 'and then the third');
});
