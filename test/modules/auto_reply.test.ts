import t from 'tap';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { until } from '../support/outbox-rig.ts';

const ALICE = '+37060000001';
const BOB = '+37060000002';

type Options = Readonly<Record<string, string | readonly string[]>>;

/** The config of auto reply with these options. */
const config = (options: Options = {}, more = ''): string => {
  const all: Options = { enabled: '1', msg: 'We are closed.', ...options };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    typeof value === 'string' ? [`option ${name} '${value}'`] : value.map((item) => `list ${name} '${item}'`),
  );
  return `config auto_reply 'auto_reply'\n${lines.map((line) => `\t${line}\n`).join('')}\n${more}`;
};

t.test('answers by the modem that received the message', async (t) => {
  const rig = await ModuleRig.open(testFolder(t), { config: config(), modems: ['gsm1'] });
  t.teardown(() => rig.close());
  await rig.receive(ALICE, 'hello');
  await rig.receive(BOB, 'hello', { modem: 'gsm1' });
  await rig.receive(ALICE, 'hello', { modem: 'gone' });
  await rig.handled('auto_reply');
  await until(() => [...rig.modems.values()].flatMap(({ given }) => given).length === 3, 'all are sent');
  t.ok(rig.sent.includes(`${ALICE} We are closed.`));
  t.ok(rig.modems.get('gsm1')?.given.some(({ number }) => number === BOB));
  t.strictSame(
    (await rig.outbox()).map(({ number, source }) => [number, source]),
    [
      [ALICE, 'auto_reply'],
      [BOB, 'auto_reply'],
      [ALICE, 'auto_reply'],
    ],
  );
  t.strictSame(rig.store.inbox.total().used, 3, 'the messages stay');
  t.match(rig.modules.list().find(({ name }) => name === 'auto_reply')?.counters, { replied: 3, refused: 0 });
});

t.test('the senders that get an answer', async (t) => {
  const cases: readonly (readonly [string, Options, string, boolean])[] = [
    ['everyone', {}, BOB, true],
    ['a listed number', { mode: 'list', number: [ALICE] }, ALICE, true],
    ['a listed number in its national form', { mode: 'list', number: [ALICE] }, '860000001', true],
    ['a number that is not listed', { mode: 'list', number: [ALICE] }, BOB, false],
    ['a name', {}, 'MyBank', false],
    ['a name, even without a shortest sender', { min_digits: '0' }, 'MyBank', false],
    ['a short code', {}, '1337', false],
    ['six digits', {}, '370600', false],
    ['seven digits', {}, '3706000', true],
    ['a short code that is allowed', { min_digits: '4' }, '1337', true],
    ['a shorter one', { min_digits: '4' }, '133', false],
  ];
  for (const [what, options, sender, answered] of cases) {
    const rig = await ModuleRig.open(testFolder(t), { config: config(options) });
    await rig.receive(sender, 'hello');
    await rig.handled('auto_reply');
    t.equal((await rig.outbox()).length, answered ? 1 : 0, what);
    await rig.close();
  }
});

t.test('a name of digits is no number, and a number of another country is another number', async (t) => {
  const listed = config({ mode: 'list', number: [ALICE, '12345678'] });
  const cases: readonly (readonly [string, string, boolean, boolean])[] = [
    ['the number', ALICE, false, true],
    ['in national form', '860000001', false, true],
    ['in national form without its prefix', '60000001', false, true],
    ['as a name', ALICE, true, false],
    ['in national form, as a name', '860000001', true, false],
    ['a listed national number', '12345678', false, true],
    ['a listed national number, as a name', '12345678', true, false],
    ['a listed national number, with the code of this country', '+37012345678', false, true],
    ['a number of another country that ends alike', '+4512345678', false, false],
    ['another one that ends alike', '+4660000001', false, false],
  ];
  const rig = await ModuleRig.open(testFolder(t), { config: listed, imsi: '246010000000001' });
  t.teardown(() => rig.close());
  for (const [what, sender, alphanumeric, answered] of cases) {
    const before = (await rig.outbox()).length;
    await rig.receive(sender, 'hello', { alphanumeric });
    await rig.handled('auto_reply');
    t.equal((await rig.outbox()).length - before, answered ? 1 : 0, what);
  }
  await rig.configure(config({ min_digits: '0' }));
  await rig.receive('+4512345678', 'hello', { alphanumeric: true });
  await rig.handled('auto_reply');
  t.notOk(
    (await rig.outbox()).some(({ number }) => number === '+4512345678'),
    'in mode everyone, too',
  );
  t.equal(rig.received.at(-1)?.alphanumeric, true);
});

t.test('answers no flash and no binary messages', async (t) => {
  const rig = await ModuleRig.open(testFolder(t), { config: config() });
  t.teardown(() => rig.close());
  await rig.receive(ALICE, 'Your balance is 3.14', { flash: true });
  await rig.receive(ALICE, '', { binary: { dcs: 0x04, data: Buffer.from('0605040b8423f0', 'hex') } });
  await rig.receive(ALICE, 'hello');
  await rig.handled('auto_reply');
  t.equal((await rig.outbox()).length, 1);
  t.equal(rig.received.length, 3);
});

t.test('every_sms', async (t) => {
  const rule = `config rule 'status'
	option enabled '1'
	option action 'send_status'
	option smstext 'status'
	option authorisation 'password'
	option allowed_phone 'single'
	option tel '${ALICE}'
`;
  const answers = async (text: string, sender: string, every_sms: string) => {
    const rig = await ModuleRig.open(testFolder(t), { config: config({ every_sms }, rule) });
    await rig.receive(sender, text);
    await rig.handled('auto_reply');
    const replies = (await rig.outbox()).filter(({ source }) => source === 'auto_reply');
    await rig.close();
    return replies.length;
  };
  t.equal(await answers('hello', ALICE, '0'), 1);
  t.equal(await answers('secret Status', ALICE, '0'), 0, 'meant for a rule, be the password right or wrong');
  t.equal(await answers('secret Status', ALICE, '1'), 1);
  t.equal(await answers('secret Status', BOB, '0'), 1, 'no rule listens to that phone');
});

t.test('delete_msg deletes every message, answered or not', async (t) => {
  const rig = await ModuleRig.open(testFolder(t), {
    config: config({ delete_msg: '1', mode: 'list', number: [ALICE] }),
  });
  t.teardown(() => rig.close());
  await rig.receive(ALICE, 'hello');
  await rig.receive('MyBank', 'Your code is 1234');
  await rig.receive(BOB, 'hello');
  await rig.handled('auto_reply');
  t.match(rig.store.inbox.total(), { used: 0 });
  t.equal((await rig.outbox()).length, 1, 'the deleted one was answered all the same');
  t.match(rig.modules.list().find(({ name }) => name === 'auto_reply')?.counters, { deleted: 3 });
});

t.test('placeholders are filled in when the answer is made', async (t) => {
  const root = testFolder(t, { proc: { sys: { kernel: { hostname: 'pump-station\n' } } } });
  const msg = '%rn heard %sn at %ss, 100%% sure, %xx';
  const rig = await ModuleRig.open(root, { config: config({ msg }) });
  t.teardown(() => rig.close());
  await rig.receive(ALICE, 'hello');
  await rig.handled('auto_reply');
  t.strictSame(
    (await rig.outbox()).map(({ text }) => text),
    [`pump-station heard ${ALICE} at -71 dBm, 100% sure, %xx`],
  );
});

t.test('a sender gets a limited number of answers an hour', async (t) => {
  const rig = await ModuleRig.open(testFolder(t), { config: config({ max_per_hour: '2' }) });
  let next = rig;
  t.teardown(() => next.close());
  const replies = async (rig: ModuleRig, sender: string) => {
    await rig.receive(sender, 'hello');
    await rig.handled('auto_reply');
    return (await rig.outbox()).filter(({ number }) => number === sender).length;
  };
  t.equal(await replies(rig, ALICE), 1);
  await rig.clock.advance(30 * 60_000);
  t.equal(await replies(rig, ALICE), 2);
  t.equal(await replies(rig, ALICE), 2);
  t.equal(await replies(rig, ALICE), 2);
  t.equal(await replies(rig, BOB), 1, 'the limit is of each sender');
  t.equal(rig.log.filter((line) => /^warning .*not answered/.test(line)).length, 1, 'the log tells it once');
  await rig.configure(config({ max_per_hour: '2', msg: 'Back soon.' }));
  t.equal(await replies(rig, ALICE), 2, 'a reload does not begin the hour anew');
  next = await rig.crash();
  t.equal(await replies(next, ALICE), 2, 'nor does a restart');
  await next.clock.advance(31 * 60_000);
  t.equal(await replies(next, ALICE), 3, 'the first answer is more than an hour ago');
  t.equal(await replies(next, ALICE), 3);
});

t.test('does not answer its own text', async (t) => {
  const rig = await ModuleRig.open(testFolder(t), { config: config({ msg: 'Thank you, we call back. %dt' }) });
  t.teardown(() => rig.close());
  const count = async () => {
    await rig.handled('auto_reply');
    return (await rig.outbox()).length;
  };
  await rig.receive(ALICE, 'Thank you,  we call back. 2026-01-01 00:00:00');
  t.equal(await count(), 0, 'the very text that would be sent, from one who was never answered');
  await rig.receive(ALICE, 'hello');
  t.equal(await count(), 1);
  const [{ text = '' } = {}] = await rig.outbox();
  await rig.clock.advance(60_000);
  await rig.receive(BOB, text);
  t.equal(await count(), 1, 'an answer that was sent, coming from elsewhere');
  await rig.receive(BOB, `Undeliverable: "${text}"`);
  t.equal(await count(), 1, 'quoted');
  await rig.receive(BOB, 'Thank you');
  t.equal(await count(), 2);
});

t.test('a crash between the answer and the end of its delivery sends no second one', async (t) => {
  const rig = await ModuleRig.open(testFolder(t), { config: config({ max_per_hour: '1000' }) });
  await rig.receive(ALICE, 'hello');
  await rig.handled('auto_reply');
  const after = await rig.crash({ before: /"e":"done"/ });
  t.teardown(() => after.close());
  await after.handled('auto_reply');
  const { counters } = after.modules.status('auto_reply');
  t.match(counters, { replied: 1 }, 'the delivery was repeated');
  t.equal((await after.outbox()).length, 1);
});

t.test('two gateways that answer each other stop', async (t) => {
  const clock = new ManualClock();
  const base = testFolder(t, { a: {}, b: {} });
  const a = await ModuleRig.open(`${base}/a`, { config: config({ msg: 'A is away' }), clock });
  const b = await ModuleRig.open(`${base}/b`, { config: config({ msg: 'B is away' }), clock });
  t.teardown(() => Promise.all([a.close(), b.close()]));
  const [numberA, numberB] = [ALICE, BOB];
  let carried = 0;
  /** The network between them: what one sends the other receives. */
  const carry = async (from: ModuleRig, number: string, to: ModuleRig, already: { count: number }) => {
    for (const { text } of from.modem.given.slice(already.count)) {
      already.count += 1;
      carried += 1;
      await to.receive(number, text);
    }
  };
  const [fromA, fromB] = [{ count: 0 }, { count: 0 }];
  await a.receive(numberB, 'hello');
  let quiet = 0;
  await until(async () => {
    const before = carried;
    for (const rig of [a, b]) await rig.handled('auto_reply');
    await carry(a, numberA, b, fromA);
    await carry(b, numberB, a, fromB);
    await clock.advance(1_000);
    quiet = carried === before ? quiet + 1 : 0;
    return quiet > 20;
  }, 'nothing is carried any more');
  t.equal(a.sent.length, 4, 'as often as the limit allows');
  t.equal(b.sent.length, 4);
});
