import t from 'tap';
import type { InboxMessage } from '../../src/store/message.ts';
import { testFolder } from '../support/folder.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { until } from '../support/outbox-rig.ts';

const OWNER = '+37060000001';
const STRANGER = '+37060000002';
const BOSS = '+37060000009';

const config = ({ gateway = '', rule = '', every = '1' }) => `config gateway 'gateway'
${gateway}
config rule 'go'
	option enabled '1'
	option action 'send_sms'
	option smstext 'go on'
	option message 'x'
	list to_number '${BOSS}'
	option allowed_phone 'single'
	option tel '${OWNER}'
${rule}
config rule 'open'
	option enabled '1'
	option action 'send_status'
	option smstext 'now go on'
	option authorisation 'no'
	option message 'free'

config forwarding_to_sms 'forwarding_to_sms'
	option enabled '1'
	option every_sms '${every}'
	list number '${BOSS}'
`;

const HASH = '$1$saltsalt$';

t.test('who reads a message does not read the secret in it', async (t) => {
  const plain = "\toption admin_password 'Geheim77'\n";
  const serial = { gateway: "\toption serial 'AB1234'\n", rule: "\toption authorisation 'serial'\n" };
  const hashed = { gateway: `\toption admin_password '${HASH}abcdefghijklmnopqrstuv'\n` };
  const cases: readonly (readonly [string, Parameters<typeof config>[0], string, string, string])[] = [
    ['a password of a phone that may not trigger', { gateway: plain }, STRANGER, 'Geheim77 go on', '*** go on'],
    ['of one that may', { gateway: plain }, OWNER, ' Geheim77  GO on', ' ***  GO on'],
    ['with a text that is no rule', { gateway: plain }, STRANGER, 'Geheim77 gone', '*** gone'],
    ['alone', { gateway: plain }, OWNER, 'Geheim77', '***'],
    ['in a sentence', { gateway: plain }, STRANGER, 'it is geheim77, go on', 'it is ***, go on'],
    ['a wrong one', { gateway: plain }, STRANGER, 'Geheim78 go on', 'Geheim78 go on'],
    ['a short one', { gateway: "\toption admin_password 'open'\n" }, STRANGER, 'open go on', '*** go on'],
    [
      'a short one in a sentence',
      { gateway: "\toption admin_password 'open'\n" },
      STRANGER,
      'is it open',
      'is it open',
    ],
    ['a serial number', serial, STRANGER, 'ab1234 go on', '*** go on'],
    ['another word in its place', serial, STRANGER, 'please go on', 'please go on'],
    ['a password that only its hash is known of', hashed, STRANGER, 'Geheim77 go on', '*** go on'],
    ['a text that is no rule', hashed, STRANGER, 'Geheim77 gone', 'Geheim77 gone'],
    [
      'a password that no rule asks for now',
      { ...serial, gateway: `${serial.gateway}${plain}` },
      STRANGER,
      'Geheim77 go on',
      '*** go on',
    ],
    ['a rule for everybody', hashed, STRANGER, 'now go on', 'now go on'],
    ['a system without a password', {}, STRANGER, 'Geheim77 go on', '*** go on'],
  ];
  for (const [what, options, sender, text, shown] of cases) {
    await t.test(what, async (t) => {
      const rig = await ModuleRig.open(testFolder(t), { config: config(options) });
      t.teardown(() => rig.close());
      await rig.receive(sender, text);
      await rig.handled('forwarding_to_sms');
      await rig.handled('rules');
      const forwarded = (await rig.outbox()).filter(({ source }) => source === 'forwarding_to_sms');
      t.same(
        forwarded.map((message) => message.text),
        [shown],
        'what leaves',
      );
      t.same(
        rig.received.map((message) => message.text),
        [shown],
        'the event',
      );
      const { messages } = await rig.store.inbox.list({ limit: 10 });
      t.match(messages, [{ text: shown, ...(shown !== text && { masked: true }) }], 'the inbox');
      const [message] = messages as readonly InboxMessage[];
      t.equal((await rig.store.inbox.get(message?.id as never))?.text, shown);
      t.equal((await rig.store.inbox.original(message?.id as never))?.text, text, 'the rules still see it');
      const found = await rig.store.inbox.list({ limit: 10, text: 'geheim77' });
      if (shown.includes('***')) t.same(found.messages, [], 'a search finds no secret');
      t.notOk(
        rig.log.some((line) => line.includes('Geheim77') && text !== shown),
        'nor does the log have it',
      );
    });
  }
});

t.test('a rule with an error takes a secret all the same', async (t) => {
  const plain = "\toption admin_password 'Geheim77'\n";
  const hashed = `\toption admin_password '${HASH}abcdefghijklmnopqrstuv'\n`;
  const serial = "\toption serial 'AB123456'\n";
  const typo = "\toption max_parts '99'\n";
  const cases: readonly (readonly [string, Parameters<typeof config>[0], string, string])[] = [
    ['the password in clear', { gateway: plain, rule: typo }, 'Geheim77 go on', '*** go on'],
    ['another word, as it may be a code', { gateway: plain, rule: typo }, '123456 go on', '*** go on'],
    ['of which there is a hash', { gateway: hashed, rule: typo }, 'Geheim77 go on', '*** go on'],
    ['of root', { rule: typo }, 'Geheim77 go on', '*** go on'],
    ['with a typo in the authorisation', { rule: "\toption authorisation 'passwrd'\n" }, 'Geheim77 go on', '*** go on'],
    ['with more words', { rule: typo }, 'Geheim77 Go  on now', '*** Go  on now'],
    ['a serial number in a sentence', { gateway: serial, rule: typo }, 'it is AB123456', 'it is ***'],
    ['a text that is no rule', { gateway: hashed, rule: typo }, 'Geheim77 gone on', 'Geheim77 gone on'],
  ];
  for (const [what, options, text, shown] of cases) {
    await t.test(what, async (t) => {
      const rig = await ModuleRig.open(testFolder(t), { config: config(options), faulty: true });
      t.teardown(() => rig.close());
      await rig.receive(OWNER, text);
      await rig.handled('forwarding_to_sms');
      const [forwarded] = (await rig.outbox()).filter(({ source }) => source === 'forwarding_to_sms');
      t.equal(forwarded?.text, shown, 'what leaves');
      t.match(rig.received, [{ text: shown }], 'the event');
    });
  }
});

t.test('what is hidden stays hidden when the rules are switched off', async (t) => {
  const gateway = "\toption admin_password 'Geheim77'\n";
  const rig = await ModuleRig.open(testFolder(t), { config: config({ gateway }) });
  t.teardown(() => rig.close());
  await rig.receive(STRANGER, 'Geheim77 go on');
  await rig.handled('forwarding_to_sms');
  await rig.configure(`config gateway 'gateway'\n${gateway}`);
  t.match((await rig.store.inbox.list({ limit: 10 })).messages, [{ text: '*** go on', masked: true }]);
});

t.test('the log says that a phone has a secret which it may not use', async (t) => {
  const gateway = "\toption admin_password 'Geheim77'\n";
  const rig = await ModuleRig.open(testFolder(t), { config: config({ gateway }) });
  t.teardown(() => rig.close());
  await rig.receive(STRANGER, 'Geheim77 go on');
  const lines = () => rig.log.filter((line) => line.includes(STRANGER) && line.includes('has a secret'));
  await until(() => lines().length === 1, 'the line');
  await rig.receive(OWNER, 'Geheim77 go on');
  await until(async () => (await rig.outbox()).some(({ source }) => source === 'rules'), 'the rule is carried out');
  t.equal(lines().length, 1);
});
