import t, { type Test } from 'tap';
import { type PhoneNumber, parsePhoneNumber } from '../../src/base/phone-number.ts';
import { type CeilingPolicy, ceilingPolicy } from '../../src/config/ceilings.ts';
import { submitToAll } from '../../src/store/group-send.ts';
import type { SubmitRequest } from '../../src/store/outbox/outbox.ts';
import { Tally } from '../../src/store/outbox/tally.ts';
import { crashed, idle, rigFor } from '../support/doubtful-sends.ts';
import { numberOf, type OutboxRig, pass, policy } from '../support/outbox-rig.ts';
import { ScriptedSender } from '../support/scripted-sender.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Options = Parameters<typeof ceilingPolicy>[0];

const none: Options = {
  ...{ sms_per_minute: 0, sms_per_hour: 0, sms_per_day: 0 },
  ...{ recipient_per_minute: 0, recipient_per_hour: 0, recipient_per_day: 0 },
  ...{ function_limit: [], allow_prefix: [], deny_prefix: [] },
};

const ceilings = (own: Partial<Options>): { readonly ceilings: CeilingPolicy } => ({
  ceilings: ceilingPolicy({ ...none, ...own }),
});

const rigWith = (t: Test, own: Partial<Options>): Promise<OutboxRig> => rigFor(t, { policy: ceilings(own) });

function number(text: string): PhoneNumber {
  const parsed = parsePhoneNumber(text);
  if (parsed === undefined) throw new Error(`${text} is no number`);
  return parsed;
}

const to = (rig: OutboxRig, text: string, more: Partial<SubmitRequest> = {}) =>
  rig.outbox.submit({ number: number(text), content: { type: 'text', text: 'x' }, source: 'test', ...more });

/** How many of `count` submits are accepted. */
async function accepted(count: number, submit: (n: number) => Promise<unknown>): Promise<number> {
  let good = 0;
  for (let n = 0; n < count; n++) {
    await submit(n).then(
      () => good++,
      () => undefined,
    );
  }
  return good;
}

t.test('a window slides', async (t) => {
  const tally = new Tally();
  tally.add(0, 3);
  tally.add(30_000, 2);
  t.equal(tally.used(30_000, 'minute'), 5);
  t.equal(tally.used(59_999, 'minute'), 5);
  t.equal(tally.used(66_000, 'minute'), 2);
  t.equal(tally.used(66_000, 'hour'), 5);
  t.equal(tally.roomIn(30_000, 'minute', 5, 1), 35_000, 'when the oldest slot has left the window');
  tally.add(30_000, -2);
  t.equal(tally.used(30_000, 'minute'), 3, 'what is taken back counts no more');
  tally.add(10_000, 1);
  t.equal(tally.used(66_000, 'minute'), 1, 'what comes late counts where it belongs');
  tally.add(25 * HOUR, 1);
  t.equal(tally.used(25 * HOUR, 'day'), 1);
  t.equal(tally.isOver(25 * HOUR), false);
  t.equal(tally.isOver(50 * HOUR), true);
});

t.test('600 messages by mail within seconds: so many as the function may send, and room again later', async (t) => {
  const rig = await rigWith(t, { function_limit: ['pop3 60 300 1000'] });
  const mail = (n: number) => rig.submit(n, 'x', { source: 'pop3' });
  t.equal(await accepted(600, mail), 60);
  await t.rejects(mail(1), {
    code: 'limit_reached',
    whose: 'function',
    message: 'the limit of 60 SMS a minute of pop3 is reached: room again in 65 s',
  });
  t.equal(await accepted(3, (n) => rig.submit(n, 'x', { source: 'rpc' })), 3, 'others are not concerned');
  await rig.clock.advance(66_000);
  t.equal(await accepted(600, mail), 60);
  for (let round = 0; round < 10; round++) {
    await rig.clock.advance(66_000);
    await accepted(60, mail);
  }
  await t.rejects(mail(1), { code: 'limit_reached', message: /300 SMS an hour/ });
  t.match(rig.outbox.ceilings(), { functions: { pop3: { hour: { used: 300, limit: 300 } } } });
});

t.test('the limits of all, of one recipient and of one account', async (t) => {
  const rig = await rigWith(t, {
    ...{ sms_per_minute: 10, recipient_per_minute: 4 },
    function_limit: ['smpp:admin 3 0 0', 'smpp 5 0 0'],
  });
  t.equal(await accepted(9, (n) => rig.submit(n, 'x', { source: 'smpp:admin' })), 3);
  t.equal(await accepted(9, (n) => rig.submit(n, 'x', { source: 'smpp:other' })), 2, 'the function');
  rig.outbox.countries = () => ['370'];
  const forms = ['+37061234567', '861234567', '37061234567', '061234567', '*31#061234567'];
  const results = await Promise.allSettled(forms.map((form) => to(rig, form)));
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
    'a number is the same in each way of writing',
  );
  await t.rejects(to(rig, '+37061234567'), { code: 'limit_reached', whose: 'recipient' });
  await to(rig, '+37061234568');
  await t.rejects(to(rig, '+37061234569'), { code: 'limit_reached', whose: 'all' });
});

t.test('parts are counted, and a message that is longer than the limit goes when nothing else has gone', async (t) => {
  const rig = await rigWith(t, { sms_per_minute: 3 });
  await rig.submit(1, 'x'.repeat(320));
  await t.rejects(rig.submit(2, 'x'), { code: 'limit_reached' });
  await rig.clock.advance(66_000);
  await t.resolves(rig.submit(3, 'x'.repeat(1_000)));
  await t.rejects(rig.submit(4, 'x'), { code: 'limit_reached' });
});

t.test('a repeated request is answered with its message, whatever is used', async (t) => {
  const rig = await rigWith(t, { sms_per_day: 1 });
  const first = await rig.submit(1, 'x', { clientRef: 'a' });
  t.match(await rig.submit(1, 'x', { clientRef: 'a' }), { id: first.id, repeated: true });
  await t.rejects(rig.submit(1, 'x', { clientRef: 'b' }), { code: 'limit_reached' });
});

t.test('what could not be stored does not count', async (t) => {
  const rig = await rigFor(t, { policy: ceilings({ sms_per_day: 1 }), maximum: 1 });
  await t.rejects(rig.submit(1, 'x'), { code: /store_full|queue_full/ });
  t.match(rig.outbox.ceilings(), { all: { day: { used: 0 } } });
});

t.test('the day goes on after a restart', async (t) => {
  await t.test('with what waits, what was sent, what was deleted, and what the journal has left behind', async (t) => {
    const policy = { ...ceilings({ sms_per_day: 8, recipient_per_day: 2 }), keepCount: 1 };
    const rig = await rigFor(t, { policy, compactFrom: 4_000 });
    rig.attach(new ScriptedSender());
    for (let n = 0; n < 5; n++) await rig.submit(n, 'x'.repeat(100));
    await pass(rig.clock, 1_000, idle(rig), 'all are sent');
    await rig.outbox.delete((await rig.submit(5, 'x')).id).catch(() => undefined);
    await pass(rig.clock, 1_000, idle(rig), 'all are sent');
    for (let n = 0; n < 40; n++) await rig.outbox.prefer(`gsm${n}`);
    let next = rig;
    for (let restart = 0; restart < 3; restart++) next = await crashed(t, next);
    t.match(next.outbox.ceilings(), { all: { day: { used: 6, limit: 8 } } });
    t.equal(await accepted(9, (n) => next.submit(n + 20, 'x')), 2);
    await next.clock.advance(25 * HOUR);
    t.equal(await accepted(9, (n) => next.submit(n + 20, 'x')), 8);
  });

  await t.test('where the clock begins in the past', async (t) => {
    const rig = await rigWith(t, { sms_per_day: 3 });
    await rig.submit(1, 'x');
    await rig.clock.advance(30 * HOUR);
    await rig.submit(2, 'x');
    await rig.submit(3, 'x');
    rig.clock.step(-40 * 365 * 24 * HOUR);
    const next = await crashed(t, rig);
    t.match(next.outbox.ceilings(), { all: { day: { used: 2 } } }, 'a day before the latest message does not count');
  });
});

t.test('a group send is all or nothing', async (t) => {
  const rig = await rigWith(t, { sms_per_hour: 10, recipient_per_minute: 1 });
  const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => numberOf(from + n));
  const send = (all: readonly PhoneNumber[], ref?: string) =>
    submitToAll(
      rig.outbox,
      all,
      (each) => ({
        ...{ number: each, content: { type: 'text', text: 'x' }, source: 'rpc' },
        ...(ref !== undefined && { clientRef: `${ref}/${each}` }),
      }),
      { characters: 1, signal: new AbortController().signal },
    );
  const good = (outcomes: Awaited<ReturnType<typeof send>>) => outcomes.filter((each) => 'message' in each).length;
  t.equal(good(await send(numbers(11))), 0, 'more than the limit');
  t.match(rig.outbox.ceilings(), { all: { hour: { used: 0 } } });
  t.equal(good(await send(numbers(6), 'a')), 6);
  t.equal(good(await send(numbers(5, 10))), 0, 'more than the rest');
  t.equal(good(await send(numbers(6), 'a')), 6, 'the same once more gets its messages');
  const mixed = await send([numberOf(0), ...numbers(3, 30)]);
  t.equal(good(mixed), 3, 'the limit of one recipient refuses this one');
  t.match(rig.outbox.ceilings(), { all: { hour: { used: 9 } } }, 'and its room is given back');
});

t.test('a group that is larger than the limit of a minute gets its message when nothing else was sent', async (t) => {
  const rig = await rigWith(t, { function_limit: ['post_get 300 1500 0'] });
  const send = (members: number, text: string) =>
    submitToAll(
      rig.outbox,
      Array.from({ length: members }, (_, n) => numberOf(n)),
      (each) => ({ number: each, content: { type: 'text', text }, source: 'cgi' }),
      { characters: text.length, signal: new AbortController().signal },
    );
  const good = (outcomes: Awaited<ReturnType<typeof send>>) => outcomes.filter((each) => 'message' in each).length;
  t.equal(good(await send(200, 'x'.repeat(200))), 200, '400 parts');
  t.equal(good(await send(2, 'x')), 0, 'and then the minute is full');
  await rig.clock.advance(66_000);
  t.equal(good(await send(600, 'x'.repeat(200))), 0, 'the limit of an hour holds');
});

t.test('what strangers cause leaves room for the alarms of the owner', async (t) => {
  const rig = await rigWith(t, {
    recipient_per_hour: 300,
    sms_per_day: 1000,
    function_limit: ['auto_reply 0 0 0', 'forwarding_to_sms 0 0 0'],
  });
  const owner = '+37061234567';
  const cause = (source: string) => () => to(rig, owner, { source });
  t.equal(await accepted(400, cause('forwarding_to_sms')), 150, 'half of what one number gets');
  t.equal(await accepted(10, cause('auto_reply')), 0, 'of all these functions together');
  t.equal(await accepted(200, cause('cgi')), 150, 'the other half is there for alarms');
  t.equal(await accepted(1000, (n) => rig.submit(n, 'x', { source: 'auto_reply' })), 350, 'half of all');
  t.equal(await accepted(1000, (n) => rig.submit(n, 'x', { source: 'smpp:customer' })), 250, 'but for a tenth');
  t.equal(await accepted(1000, (n) => rig.submit(n, 'x', { source: 'scheduled' })), 100, 'which others find');
});

t.test('a retry and a longer text count', async (t) => {
  const rig = await rigWith(t, { sms_per_minute: 3 });
  const { id } = await rig.submit(1, 'x');
  await t.rejects(rig.outbox.replace(id, { type: 'text', text: 'x'.repeat(500) }), { code: 'limit_reached' });
  await rig.outbox.replace(id, { type: 'text', text: 'x'.repeat(200) });
  t.match(rig.outbox.ceilings(), { all: { minute: { used: 2 } } });
  await rig.outbox.cancel(id);
  await t.rejects(rig.outbox.retry(id), { code: 'limit_reached' });
  await rig.clock.advance(66_000);
  await rig.outbox.retry(id);
  t.match(rig.outbox.ceilings(), { all: { minute: { used: 2 } } });
});

t.test('beginnings of numbers', async (t) => {
  const rig = await rigWith(t, {
    allow_prefix: ['+370', 'pop3 +3706'],
    deny_prefix: ['+370900', 'smpp:guest +3706'],
  });
  rig.outbox.countries = () => ['370'];
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['rpc', '+37061234567', true],
    ['rpc', '+4915112345678', false],
    ['rpc', '861234567', true],
    ['rpc', '+37090012345', false],
    ['rpc', '37090012345', false],
    ['rpc', '890012345', false],
    ['rpc', '*31#890012345', false],
    ['rpc', '#31#+37090012345'.replace('+', ''), false],
    ['pop3', '+37061234567', true],
    ['pop3', '+37051234567', false],
    ['pop3', '+37090012345', false],
    ['smpp:guest', '+37061234567', false],
    ['smpp:guest', '+37051234567', true],
    ['smpp:other', '+37061234567', true],
  ];
  for (const [source, text, passes] of cases) {
    const submitted = to(rig, text, { source });
    if (passes) await t.resolves(submitted, `${source} ${text}`);
    else await t.rejects(submitted, { code: 'number_denied' }, `${source} ${text}`);
  }
});

t.test('no other way to write a number passes by a denied beginning', async (t) => {
  const cases: readonly (readonly [country: string, denied: string, number: string])[] = [
    ['49', '0900', '+49900123456'],
    ['49', '0900', '49900123456'],
    ['49', '00370', '+37061234567'],
    ['36', '0690', '+3690123456'],
    ['39', '0899', '+390899123456'],
    ['1', '+370', '01137061234567'],
    ['7', '+370', '81037061234567'],
    ['370', '+370900', '890012345#'],
    ['370', '+370900', '890012345*1234'],
    ['370', '+370900', '*31#890012345#'],
  ];
  for (const [country, denied, text] of cases) {
    const rig = await rigWith(t, { deny_prefix: [denied] });
    rig.outbox.countries = () => [country];
    await t.rejects(to(rig, text), { code: 'number_denied' }, `${country}: ${denied} and ${text}`);
  }
  const rig = await rigWith(t, { allow_prefix: ['06'] });
  rig.outbox.countries = () => ['370'];
  await t.resolves(to(rig, '+37061234567'), 'an allowed national beginning holds for both forms');
  await t.rejects(to(rig, '0900123456*061234567'), { code: 'number_denied' }, 'and for all that is dialled');
});

t.test('one line of log, however often', async (t) => {
  const rig = await rigWith(t, { function_limit: ['auto_reply 30 200 600'] });
  const lines = () => rig.log.filter((line) => line.includes('limit of'));
  const reply = (n: number) => rig.submit(n, 'x', { source: 'auto_reply' });
  t.equal(await accepted(1_108, reply), 30);
  t.equal(lines().length, 1);
  t.match(lines()[0], /the limit of 30 SMS a minute of auto_reply is reached/);
  t.match(rig.outbox.warnings(), [/of auto_reply is reached: .* \(1078 refused, the last just now\)$/]);
  await rig.clock.advance(4 * MINUTE);
  t.match(rig.outbox.warnings(), [/the last 4 min ago/]);
  await rig.clock.advance(2 * MINUTE);
  t.same(rig.outbox.warnings(), [], 'there is room, and nothing was refused for minutes');
  await rig.clock.advance(2 * HOUR);
  t.same(rig.outbox.warnings(), []);
  await accepted(40, reply);
  t.equal(lines().length, 2);
});

t.test('who reads of a limit reads which option sets it', async (t) => {
  const rig = await rigWith(t, { sms_per_day: 20, recipient_per_hour: 2, function_limit: ['smpp:bulk 3 0 0'] });
  await accepted(4, (n) => rig.submit(n, 'x', { source: 'smpp:bulk' }));
  await accepted(3, () => to(rig, '+37061111111'));
  await accepted(30, (n) => rig.submit(10 + n, 'x', { source: 'rules' }));
  await accepted(30, (n) => rig.submit(50 + n, 'x', { source: 'rpc' }));
  const lines = rig.log.filter((line) => line.includes('limit of'));
  const wanted = [
    /a minute of smpp:bulk is reached: further ones are refused until there is room again; gateway.function_limit sets it/,
    /an hour to \+37061111111 is reached: .*; gateway.recipient_per_hour sets it/,
    /of 10 SMS a day of the functions that strangers can make send is reached: .*; it is half of gateway.sms_per_day/,
    /of 20 SMS a day of all functions together is reached: .*; gateway.sms_per_day sets it/,
  ];
  t.equal(lines.length, wanted.length);
  for (const [i, pattern] of wanted.entries()) t.match(lines[i], pattern);
});

t.test('a warning of a limit stays while there is no room, and goes with the limit', async (t) => {
  const rig = await rigWith(t, { sms_per_day: 5, recipient_per_day: 2 });
  t.equal(await accepted(3, () => to(rig, '+37061111111')), 2);
  t.equal(await accepted(4, (n) => rig.submit(n, 'x', { source: 'test' })), 3);
  await rig.clock.advance(5 * HOUR);
  t.match(rig.outbox.warnings(), [
    /the limit of 2 SMS a day to \+37061111111 is reached: .* \(1 refused, the last 5 h ago\)$/,
    /the limit of 5 SMS a day of all functions together is reached: .* \(1 refused, the last 5 h ago\)$/,
  ]);
  rig.outbox.configure({ ...policy, ...ceilings({ sms_per_day: 5, recipient_per_day: 3 }) });
  t.match(rig.outbox.warnings(), [/of all functions together/], 'a limit that was raised has room');
  t.equal(rig.outbox.warnings().length, 1);
  await rig.clock.advance(20 * HOUR);
  t.same(rig.outbox.warnings(), []);
});

t.test('a warning of a denied number goes some minutes after the last one was refused', async (t) => {
  const rig = await rigWith(t, { deny_prefix: ['+370900'] });
  t.equal(await accepted(2, () => to(rig, '+37090012345')), 0);
  t.match(rig.outbox.warnings(), [/deny_prefix names \(2 refused, the last just now\)$/]);
  await rig.clock.advance(3 * MINUTE);
  t.equal(await accepted(1, () => to(rig, '+37090012345')), 0);
  t.match(rig.outbox.warnings(), [/\(3 refused, the last just now\)$/]);
  await rig.clock.advance(6 * MINUTE);
  t.same(rig.outbox.warnings(), []);
  t.equal(await accepted(1, () => to(rig, '+37090012345')), 0);
  t.match(rig.outbox.warnings(), [/\(1 refused, the last just now\)$/], 'it counts from the start');
  t.equal(rig.log.filter((line) => line.includes('deny_prefix')).length, 1, 'the log has it once an hour');
});
