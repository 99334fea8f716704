import fc from 'fast-check';
import t from 'tap';
import type { MsgConfig } from '../../src/config/config.ts';
import { isCron } from '../../src/config/value.ts';
import { type Rule, rulesOf } from '../../src/modules/scheduled/rule.ts';
import { Timetable } from '../../src/modules/scheduled/timetable.ts';
import { parsePosixZone, type TimeZone } from '../../src/system/time-zone.ts';
import { zones } from '../system/zones.ts';
import { type Days, Reckoning } from './reckoning.ts';

const FROM = Date.UTC(2026, 0, 1);
const TO = Date.UTC(2029, 0, 1); // 2028 is a leap year
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const plain: MsgConfig = {
  ...{ section: '@msg[0]', enable: true, message: 'x', is_b64: false },
  ...{ repeats: 'day', hour: 1, minute: 1, catch_up: 0 },
};

/** A section, and what it means in the words of the reckoning. */
interface Sample {
  readonly msg: MsgConfig;
  readonly days: Days;
}

const number = (min: number, max: number) => fc.integer({ min, max });
/** Most changes of the clock are at these hours. */
const hours = fc.oneof(number(0, 23), number(0, 4));
const monthdays = fc.oneof(number(1, 31), number(28, 31), fc.constant('28-31' as const));
const isOn = (wanted: number | '28-31', day: number, last: boolean) => (wanted === '28-31' ? last : day === wanted);

const simple: fc.Arbitrary<Sample> = fc
  .record({
    repeats: fc.constantFrom('day', 'week', 'month', 'year'),
    ...{ weekday: fc.constantFrom(...weekdays), month: number(1, 12), monthday: monthdays },
    ...{ hour: hours, minute: number(0, 59) },
  })
  .map((options) => {
    const { repeats, weekday, month, monthday, hour, minute } = options;
    const fires: Days['fires'] = (date) => {
      if (repeats === 'week') return weekdays[date.weekday] === weekday;
      if (repeats === 'year' && date.month !== month) return false;
      return repeats === 'day' || isOn(monthday, date.day, date.last);
    };
    // All options are there, as in a file that was edited: only those of the interval count.
    return { msg: { ...plain, ...options }, days: { fires, times: [hour * 60 + minute] } };
  });

const range = (from: number, to: number, step = 1): readonly number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);

type Field = readonly [text: string, numbers: readonly number[]];
const field = (...rows: readonly Field[]) => fc.constantFrom(...rows);

const crontab: fc.Arbitrary<Sample> = fc
  .tuple(
    field(
      ['5', [5]],
      ['0,30', [0, 30]],
      ['*/20', [0, 20, 40]],
      ['10-12', [10, 11, 12]],
      ['7/25', [7, 32, 57]],
      ['50-59/4', [50, 54, 58]],
    ),
    field(
      ['2', [2]],
      ['3', [3]],
      ['*/6', [0, 6, 12, 18]],
      ['1-3', [1, 2, 3]],
      ['23,0,0', [0, 23]],
      ['*', range(0, 23)],
    ),
    field(
      ['*', range(1, 31)],
      ['1', [1]],
      ['31', [31]],
      ['*/2', range(1, 31, 2)],
      ['1-7', range(1, 7)],
      ['28-31', range(28, 31)],
    ),
    field(
      ['*', range(1, 12)],
      ['2', [2]],
      ['3,10', [3, 10]],
      ['*/3', [1, 4, 7, 10]],
      ['6/3', [6, 9, 12]],
      ['4-4', [4]],
    ),
    field(
      ['*', range(0, 6)],
      ['0', [0]],
      ['7', [0]],
      ['1-5', range(1, 5)],
      ['5,6', [5, 6]],
      ['*/2', [0, 2, 4, 6]],
      ['6-7', [6, 0]],
    ),
  )
  .map(([minute, hour, monthday, month, weekday]) => {
    // crontab(5): where both days are restricted, one is enough; and a star restricts nothing.
    const either = !monthday[0].includes('*') && !weekday[0].includes('*');
    const fires: Days['fires'] = (date) => {
      if (!month[1].includes(date.month)) return false;
      const [a, b] = [monthday[1].includes(date.day), weekday[1].includes(date.weekday)];
      return either ? a || b : a && b;
    };
    const times = hour[1].flatMap((h) => minute[1].map((m) => h * 60 + m));
    const cron = [minute, hour, monthday, month, weekday].map(([text]) => text).join(' ');
    return { msg: { ...plain, repeats: 'year' as const, cron }, days: { fires, times } };
  });

const oneTime: fc.Arbitrary<Sample> = fc.tuple(number(0, 1095), hours, number(0, 59)).map(([days, hour, minute]) => {
  const iso = new Date(FROM + ((days * 24 + hour) * 60 + minute) * 60_000).toISOString();
  const fires: Days['fires'] = ({ year, month, day }) =>
    iso.startsWith([year, month, day].map((n) => String(n).padStart(2, '0')).join('-'));
  return { msg: { ...plain, date: iso.slice(0, 16).replace('T', ' ') }, days: { fires, times: [hour * 60 + minute] } };
});

const sample = fc.oneof(
  { weight: 7, arbitrary: simple },
  { weight: 2, arbitrary: crontab },
  { weight: 1, arbitrary: oneTime },
);

function ruleOf(msg: MsgConfig): Rule {
  if (msg.cron !== undefined && !isCron(msg.cron)) throw new Error(`no crontab: ${msg.cron}`);
  const [rule] = rulesOf([msg]);
  if (rule === undefined) throw new Error(`no rule: ${JSON.stringify(msg)}`);
  return rule;
}

/** What fires when somebody looks at each slot, a little late, with a new timetable now and then. */
function fired(rule: Rule, zone: TimeZone): readonly number[] {
  const instants: number[] = [];
  let now = FROM;
  let table = new Timetable([rule], zone, new Map(), now);
  for (let next = table.next(now); next !== undefined && next <= TO; next = table.next(now)) {
    now = next + ((instants.length * 7919) % 40_000);
    const { due, missed } = table.look(now, zone);
    if (missed.length > 0) throw new Error(`missed ${JSON.stringify(missed)}`);
    for (const { instant } of due) {
      instants.push(instant);
      table.settle(rule, instant);
    }
    if (instants.length % 10 === 0)
      table = new Timetable([rule], zone, new Map([[rule.id, instants.at(-1) ?? 0]]), now);
  }
  return instants;
}

t.test('500 random rules, three years, five zones', async (t) => {
  const samples = fc.sample(sample, 500);
  for (const [name, text] of zones) {
    const zone = parsePosixZone(text);
    if (zone === undefined) throw new Error(text);
    const reckoning = new Reckoning(name, FROM, TO);
    let total = 0;
    const wrong = samples.flatMap(({ msg, days }) => {
      const wanted = reckoning.times(days);
      const found = fired(ruleOf(msg), zone);
      total += wanted.length;
      const at = wanted.findIndex((time, i) => time !== found[i]);
      if (at < 0 && wanted.length === found.length) return [];
      const iso = (time: number | undefined) => (time === undefined ? 'none' : new Date(time).toISOString());
      const place = at < 0 ? wanted.length : at;
      return [`${JSON.stringify(msg)}: wanted ${iso(wanted[place])}, found ${iso(found[place])}`];
    });
    t.same(wrong, [], name);
    t.ok(total > 100_000, `${name}: ${total} times`);
  }
});
