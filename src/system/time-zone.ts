import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPackage } from '../config/uci-parse-lite/index.ts';

/**
 * A time zone without Intl, which OpenWrt's Node may lack. Local times are milliseconds too: those that Date.UTC gives for
 * what the calendar and a wall clock show.
 */
export interface TimeZone {
  /** As it is configured: a POSIX TZ string where there is one. */
  readonly name: string;
  /** How far local time is ahead of UTC at an instant, ms. */
  readonly offset: (instant: number) => number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The zone of Node's Date. */
export const hostZone: TimeZone = {
  name: 'host',
  offset: (instant) => -60_000 * new Date(instant).getTimezoneOffset(),
};

export const localTime = ({ offset }: TimeZone, instant: number): number => instant + offset(instant);

/**
 * The first instant at which a wall clock shows this local time or a later one: of a time that comes twice, the first; for a
 * time that is skipped when the clock is put forward, the instant right after.
 */
export function firstInstant(zone: TimeZone, local: number): number {
  // No zone is a day away from UTC, so these lie before and after any change of the clock that matters here.
  const offsets = [zone.offset(local - DAY_MS), zone.offset(local + DAY_MS)];
  let from = local - Math.max(...offsets);
  let to = local - Math.min(...offsets);
  // True when the clock does not change around this time, and for the first of two.
  if (localTime(zone, from) >= local) return from;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (localTime(zone, middle) >= local) to = middle;
    else from = middle + 1;
  }
  return to;
}

/** When the day of an instant began, and when the next one begins. */
export function dayOf(zone: TimeZone, instant: number): { readonly start: number; readonly end: number } {
  const local = localTime(zone, instant);
  const midnight = local - (local % DAY_MS);
  return { start: firstInstant(zone, midnight), end: firstInstant(zone, midnight + DAY_MS) };
}

const NAME = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)';
const TIME = '[+-]?[0-9]{1,3}(?::[0-9]{2}){0,2}';
const ZONE = new RegExp(`^${NAME}(${TIME})(?:${NAME}(${TIME})?(?:,([^,]+),([^,]+))?)?$`);
const SUMMER = new RegExp(`^${NAME}${TIME}${NAME}`);

/** The limit of POSIX; no real zone comes near it. */
const MAX_OFFSET_MS = 25 * HOUR_MS;

/** As glibc and musl have it for a zone that names no dates. */
const DEFAULT_START = 'M3.2.0';
const DEFAULT_END = 'M11.1.0';

/**
 * The zone of a POSIX TZ string (POSIX 8.3 and the extension of RFC 8536 3.3.1), the form that OpenWrt keeps in
 * /etc/config/system: `EET-2EEST,M3.5.0/3,M10.5.0/4`. Neither V8 nor ICU understands it. Undefined for anything else.
 */
export function parsePosixZone(text: string): TimeZone | undefined {
  // OpenWrt's default, and the only names that mean something without an offset.
  if (text === 'UTC' || text === 'GMT') return { name: text, offset: () => 0 };
  const match = text.length > 200 ? null : ZONE.exec(text);
  const standard = offsetOf(match?.[1]);
  if (standard === undefined) return undefined;
  if (!SUMMER.test(text)) return { name: text, offset: () => standard };
  const summer = match?.[2] === undefined ? standard + HOUR_MS : offsetOf(match[2]);
  const start = parseChange(match?.[3] ?? DEFAULT_START);
  const end = parseChange(match?.[4] ?? DEFAULT_END);
  if (summer === undefined || start === undefined || end === undefined) return undefined;
  return { name: text, offset: summerTime({ standard, summer, start, end }) };
}

/** In POSIX the offset is what must be added to local time: west of Greenwich is positive. */
function offsetOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = -timeMs(text);
  return Math.abs(ms) < MAX_OFFSET_MS ? ms : undefined;
}

interface SummerTime {
  readonly standard: number;
  readonly summer: number;
  readonly start: Change;
  readonly end: Change;
}

function summerTime({ standard, summer, start, end }: SummerTime): TimeZone['offset'] {
  let known = { year: Number.NaN, start: 0, end: 0 };
  return (instant) => {
    const year = new Date(instant + standard).getUTCFullYear();
    if (year !== known.year) {
      // Each change is given in the local time that holds until then.
      known = { year, start: localTimeOf(start, year) - standard, end: localTimeOf(end, year) - summer };
    }
    const inside =
      known.start < known.end
        ? instant >= known.start && instant < known.end
        : instant >= known.start || instant < known.end; // south of the equator
    return inside ? summer : standard;
  };
}

/** When the clock is changed each year: a day, and a local time of it in ms, which may lie days before or behind. */
type Change = { readonly time: number } & (
  | { readonly type: 'week'; readonly month: number; readonly week: number; readonly weekday: number }
  | { readonly type: 'day'; readonly day: number; readonly countsLeapDay: boolean }
);

const FEBRUARY_29 = 59;

/** `Mm.w.d`, `Jn` or `n`, and `/time` where it is not 02:00. Undefined for anything else. */
function parseChange(text: string): Change | undefined {
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
function localTimeOf(change: Change, year: number): number {
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
function timeMs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, '').split(':').map(Number);
  const ms = hours * HOUR_MS + minutes * 60_000 + seconds * 1000;
  return text.startsWith('-') ? -ms : ms;
}

/** The line at the end of a zoneinfo file is far shorter. */
const FOOTER = 256;

/**
 * The time zone that the router is set to. Not that of Node: with ICU it knows zones only by name, and so takes OpenWrt's
 * TZ strings for UTC; and it never learns that the setting has changed. `root` stands in front of /etc and /usr.
 */
export async function routerTimeZone(root: string, tz = process.env.TZ): Promise<TimeZone> {
  const config = await loadPackage(join(root, '/etc/config'), 'system').catch(() => undefined);
  const options = config?.section('@system[0]')?.options;
  const option = (name: string): string => String(options?.get(name)?.value ?? '');
  // RutOS has the name with a capital letter.
  const name = option('zonename') || option('zoneName');
  const configured = parsePosixZone(option('timezone')) ?? (await zoneinfo(root, name));
  return configured ?? parsePosixZone(tz ?? '') ?? hostZone;
}

/** The rules for the present and future that a zoneinfo file ends with, RFC 8536 3.3. */
async function zoneinfo(root: string, name: string): Promise<TimeZone | undefined> {
  if (!/^[A-Za-z0-9_+-]+(?:[/ ][A-Za-z0-9_+-]+)*$/.test(name)) return undefined;
  try {
    const file = await open(join(root, '/usr/share/zoneinfo', name.replaceAll(' ', '_')));
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(FOOTER), 0, FOOTER, Math.max(0, size - FOOTER));
      return parsePosixZone(/\n([^\n]+)\n$/.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? '');
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
