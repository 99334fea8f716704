import type { MsgConfig } from '../../config/config.ts';
import { type Crontab, parseCrontab } from './crontab.ts';

/** The first local time at or after `from` at which a rule fires; undefined when it never does any more. */
export type Recurrence = (from: number) => number | undefined;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The 29th of February may be a certain weekday after 28 years, and after 40 when a century without it lies between. */
const HORIZON_DAYS = 40 * 366;

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const lastDay = '28-31';

type Timing = Pick<MsgConfig, 'repeats' | 'weekday' | 'month' | 'monthday' | 'hour' | 'minute' | 'cron' | 'date'>;

/** Undefined when an option is missing that the interval needs. */
export function recurrenceOf(timing: Timing): Recurrence | undefined {
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
