import t, { type Test } from 'tap';
import { newFolder } from '../support/folder.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { pass, until } from '../support/outbox-rig.ts';

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

t.test('more than the hour allows waits, over a restart too', async (t) => {
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
  t.same(await b.outbox(), []);
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
