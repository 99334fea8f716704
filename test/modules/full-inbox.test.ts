/** What the functions get while the inbox has no room, and what becomes of it. */
import t from 'tap';
import { testFolder } from '../support/folder.ts';
import { ModuleRig } from '../support/module-rig.ts';

const BOSS = '+37069999999';
const ALICE = '+37060000001';
const BOB = '+37060000002';

const config = (more = '') => `
config gateway 'gateway'
	option capacity '10'
	option admin_password 'Geheim7'

config modem 'gsm0'
	option device 'sim'

${more}`;

const forwarding = `
config sms_gateway 'forwarding_to_sms'
	option enabled '1'
	option sender_num '0'
	option mode 'list'
	list senders_number '${ALICE}'
	list number '${BOSS}'
`;

async function full(base: string, more: string): Promise<ModuleRig> {
  const rig = await ModuleRig.open(base, { config: config(more) });
  for (let n = 0; n < 10; n++) await rig.receive(BOB, `junk ${n}`);
  for (const name of ['forwarding_to_sms', 'rules', 'auto_reply']) await rig.handled(name);
  return rig;
}

const used = (rig: ModuleRig) => rig.store.inbox.total().used;

t.test('a forward gets its messages, short and long, and over a crash', async (t) => {
  let rig = await full(testFolder(t), forwarding);
  await t.rejects(rig.receive(BOB, 'more junk'), { code: 'store_full' });
  await rig.receive(ALICE, 'alarm');
  await rig.receive(ALICE, 'long '.repeat(60));
  rig = await rig.crash();
  await rig.handled('forwarding_to_sms');
  t.same(
    (await rig.outbox()).map(({ number, content }) => `${number} ${content.type === 'text' ? content.text : ''}`),
    [`${BOSS} alarm`, `${BOSS} ${'long '.repeat(60)}`],
  );
  t.equal(used(rig), 10);
  t.match(rig.store.inbox.status(), { passing: 0, incomplete: 0 });
  await rig.close();
});

t.test('a message whose forward fails for good comes into the inbox, beyond its capacity', async (t) => {
  const first = await full(testFolder(t), forwarding);
  await first.receive(ALICE, 'alarm');
  await first.handled('forwarding_to_sms');
  const other = config(forwarding.replace(`list number '${BOSS}'`, `list number '+37068888888'`));
  const rig = await first.crash({ before: /"out",/, config: other });
  await rig.handled('forwarding_to_sms');
  t.same(await rig.outbox(), []);
  t.equal(used(rig), 11);
  const { messages } = await rig.store.inbox.list({ limit: 100 });
  t.match(messages.at(-1), { number: ALICE, text: 'alarm', state: 'unread' });
  await rig.close();
});

t.test('an auto reply, also one that deletes what it answers, is no reason to take a message in', async (t) => {
  for (const deletes of ['0', '1']) {
    const reply = (discards: string) => `
config auto_reply 'auto_reply'
	option enabled '1'
	option delete_msg '${discards}'
	option msg 'closed'
`;
    const rig = await full(testFolder(t), reply('0'));
    await rig.configure(config(reply(deletes)));
    const before = (await rig.outbox()).length;
    await t.rejects(rig.receive(ALICE, 'hello'), { code: 'store_full' });
    t.equal((await rig.outbox()).length, before);
    await rig.close();
  }
});

t.test('a rule with a wrong password is refused, and its message goes', async (t) => {
  const rule = `
config rule 'status'
	option enabled '1'
	option action 'send_status'
	option smstext 'status'
	option message 'signal %ss'
`;
  const rig = await full(testFolder(t), rule);
  await rig.receive(ALICE, 'wrong status');
  await rig.handled('rules');
  await rig.receive(ALICE, 'Geheim7 status');
  await rig.handled('rules');
  t.match(await rig.outbox(), [{ number: ALICE, content: { text: /^signal/ } }]);
  t.equal(used(rig), 10);
  t.match(rig.store.inbox.status(), { passing: 0 });
  await rig.close();
});
