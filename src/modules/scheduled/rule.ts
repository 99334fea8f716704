import { createHash } from 'node:crypto';
import type { MsgConfig } from '../../config/config.ts';

/** One `msg` section that is enabled and says when. */
export interface Rule {
  /** Stays the same over restarts and when other sections come and go, which the name of an unnamed section does not. */
  readonly id: string;
  readonly msg: MsgConfig;
  readonly text: string;
  readonly recurrence: Recurrence;
}

/** The rules of the sections. A rule is identified by its options: an edited rule is a new one. Equal rules are numbered. */
export function rulesOf(messages: readonly MsgConfig[]): readonly Rule[] {
  const twins = new Map<string, number>();
  return messages.flatMap((msg) => {
    const recurrence = msg.enable ? recurrenceOf(msg) : undefined;
    if (recurrence === undefined) return [];
    const digest = digestOf(msg);
    const twin = (twins.get(digest) ?? 0) + 1;
    twins.set(digest, twin);
    return [{ id: twin === 1 ? digest : `${digest}.${twin}`, msg, text: textOf(msg), recurrence }];
  });
}

function digestOf({ section: _, ...options }: MsgConfig): string {
  const sorted = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 16);
}

const textOf = ({ message, is_b64 }: MsgConfig): string =>
  is_b64 ? Buffer.from(message, 'base64').toString('utf8') : message;

/** The first local time at or after `from` at which a rule fires; undefined when it does not fire any more. */
type Recurrence = (from: number) => number | undefined;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** 29 February falls on the same weekday after 28 years, or after 40 across a century without that day. */
const HORIZON_DAYS = 40 * 366;

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const lastDay = '28-31';

type Timing = Pick<MsgConfig, 'repeats' | 'weekday' | 'month' | 'monthday' | 'hour' | 'minute' | 'cron' | 'date'>;

/** Undefined when an option is missing for the interval. */
function recurrenceOf(timing: Timing): Recurrence | undefined {
  const { cron, date, hour, minute } = timing;
  if (date !== undefined) return once(Date.parse(`${date.replace(' ', 'T')}Z`));
  if (cron !== undefined) return fromCrontab(parseCrontab(cron));
  const day = dayTest(timing);
  return day && onDays(day, [(hour * 60 + minute) * MINUTE_MS]);
}

const once =
  (time: number): Recurrence =>
  (from) =>
    from <= time ? time : undefined;

/** Whether a rule fires on the day that begins at this local time. */
type DayTest = (day: Date) => boolean;

function dayTest({ repeats, weekday, month, monthday }: Timing): DayTest | undefined {
  switch (repeats) {
    case 'day':
      return () => true;
    case 'week':
      return weekday === undefined ? undefined : (day) => weekdays[day.getUTCDay()] === weekday;
    case 'month':
      return monthday === undefined ? undefined : (day) => isMonthday(day, monthday);
    case 'year':
      if (month === undefined || monthday === undefined) return undefined;
      return (day) => day.getUTCMonth() + 1 === month && isMonthday(day, monthday);
    default:
      return repeats satisfies never;
  }
}

const isMonthday = (day: Date, wanted: number | typeof lastDay): boolean =>
  wanted === lastDay ? new Date(day.getTime() + DAY_MS).getUTCDate() === 1 : day.getUTCDate() === wanted;

function fromCrontab({ minutes, hours, monthdays, months, weekdays, either }: Crontab): Recurrence {
  const day: DayTest = (day) => {
    const monthday = monthdays.has(day.getUTCDate());
    const weekday = weekdays.has(day.getUTCDay());
    return months.has(day.getUTCMonth() + 1) && (either ? monthday || weekday : monthday && weekday);
  };
  return onDays(
    day,
    [...hours].flatMap((hour) => [...minutes].map((minute) => (hour * 60 + minute) * MINUTE_MS)),
  );
}

/** On each of the days, at each of the times, ms since the day began, in order. */
function onDays(fires: DayTest, times: readonly number[]): Recurrence {
  return (from) => {
    const first = Math.floor(from / DAY_MS) * DAY_MS;
    for (let day = first; day <= first + HORIZON_DAYS * DAY_MS; day += DAY_MS) {
      if (!fires(new Date(day))) continue;
      const time = times.find((time) => day + time >= from);
      if (time !== undefined) return day + time;
    }
    return undefined;
  };
}

/** The five fields of crontab(5), as sets of numbers in order. */
interface Crontab {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly monthdays: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Both day fields are restricted, that is, do not begin with `*`: a match of either is enough. */
  readonly either: boolean;
}

/** Parses a text that the config has accepted as a crontab. */
function parseCrontab(text: string): Crontab {
  const [minute = '', hour = '', monthday = '', month = '', weekday = ''] = text.split(/[ \t]+/);
  return {
    minutes: numbers(minute, 0, 59),
    hours: numbers(hour, 0, 23),
    monthdays: numbers(monthday, 1, 31),
    months: numbers(month, 1, 12),
    weekdays: new Set([...numbers(weekday, 0, 7)].map((day) => day % 7)),
    either: !monthday.startsWith('*') && !weekday.startsWith('*'),
  };
}

/** A list of `*`, `n`, `n-m`, each with or without `/step`; `n/step` runs to the maximum. */
function numbers(field: string, min: number, max: number): ReadonlySet<number> {
  const found = field.split(',').flatMap((part) => {
    const [range = '', step] = part.split('/');
    const [first = min, last = step === undefined ? first : max] =
      range === '*' ? [min, max] : range.split('-').map(Number);
    const count = Math.floor((last - first) / Number(step ?? 1)) + 1;
    return Array.from({ length: count }, (_, i) => first + i * Number(step ?? 1));
  });
  return new Set(found.sort((a, b) => a - b));
}
