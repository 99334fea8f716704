import t from 'tap';
import { testFolder } from '../support/folder.ts';
import { OutboxRig, pass, until } from '../support/outbox-rig.ts';
import { ScriptedSender, unavailable } from '../support/scripted-sender.ts';

t.test('the preferred modem sends what is meant for no other', async (t) => {
  const rig = await OutboxRig.open(testFolder(t));
  const [a, b] = [rig.attach(new ScriptedSender('a')), rig.attach(new ScriptedSender('b'))];
  await rig.outbox.prefer('b');
  for (let n = 0; n < 4; n++) await rig.settled((await rig.submit(n, `text ${n}`)).id);
  await rig.settled((await rig.submit(5, 'for a', { modem: 'a' })).id);
  t.strictSame(b.texts, ['text 0', 'text 1', 'text 2', 'text 3']);
  t.strictSame(a.texts, ['for a']);
  await rig.outbox.prefer(undefined);
  for (let n = 0; n < 4; n++) await rig.settled((await rig.submit(n, 'by turns')).id);
  t.equal(a.given.length, 3);
  t.equal(b.given.length, 6);
  await rig.close();
});

t.test('others step in while it cannot send', async (t) => {
  const rig = await OutboxRig.open(testFolder(t));
  const [a, b] = [rig.attach(new ScriptedSender('a')), rig.attach(new ScriptedSender('b'))];
  await rig.outbox.prefer('b');
  const release = b.block();
  const first = await rig.submit(1, 'one');
  const second = await rig.submit(2, 'two');
  await until(() => b.given.length === 1, 'b has the first one in hand');
  t.strictSame(a.texts, [], 'a is idle, and b busy');
  b.ready = false;
  rig.outbox.senderChanged('b');
  await rig.settled(second.id);
  t.strictSame(a.texts, ['two']);
  release(unavailable);
  await pass(rig.clock, 1_000, async () => (await rig.state(first.id)) === 'sent', 'the first one is sent');
  t.strictSame(a.texts, ['two', 'one']);
  b.ready = true;
  rig.outbox.senderChanged('b');
  await rig.settled((await rig.submit(3, 'three')).id);
  t.strictSame(b.texts, ['one', 'three']);
  await rig.outbox.detach('b');
  await rig.settled((await rig.submit(4, 'four')).id);
  t.strictSame(a.texts, ['two', 'one', 'four']);
  await rig.close();
});

t.test('others step in at once when its day is full, or its limits change', async (t) => {
  for (const change of ['day', 'interval'] as const) {
    const rig = await OutboxRig.open(testFolder(t));
    const sender = new ScriptedSender('a');
    const a = rig.attach(sender, { interval: 0, daily: change === 'day' ? 1 : 0 });
    const b = rig.attach(new ScriptedSender('b'));
    await rig.outbox.prefer('a');
    const release = a.block();
    await rig.submit(1, 'one');
    await rig.submit(2, 'two');
    await until(() => a.given.length === 1, 'a has the first one in hand');
    if (change === 'interval') rig.outbox.attach(sender, { interval: 3_600_000, daily: 0 });
    else release();
    await until(() => b.given.length === 1, `b steps in: ${change}`);
    t.strictSame(b.texts, ['two']);
    release();
    await rig.close();
  }
});

t.test('the preference outlives a crash and compaction', async (t) => {
  const rig = await OutboxRig.open(testFolder(t), { compactFrom: 4_096 });
  await rig.outbox.prefer('b');
  const sender = rig.attach(new ScriptedSender('a'));
  for (let n = 0; n < 40; n++) await rig.settled((await rig.submit(n, 'x'.repeat(150))).id);
  t.equal(sender.given.length, 40, 'a preferred modem that is not there holds nothing up');
  const after = await rig.crash({}, true);
  t.equal(after.outbox.preferred, 'b');
  await after.outbox.prefer(undefined);
  const last = await after.crash();
  t.equal(last.outbox.preferred, undefined);
  await last.close();
});
