import t, { type Test } from 'tap';
import { testFolder } from '../support/folder.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { until } from '../support/outbox-rig.ts';

const ALICE = '+37060000001';
const BOB = '+37060000002';
const MINUTE = 60_000;

async function open(t: Test, config: string): Promise<ModuleRig> {
  const rig = await ModuleRig.open(testFolder(t), { config });
  t.teardown(() => rig.close());
  return rig;
}

const stranger = (n: number): string => `+3706${1_000_000 + n}`;

t.test('auto replies to forged senders end at the default limit, without a queue and with one line', async (t) => {
  const rig = await open(t, "config auto_reply 'auto_reply'\n\toption enabled '1'\n\toption msg 'We are closed.'\n");
  for (let n = 0; n < 100; n++) await rig.receive(stranger(n), 'hello');
  await rig.handled('auto_reply');
  t.equal((await rig.outbox()).length, 30);
  const lines = rig.log.filter((line) => /limit|not answered/.test(line) && !line.startsWith('debug'));
  t.equal(lines.length, 1, lines.join('\n'));
  t.match(rig.modules.list().find(({ name }) => name === 'auto_reply')?.counters, { replied: 30, refused: 70 });
  await rig.clock.advance(2 * MINUTE);
  await rig.receive(ALICE, 'hello');
  await rig.handled('auto_reply');
  t.equal((await rig.outbox()).length, 31, 'the next one is answered again');
});

t.test('forwarded messages wait for room', async (t) => {
  const rig = await open(
    t,
    `config gateway 'gateway'\n\tlist function_limit 'forwarding_to_sms 2 0 0'\n
config forwarding_to_sms 'forwarding_to_sms'\n\toption enabled '1'\n\tlist number '${BOB}'\n`,
  );
  for (let n = 0; n < 4; n++) await rig.receive(ALICE, `${n}`);
  const refusals = () => rig.log.filter((line) => line.includes('cannot deliver to'));
  await until(() => refusals().length === 1, 'the first two');
  t.equal((await rig.outbox()).length, 2);
  await until(async () => {
    await rig.clock.advance(30_000);
    return (await rig.outbox()).length === 4;
  }, 'the others follow');
  t.same(
    (await rig.outbox()).map(({ text }) => text),
    ['0', '1', '2', '3'],
  );
  t.equal(refusals().length, 1, 'the log has it once');
});

t.test('answers of rules that strangers use up hold back no rule', async (t) => {
  const rule = (name: string, options: string) => `config rule '${name}'\n\toption enabled '1'\n${options}\n`;
  const rig = await open(
    t,
    `config gateway 'gateway'\n\tlist function_limit 'rules 2 0 0'\n
${rule('ask', "\toption action 'send_status'\n\toption smstext 'status'\n\toption authorisation 'no'\n\toption message 'here'\n")}
${rule('say', `\toption action 'send_sms'\n\toption smstext 'say'\n\toption authorisation 'no'\n\toption message 'x'\n\tlist to_number '${BOB}'\n`)}`,
  );
  for (let n = 0; n < 10; n++) await rig.receive(stranger(n), 'status');
  await rig.receive(ALICE, 'say');
  await rig.handled('rules');
  t.equal((await rig.outbox()).length, 2);
  t.match(rig.modules.list().find(({ name }) => name === 'rules')?.counters, { executed: 10, failed: 1 });
  t.equal(rig.log.filter((line) => /say .*failed: the limit of 2 SMS a minute of rules/.test(line)).length, 1);
});

t.test('a message at a time of day: who has had enough holds back nobody', async (t) => {
  const rig = await open(
    t,
    `config gateway 'gateway'\n\toption recipient_per_day '1'\n
config group\n\toption name 'all'\n\tlist tel '${ALICE}'\n\tlist tel '${BOB}'\n
config msg 'daily'\n\toption enable '1'\n\toption message 'x'\n\toption group 'all'\n\toption cron '* * * * *'\n`,
  );
  await rig.store.outbox.submit({ number: ALICE as never, content: { type: 'text', text: 'before' }, source: 'rpc' });
  await until(async () => {
    await rig.clock.advance(MINUTE / 2);
    return (await rig.outbox()).some(({ number }) => number === BOB);
  }, 'the other one has it');
  t.equal((await rig.outbox()).filter(({ number }) => number === ALICE).length, 1);
});

t.test('an alarm by SMS, which no other limit stops, and no more than ten a day', async (t) => {
  const rig = await open(
    t,
    `config gateway 'gateway'
	option sms_per_day '3'
	list deny_prefix '${BOB}'
	list alarm_number '${BOB}'\n`,
  );
  const submit = (n: number, source: string) =>
    rig.store.outbox.submit({ number: stranger(n) as never, content: { type: 'text', text: 'x' }, source });
  for (let n = 0; n < 5; n++) await submit(n, 'rpc').catch(() => undefined);
  await until(async () => (await rig.outbox()).length === 4, 'the alarm');
  const [alarm] = (await rig.outbox()).filter(({ source }) => source === 'alarms');
  t.match(alarm, { number: BOB, priority: 3, text: /the limit of 3 SMS a day of all functions together is reached/ });
  const handled = () => {
    const { sms = 0, failed = 0 } = rig.modules.list().find(({ name }) => name === 'alarms')?.counters ?? {};
    return sms + failed;
  };
  for (let hour = 1; hour <= 20; hour++) {
    await rig.clock.advance(61 * MINUTE);
    await submit(1, 'rpc').catch(() => undefined);
    await until(() => handled() >= hour + 1, 'it is handled');
  }
  t.equal((await rig.outbox()).filter(({ source }) => source === 'alarms').length, 10);
});
