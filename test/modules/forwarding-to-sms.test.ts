import t, { type Test } from 'tap';
import { newFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { numberOf, pass, until } from '../support/outbox-rig.ts';

const NAME = 'forwarding_to_sms';

async function rigWith(t: Test, options: string): Promise<ModuleRig> {
  const rig = await ModuleRig.open(newFolder(t), {
    config: `config sms_gateway '${NAME}'\n\toption enabled '1'\n${options}`,
  });
  t.teardown(() => rig.close());
  return rig;
}

async function forwarded(rig: ModuleRig, count: number): Promise<readonly string[]> {
  await rig.handled(NAME);
  await until(() => rig.sent.length >= count, `${count} are sent`);
  return [...rig.sent].sort();
}

t.test('to every recipient, and never back to the sender', async (t) => {
  const rig = await rigWith(t, "\tlist number '0037060000001'\n\tlist number '+37060000002'\n");
  await rig.receive('+37061111111', 'hello');
  t.same(await forwarded(rig, 2), ['+37060000001 hello', '+37060000002 hello']);
  await rig.receive('+37060000001', 'from one of them');
  await rig.handled(NAME);
  await until(() => rig.sent.length === 3, 'the third is sent');
  t.equal(rig.sent[2], '+37060000002 from one of them');
  t.match(rig.modules.list().find(({ name }) => name === NAME)?.counters, { forwarded: 3 });
});

t.test("with the sender's number, long texts split", async (t) => {
  const rig = await rigWith(t, "\tlist number '+37060000001'\n\toption sender_num '1'\n");
  await rig.receive('Bank', 'x'.repeat(400));
  await rig.handled(NAME);
  const [message] = await rig.outbox();
  t.match(message, { text: `${'x'.repeat(400)}\nfrom: Bank`, parts: 3, source: NAME });
});

t.test('a message that cannot be forwarded is logged and rejected, and does not delay others', async (t) => {
  const rig = await rigWith(t, "\tlist number '+37060000001'\n\toption sender_num '0'\n");
  await rig.receive('+37061111111', '');
  await rig.receive('+37061111111', '', { binary: { dcs: 0x04, data: Buffer.from([1, 2, 3]) } });
  await rig.receive('+37061111111', 'after them');
  t.same(await forwarded(rig, 1), ['+37060000001 after them']);
  t.match(rig.log.join('\n'), /message 1 to \+37060000001 rejected: the text is empty/);
  const withSender = await rigWith(t, "\tlist number '+37060000001'\n\toption sender_num '1'\n");
  await withSender.receive('+37061111111', 'ą'.repeat(255 * 67));
  await withSender.receive('+37061111111', 'after it');
  t.same(await forwarded(withSender, 1), ['+37060000001 after it\nfrom: +37061111111']);
  t.match(withSender.log.join('\n'), /rejected: /);
});

t.test('listed senders only, in either form of their number', async (t) => {
  const rig = await rigWith(
    t,
    "\tlist number '+37060000001'\n\toption mode 'list'\n\tlist senders_number '+37062222222'\n",
  );
  await rig.receive('+37061111111', 'no');
  await rig.receive('062222222', 'yes');
  t.same(await forwarded(rig, 1), ['+37060000001 yes']);
});

t.test('messages for a rule', async (t) => {
  const rule = `config rule\n\toption enabled '1'\n\toption action 'send_status'\n\toption smstext 'status'\n\toption authorisation 'no'\n`;
  const without = await rigWith(t, `\tlist number '+37060000001'\n${rule}`);
  await without.receive('+37061111111', 'status');
  await without.receive('+37061111111', 'other');
  await without.handled(NAME);
  t.same(
    (await without.outbox()).filter(({ source }) => source === NAME).map(({ text }) => text),
    ['other'],
  );
  const withRules = await ModuleRig.open(newFolder(t), {
    config: `config sms_gateway '${NAME}'\n\toption enabled '1'\n\toption every_sms '1'\n\tlist number '+37060000001'\n${rule}`,
  });
  t.teardown(() => withRules.close());
  await withRules.receive('+37061111111', 'status');
  await withRules.handled(NAME);
  t.same(
    (await withRules.outbox()).filter(({ source }) => source === NAME).map(({ text }) => text),
    ['status'],
  );
});

t.test('messages beyond max_per_hour wait, also over a restart', async (t) => {
  const rig = await rigWith(t, "\tlist number '+37060000001'\n\toption max_per_hour '3'\n");
  for (let i = 0; i < 5; i++) await rig.receive('+37061111111', `message ${i}`);
  await until(() => rig.sent.length === 3, 'three are sent');
  await until(() => rig.store.deliveries.pending(NAME) === 2, 'two wait');
  const later = await rig.crash();
  t.teardown(() => later.close());
  await until(() => later.store.deliveries.pending(NAME) === 2, 'they wait again');
  t.equal((await later.outbox()).length, 3);
  await pass(later.clock, 60_000, () => later.store.deliveries.pending(NAME) === 0, 'the hour is over');
  t.same(
    (await later.outbox()).map(({ text }) => text),
    [0, 1, 2, 3, 4].map((i) => `message ${i}`),
  );
});

t.test('two gateways that forward to each other stop', async (t) => {
  const config = (to: string) => `config sms_gateway '${NAME}'\n\toption enabled '1'\n\tlist number '${to}'\n`;
  const a = await ModuleRig.open(newFolder(t), { config: config('+37060000002') });
  const b = await ModuleRig.open(newFolder(t), { config: config('+37060000001') });
  t.teardown(() => Promise.all([a.close(), b.close()]));
  await a.receive('+37061111111', 'hello');
  t.same(await forwarded(a, 1), ['+37060000002 hello']);
  await b.receive('+37060000001', 'hello');
  await b.handled(NAME);
  await b.receive('860000001', 'in the national form');
  await b.handled(NAME);
  t.same(await b.outbox(), []);
});

t.test('a ring of three gateways stops at the limit of the hour', async (t) => {
  const limit = 4;
  const clock = new ManualClock();
  const open = (next: string) => {
    const options = `\toption enabled '1'\n\toption max_per_hour '${limit}'\n\tlist number '${next}'\n`;
    return ModuleRig.open(newFolder(t), { config: `config sms_gateway '${NAME}'\n${options}`, clock });
  };
  const [a, b, c] = [await open(numberOf(2)), await open(numberOf(3)), await open(numberOf(1))];
  t.teardown(() => Promise.all([a.close(), b.close(), c.close()]));
  const pending = (rig: ModuleRig) => rig.store.deliveries.pending(NAME);
  let [from, text] = ['+37061111111', 'round and round'];
  for (let hop = 0; hop < 3 * limit; hop++) {
    const rig = [a, b, c][hop % 3] ?? a;
    const before = rig.sent.length;
    await rig.receive(from, text);
    await until(() => rig.sent.length > before, 'it is carried on');
    [from, text] = [numberOf((hop % 3) + 1), rig.modem.given.at(-1)?.text ?? ''];
  }
  await a.receive(from, text);
  await until(() => /had 4 messages within the hour/.test(a.log.join('\n')), 'it is held back');
  await clock.advance(50 * 60_000);
  t.equal(a.sent.length, limit);
  t.equal(pending(a), 1, 'though not lost');
});

t.test('a crash between the two records forwards once', async (t) => {
  const rig = await rigWith(t, "\tlist number '+37060000001'\n");
  await rig.receive('+37061111111', 'once');
  await forwarded(rig, 1);
  const later = await rig.crash({ before: /"e":"done"/ });
  t.teardown(() => later.close());
  await later.handled(NAME);
  t.equal((await later.outbox()).length, 1);
});
