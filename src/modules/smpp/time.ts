/** Times as SMPP 3.4 7.1.1 writes them, `YYMMDDhhmmsstnnp`. */

const FORMAT = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d)(\d{2})([-+R])$/;
const QUARTER_MS = 15 * 60_000;
/** Greatest offset of a time zone from UTC, quarter hours. */
const MAX_QUARTERS = 48;

/**
 * The time, ms since the epoch, of an absolute time or of one relative to `now`; undefined for anything else. Relative
 * times are counted in UTC, where every day has 24 hours.
 */
export function parseTime(text: string, now: number): number | undefined {
  const [, ...parts] = FORMAT.exec(text) ?? [];
  if (parts.length === 0) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, tenth = 0, quarters = 0] = parts.map(Number);
  const sign = parts.at(-1);
  if (sign === 'R') return later(now, [year, month, day, hour, minute, second]);
  const local = Date.UTC(2000 + year, month - 1, day, hour, minute, second, tenth * 100);
  // 31 February or 25:00 gives another time.
  if (formatTime(local).slice(0, 12) !== text.slice(0, 12) || quarters > MAX_QUARTERS) return undefined;
  return local - (sign === '+' ? quarters : -quarters) * QUARTER_MS;
}

function later(now: number, [years, months, days, hours, minutes, seconds]: readonly [number, ...number[]]): number {
  const date = new Date(now);
  // Years and months first: their length depends on the date.
  date.setUTCFullYear(date.getUTCFullYear() + years, date.getUTCMonth() + (months ?? 0));
  return date.getTime() + ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}

/** 16 characters, absolute and in UTC. */
export function formatTime(ms: number): string {
  const tenth = Math.floor((ms % 1000) / 100);
  return `${digits(ms).slice(0, 12)}${tenth}00+`;
}

/** `YYMMDDhhmm`, as delivery receipts have it (SMPP 3.4 appendix B). */
export const formatReceiptTime = (ms: number): string => digits(ms).slice(0, 10);

const digits = (ms: number): string => new Date(ms).toISOString().replace(/\D/g, '').slice(2);
