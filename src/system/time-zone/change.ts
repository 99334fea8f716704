/** When the clock is changed each year: a day, and a local time of it in ms, which may lie days before or behind. */
export type Change = { readonly time: number } & (
  | { readonly type: 'week'; readonly month: number; readonly week: number; readonly weekday: number }
  | { readonly type: 'day'; readonly day: number; readonly countsLeapDay: boolean }
);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FEBRUARY_29 = 59;

/** `Mm.w.d`, `Jn` or `n`, and `/time` where it is not 02:00. Undefined for anything else. */
export function parseChange(text: string): Change | undefined {
  const match = /^(?:M([0-9]{1,2})\.([1-5])\.([0-6])|(J)?([0-9]{1,3}))(?:\/([+-]?[0-9]{1,3}(?::[0-9]{2}){0,2}))?$/.exec(
    text,
  );
  if (match === null) return undefined;
  const [month, week, weekday, day] = [match[1], match[2], match[3], match[5]].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const time = match[6] === undefined ? 2 * HOUR_MS : timeMs(match[6]);
  // RFC 8536 3.3.1 widens the 24 hours of POSIX to a week.
  if (Math.abs(time) >= 168 * HOUR_MS) return undefined;
  if (match[1] !== undefined)
    return month >= 1 && month <= 12 ? { type: 'week', month, week, weekday, time } : undefined;
  const countsLeapDay = match[4] === undefined;
  if (countsLeapDay) return day <= 365 ? { type: 'day', day, countsLeapDay, time } : undefined;
  return day >= 1 && day <= 365 ? { type: 'day', day: day - 1, countsLeapDay, time } : undefined;
}

/** The local time of the change in one year. */
export function localTimeOf(change: Change, year: number): number {
  if (change.type === 'week') return dayInWeek(year, change) + change.time;
  const { day, countsLeapDay, time } = change;
  const isLeap = new Date(Date.UTC(year, 1, 29)).getUTCDate() === 29;
  const passed = countsLeapDay || !isLeap || day < FEBRUARY_29 ? day : day + 1;
  return Date.UTC(year, 0, 1 + passed) + time;
}

/** The nth such weekday of the month; the fifth is the last one. */
function dayInWeek(year: number, { month, week, weekday }: Extract<Change, { type: 'week' }>): number {
  const first = new Date(Date.UTC(year, month - 1, 1)).getUTCDay();
  const day = Date.UTC(year, month - 1, 1 + ((weekday - first + 7) % 7) + 7 * (week - 1));
  return new Date(day).getUTCMonth() === month - 1 ? day : day - 7 * DAY_MS;
}

/** `[+-]hh[:mm[:ss]]` in milliseconds. */
export function timeMs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, '').split(':').map(Number);
  const ms = hours * HOUR_MS + minutes * 60_000 + seconds * 1000;
  return text.startsWith('-') ? -ms : ms;
}
