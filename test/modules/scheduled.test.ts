import { scheduledJobs } from 'node-schedule';
import t, { type Test } from 'tap';
import { wake } from '../../src/modules/scheduled/wall-clock.ts';
import { System, type SystemOptions } from '../../src/system/system.ts';
import { hostZone, parsePosixZone, type TimeZone } from '../../src/system/time-zone.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { numberOf, until } from '../support/outbox-rig.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const [ALICE, BOB, CAROL] = [numberOf(1), numberOf(2), numberOf(3)];
const utc = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`);

/** A system with a time zone that the test sets. */
class SystemIn extends System {
  zone: TimeZone;

  constructor(zone: string, options: SystemOptions = {}) {
    super(options);
    this.zone = parsePosixZone(zone) ?? hostZone;
  }

  override async timeZone(): Promise<TimeZone> {
    return this.zone;
  }
}

const msg = (options: Readonly<Record<string, string | number>>): string => {
  const all = { enable: 1, phonenumber: ALICE, message: 'x', ...options };
  const set = Object.entries(all).filter(([, value]) => value !== '');
  return `config msg\n${set.map(([name, value]) => `\toption ${name} '${value}'\n`).join('')}`;
};

interface Start {
  readonly at?: string;
  readonly zone?: string;
  readonly uptime?: () => number;
}

async function open(
  t: Test,
  config: string,
  { at = '2026-01-01 00:00', zone = 'UTC', uptime = () => DAY }: Start = {},
) {
  const root = testFolder(t);
  const system = new SystemIn(zone, { root, uptime });
  const rig = await ModuleRig.open(root, { config, system, clock: new ManualClock(utc(at)) });
  t.teardown(() => rig.close());
  return { rig, system };
}

interface Details {
  readonly time_zone: string;
  readonly clock: string;
  readonly rules: readonly { readonly section: string; readonly next?: string; readonly next_local?: string }[];
}

const details = (rig: ModuleRig) => rig.modules.status('scheduled').details as unknown as Details;
const nexts = (rig: ModuleRig) =>
  details(rig).rules.flatMap(({ next }) => (next === undefined ? [] : [Date.parse(next)]));

const settled = (rig: ModuleRig) => until(() => nexts(rig).every((next) => next > rig.clock.now()), 'all due is sent');

/** Lets time pass up to a time, and a little more where something fires then. It stands still while that is being sent. */
async function pass(rig: ModuleRig, to: string): Promise<void> {
  const end = utc(to);
  await until(() => nexts(rig).length > 0, 'the clock is believed');
  for (;;) {
    const slot = Math.min(...nexts(rig));
    const goal = slot > end ? end : slot + 20_000; // it looks so often
    await rig.clock.advance(Math.max(0, goal - rig.clock.now()));
    await settled(rig);
    if (slot > end) return;
  }
}

/** Sets the clock, and has it noticed. */
async function set(rig: ModuleRig, to: string): Promise<void> {
  await until(() => nexts(rig).length > 0, 'it runs');
  rig.clock.step(utc(to) - rig.clock.now());
  await rig.clock.advance(20_000);
  await settled(rig);
}

/** What was sent: slot and text. */
async function slots(rig: ModuleRig): Promise<readonly string[]> {
  const messages = await rig.outbox();
  return messages.map(({ clientRef, text }) => `${clientRef?.split('/')[1]?.slice(0, 16).replace('T', ' ')} ${text}`);
}

// The first: once it has worked, node-schedule no longer asks.
t.test('where Node has no Intl, the clock wakes', async (t) => {
  const intl = Object.getOwnPropertyDescriptor(globalThis, 'Intl') ?? {};
  Reflect.deleteProperty(globalThis, 'Intl');
  t.teardown(() => Object.defineProperty(globalThis, 'Intl', intl));
  const clock = new ManualClock(Date.now());
  let woken = false;
  const waking = wake(clock, clock.now() + 5_000, new AbortController().signal).then(() => {
    woken = true;
  });
  t.same(scheduledJobs, {});
  await clock.advance(4_999);
  t.notOk(woken);
  await clock.advance(1);
  t.ok(woken);
  await waking;
  t.equal(clock.pending, 0);
});

t.test('each rule sends its own text, to its own recipients, at its own time', async (t) => {
  const config =
    `config modem 'gsm1'\nconfig group\n\toption name 'crew'\n\tlist tel '${BOB}'\n\tlist tel '${CAROL}'\n\tlist tel '${BOB}'\n` +
    msg({ message: 'by default' }) +
    msg({ message: Buffer.from('ąžuolas').toString('base64'), is_b64: 1, hour: 2, minute: 0, phonenumber: BOB }) +
    msg({ message: 'off', enable: 0, hour: 2, minute: 0 }) +
    msg({ message: 'to all', group: 'crew', phonenumber: '', hour: 2, minute: 0, modem: 'gsm1' }) +
    msg({ message: 'once', date: '2026-01-01 02:30' }) +
    msg({ message: 'past', date: '2025-12-31 23:59' }) +
    msg({ message: 'cron', cron: '15,45 3 * * 4' });
  const { rig } = await open(t, config, { at: '2026-01-01 00:00', zone: '<-02>2' });
  await until(() => nexts(rig).length > 0, 'the clock is believed');
  t.same(details(rig), {
    time_zone: '<-02>2',
    clock: 'set',
    rules: [
      { section: '@msg[0]', next: '2026-01-01T03:01:00.000Z', next_local: '2026-01-01 01:01' },
      { section: '@msg[1]', next: '2026-01-01T04:00:00.000Z', next_local: '2026-01-01 02:00' },
      { section: '@msg[3]', next: '2026-01-01T04:00:00.000Z', next_local: '2026-01-01 02:00' },
      { section: '@msg[4]', next: '2026-01-01T04:30:00.000Z', next_local: '2026-01-01 02:30' },
      { section: '@msg[5]', next: '2026-01-01T01:59:00.000Z', next_local: '2025-12-31 23:59' },
      { section: '@msg[6]', next: '2026-01-01T05:15:00.000Z', next_local: '2026-01-01 03:15' },
    ],
  });
  await pass(rig, '2026-01-02 03:30');
  t.same(
    (await rig.outbox()).map(({ number, text, modem, batch }) => [number, text, modem === 'gsm1', batch]),
    [
      [ALICE, 'past', false, undefined],
      [ALICE, 'by default', false, undefined],
      [BOB, 'ąžuolas', false, undefined],
      [BOB, 'to all', true, undefined],
      [CAROL, 'to all', true, 4],
      [ALICE, 'once', false, undefined],
      [ALICE, 'cron', false, undefined],
      [ALICE, 'cron', false, undefined],
      [ALICE, 'by default', false, undefined],
    ],
  );
  t.same(
    (await rig.outbox()).map(({ source }) => source),
    Array(9).fill('scheduled'),
  );
  t.same(rig.modules.status('scheduled').counters, { sent: 9, failed: 0, missed: 0 });
  t.same(details(rig).rules.slice(3, 5), [{ section: '@msg[4]' }, { section: '@msg[5]' }], 'never again');
});

t.test('summer time begins and ends', async (t) => {
  const config = msg({ message: 'a', hour: 3, minute: 30 }) + msg({ message: 'b', cron: '20,40 3 * * *' });
  const zone = 'EET-2EEST,M3.5.0/3,M10.5.0/4';
  const { rig } = await open(t, config, { at: '2026-03-28 20:00', zone });
  await pass(rig, '2026-03-29 23:00');
  t.same(await slots(rig), ['2026-03-29 01:00 a', '2026-03-29 01:00 b'], 'right after, each once');
  await set(rig, '2026-10-24 20:00');
  await pass(rig, '2026-10-25 23:00');
  const autumn = ['2026-10-25 00:20 b', '2026-10-25 00:30 a', '2026-10-25 00:40 b'];
  t.same((await slots(rig)).slice(2), autumn, 'in the first of the two hours only');
});

t.test('a change of the time zone takes effect while it runs', async (t) => {
  const { rig, system } = await open(t, msg({ hour: 12, minute: 0 }), { at: '2026-01-01 09:00' });
  await until(() => nexts(rig).length > 0, 'it runs');
  system.zone = parsePosixZone('EET-2EEST,M3.5.0/3,M10.5.0/4') ?? hostZone;
  await rig.clock.advance(20_000);
  t.same(details(rig).rules[0]?.next, '2026-01-01T10:00:00.000Z');
  await pass(rig, '2026-01-01 13:00');
  t.same(await slots(rig), ['2026-01-01 10:00 x']);
});

t.test('the zone that stands in /etc/config/system', async (t) => {
  const root = testFolder(t, {
    etc: { config: { system: "config system\n\toption timezone 'CET-1CEST,M3.5.0,M10.5.0/3'\n" } },
  });
  const rig = await ModuleRig.open(root, { config: msg({}) });
  t.teardown(() => rig.close());
  await until(() => nexts(rig).length > 0, 'it runs');
  t.match(details(rig), { time_zone: 'CET-1CEST,M3.5.0,M10.5.0/3', rules: [{ next: '2026-01-01T00:01:00.000Z' }] });
});

t.test('the clock jumps', async (t) => {
  const rules = msg({ message: 'h', cron: '30 * * * *' }) + msg({ message: 'd', hour: 10, minute: 45 });
  const catching = msg({ message: 'c', cron: '*/10 * * * *', catch_up: 45 });
  const before = ['2026-05-05 08:30 h', '2026-05-05 09:30 h'];

  t.test('an hour ahead: skipped slots are missed, and made up for once with catch_up', async (t) => {
    const { rig } = await open(t, rules + catching, { at: '2026-05-05 10:05' });
    await pass(rig, '2026-05-05 10:15');
    await set(rig, '2026-05-05 11:15');
    await pass(rig, '2026-05-05 11:35');
    t.same(await slots(rig), [
      ...['2026-05-05 10:10 c', '2026-05-05 11:10 c', '2026-05-05 11:20 c', '2026-05-05 11:30 h', '2026-05-05 11:30 c'],
    ]);
    t.same(rig.modules.status('scheduled').counters, { sent: 5, failed: 0, missed: 2 });
  });

  t.test('slightly: no slot is lost', async (t) => {
    const { rig } = await open(t, rules, { at: '2026-05-05 10:25' });
    await pass(rig, '2026-05-05 10:29');
    await set(rig, '2026-05-05 10:31');
    t.same(await slots(rig), ['2026-05-05 10:30 h']);
  });

  t.test('two hours back: no slot is sent twice, unsent slots are sent', async (t) => {
    const { rig } = await open(t, rules, { at: '2026-05-05 08:00' });
    await pass(rig, '2026-05-05 10:00');
    t.same(await slots(rig), before);
    await set(rig, '2026-05-05 08:00');
    await pass(rig, '2026-05-05 12:00');
    t.same(await slots(rig), [...before, '2026-05-05 10:30 h', '2026-05-05 10:45 d', '2026-05-05 11:30 h']);
    t.equal(rig.modem.given.length, 5);
  });

  t.test('an hour ahead, two hours back, with restarts in between', async (t) => {
    let { rig } = await open(t, rules, { at: '2026-05-05 08:00' });
    await pass(rig, '2026-05-05 09:35');
    rig = await rig.crash();
    t.teardown(() => rig.close());
    await set(rig, '2026-05-05 10:35');
    await pass(rig, '2026-05-05 10:50');
    t.same(await slots(rig), [...before, '2026-05-05 10:45 d']);
    rig.clock.step(-2 * HOUR);
    rig = await rig.crash();
    await until(() => nexts(rig).length > 0, 'it runs');
    await pass(rig, '2026-05-05 11:40');
    const after = ['2026-05-05 10:30 h', '2026-05-05 11:30 h'];
    t.same(await slots(rig), [...before, '2026-05-05 10:45 d', ...after]);
  });

  t.test('five years ahead, and back again', async (t) => {
    let { rig } = await open(t, rules + catching, { at: '2026-05-05 10:05' });
    await pass(rig, '2026-05-05 10:15');
    await set(rig, '2031-05-05 10:15');
    await pass(rig, '2031-05-05 11:05');
    const ahead = ['2026-05-05 10:10 c', '2031-05-05 10:10 c', '2031-05-05 10:20 c', '2031-05-05 10:30 h'];
    ahead.push(
      '2031-05-05 10:30 c',
      '2031-05-05 10:40 c',
      '2031-05-05 10:45 d',
      '2031-05-05 10:50 c',
      '2031-05-05 11:00 c',
    );
    t.same(await slots(rig), ahead);
    rig = await rig.crash();
    t.teardown(() => rig.close());
    await until(() => nexts(rig).length > 0, 'it runs');
    await set(rig, '2026-05-05 10:25');
    await pass(rig, '2026-05-05 10:35');
    t.same(
      (await slots(rig)).slice(ahead.length),
      ['2026-05-05 10:30 h', '2026-05-05 10:30 c'],
      'it does not stand still',
    );
  });
});

t.test('a router without a clock battery', async (t) => {
  const rules = msg({ message: 'm', cron: '* * * * *' }) + msg({ message: 'd', hour: 10, minute: 1, catch_up: 600 });

  t.test('begins in the past: nothing before the clock is set', async (t) => {
    const { rig } = await open(t, rules, { at: '1970-01-01 00:00', uptime: () => 60 });
    await rig.clock.advance(HOUR);
    t.match(details(rig), { clock: 'not set', rules: [{ section: '@msg[0]' }, { section: '@msg[1]' }] });
    t.same(nexts(rig), []);
    rig.clock.step(utc('2026-05-05 12:00') - rig.clock.now());
    await rig.clock.advance(20_000);
    await pass(rig, '2026-05-05 12:02');
    t.equal(details(rig).clock, 'set');
    t.same(await slots(rig), ['2026-05-05 12:01 m', '2026-05-05 12:02 m'], 'and what is new has missed nothing');
  });

  t.test('begins at the time of some file: not believed for an hour', async (t) => {
    let up = DAY;
    const { rig: first } = await open(t, rules, { at: '2026-05-05 10:00', uptime: () => up / 1000 });
    await pass(first, '2026-05-05 10:01');
    first.clock.step(utc('2026-04-05 10:00') - first.clock.now());
    up = 60_000;
    const rig = await first.crash();
    t.teardown(() => rig.close());
    await rig.clock.advance(10 * 60_000);
    t.equal(details(rig).clock, 'not set');
    await rig.clock.step(utc('2026-05-06 10:05') - rig.clock.now());
    await rig.clock.advance(20_000);
    await pass(rig, '2026-05-06 10:06');
    t.same(
      await slots(rig),
      ['2026-05-05 10:01 m', '2026-05-05 10:01 d', '2026-05-06 10:05 m', '2026-05-06 10:01 d', '2026-05-06 10:06 m'],
      'what the power cut cost is made up for',
    );
    rig.clock.step(utc('2026-04-05 10:00') - rig.clock.now());
    up = HOUR;
    const late = await rig.crash();
    t.teardown(() => late.close());
    await until(() => nexts(late).length > 0, 'the clock is believed');
    await pass(late, '2026-04-05 10:02');
    t.same((await slots(late)).slice(5), ['2026-04-05 10:01 m', '2026-04-05 10:01 d', '2026-04-05 10:02 m']);
  });
});

t.test('restarts', async (t) => {
  const daily = (options: Readonly<Record<string, string | number>> = {}) => msg({ hour: 10, minute: 0, ...options });

  t.test('after each record that a message leaves: it is sent once', async (t) => {
    for (const before of [/"k":"submit"/, /"b":"scheduled","k":"[^"]*","v":"2026-05-05T10:00/]) {
      const { rig: first } = await open(t, daily(), { at: '2026-05-05 09:59' });
      await pass(first, '2026-05-05 10:00');
      const rig = await first.crash({ before });
      await until(() => nexts(rig).length > 0, 'it runs');
      await settled(rig);
      t.same(await slots(rig), ['2026-05-05 10:00 x'], `${before}`);
      await rig.close();
    }
  });

  t.test('slots of the meantime are sent when they are not late, or may be late', async (t) => {
    for (const [minutes, catchUp, sent] of [
      [1, 0, true],
      [2, 0, false],
      [30, 30, true],
      [32, 30, false],
      [1440, 10_080, true],
    ] as const) {
      const { rig: first } = await open(
        t,
        daily({ catch_up: catchUp }) + msg({ message: 'weekly', repeats: 'week', weekday: 'wed', catch_up: 10_080 }),
        { at: '2026-05-05 09:59' },
      );
      await until(() => nexts(first).length > 0, 'it runs');
      first.clock.step((minutes + 1) * 60_000);
      const rig = await first.crash();
      await until(() => nexts(rig).length > 0, 'it runs');
      await settled(rig);
      t.same(
        (await slots(rig)).filter((slot) => slot.endsWith('x')).length,
        sent ? 1 : 0,
        `${minutes} of ${catchUp} minutes`,
      );
      t.equal(rig.modules.status('scheduled').counters.missed, sent ? 0 : 1);
      await rig.close();
    }
  });

  t.test('slots sent days ago are not made up for', async (t) => {
    const weekly = msg({ repeats: 'week', weekday: 'tue', hour: 10, minute: 0, catch_up: 10_080 });
    const { rig: first } = await open(t, weekly, { at: '2026-05-05 09:59' });
    await pass(first, '2026-05-05 10:00');
    first.clock.step(4 * DAY);
    const rig = await first.crash();
    t.teardown(() => rig.close());
    await until(() => nexts(rig).length > 0, 'it runs');
    await pass(rig, '2026-05-09 12:00');
    t.same(await slots(rig), ['2026-05-05 10:00 x']);
  });

  t.test('the config changes: a moved rule stays the same, a new rule has no past', async (t) => {
    const late = daily({ message: 'late', catch_up: 600 });
    const { rig } = await open(t, late, { at: '2026-05-05 10:05' });
    await until(() => nexts(rig).length > 0, 'it runs');
    rig.clock.step(DAY);
    await rig.configure(msg({ message: 'new', hour: 9, minute: 0, catch_up: 600 }) + late + late);
    await until(() => nexts(rig).length === 3 && nexts(rig).every((next) => next > rig.clock.now()), 'it runs');
    t.same(await slots(rig), ['2026-05-06 10:00 late'], 'of the twins only the older one');
    await pass(rig, '2026-05-07 10:00');
    t.same((await slots(rig)).slice(1), ['2026-05-07 09:00 new', '2026-05-07 10:00 late', '2026-05-07 10:00 late']);
    t.equal(rig.store.notes.book('scheduled').entries().length, 3);
    await rig.configure(late);
    await until(() => nexts(rig).length === 1, 'it runs');
    t.equal(rig.store.notes.book('scheduled').entries().length, 1, 'rules that are gone are forgotten');
  });
});

t.test('the outbox accepts nothing', async (t) => {
  const full = "config gateway 'gateway'\n\toption queue_limit '1'\n";
  const rules = msg({ hour: 10, minute: 0 }) + msg({ message: 'patient', hour: 10, minute: 0, catch_up: 60 });
  const { rig } = await open(t, full + rules, { at: '2026-05-05 09:59' });
  rig.modem.ready = false;
  const { id } = await rig.store.outbox.submit({
    number: ALICE,
    content: { type: 'text', text: 'first' },
    source: 'test',
  });
  const warnings = () => rig.log.filter((line) => line.includes('cannot be sent now'));
  await rig.clock.advance(5 * 60_000);
  t.equal(warnings().length, 2, 'told once for each');
  t.same(rig.modules.status('scheduled').counters, { sent: 0, failed: 0, missed: 1 });
  await rig.store.outbox.cancel(id);
  await rig.clock.advance(20_000);
  await until(() => nexts(rig).every((next) => next > rig.clock.now()), 'sent');
  t.same(await slots(rig), ['undefined first', '2026-05-05 10:00 patient']);
});

t.test('a message without recipients', async (t) => {
  const config = `config group\n\toption name 'none'\n${msg({ group: 'none', phonenumber: '', hour: 10, minute: 0 })}`;
  const { rig } = await open(t, config, { at: '2026-05-05 09:59' });
  await pass(rig, '2026-05-05 10:01');
  t.same(rig.modules.status('scheduled').counters, { sent: 0, failed: 1, missed: 0 });
  t.same(
    rig.log.filter((line) => line.startsWith('error')),
    ['error scheduled: @msg[0]: not sent: it has no recipient'],
  );
});

t.test('waking', async (t) => {
  const never = new AbortController().signal;
  /** Its timers come only when the test says so: what wakes is node-schedule. */
  const still = () => new ManualClock(Date.now());

  t.test('at the time, by node-schedule', async (t) => {
    const clock = still();
    // So far away that the job is made before, also where the process stands still for a while.
    const at = Date.now() + 2_000;
    await wake(clock, at, never);
    t.ok(Date.now() >= at);
    t.equal(clock.pending, 0);
    t.same(scheduledJobs, {});
  });

  t.test('by the clock, when the time has passed, is far, or is none', async (t) => {
    for (const [at, wait] of [
      [Date.now() - DAY, 0],
      [Date.now() + 400 * DAY, 20_000],
      [undefined, 20_000],
    ] as const) {
      const clock = still();
      let woken = Number.NaN;
      const waking = wake(clock, at, never).then(() => {
        woken = clock.monotonic();
      });
      t.same(scheduledJobs, {});
      await clock.advance(0);
      await clock.advance(20_000);
      await waking;
      t.equal(woken, wait);
      t.equal(clock.pending, 0);
    }
  });

  t.test('when it must stop', async (t) => {
    const clock = still();
    const stop = new AbortController();
    const woken = wake(clock, Date.now() + 10_000, stop.signal);
    t.equal(Object.keys(scheduledJobs).length, 1);
    stop.abort();
    await woken;
    await wake(clock, undefined, stop.signal);
    t.equal(clock.pending, 0);
    t.same(scheduledJobs, {});
  });
});
