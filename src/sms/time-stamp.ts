import { SmsError } from './error.ts';
import { OctetReader, type OctetWriter } from './octets.ts';

/** A time with the zone that the service centre gave, TS 23.040 9.2.3.11. Whole seconds. */
export interface TimeStamp {
  /** Milliseconds since the epoch. */
  readonly ms: number;
  /** Minutes east of UTC; undefined when the zone octet is invalid and the time is read as UTC. */
  readonly offset: number | undefined;
  /** ISO 8601 with the offset, `Z` when that is unknown. */
  readonly iso: string;
}

const MINUTE = 60_000;
const QUARTER = 15;
const MAX_QUARTERS = 79;
/** Two-digit years below this are 20yy. There were no messages before 1992. */
const PIVOT = 90;
/** Bit 3 of the zone octet, TS 23.040 9.2.3.11. */
const ZONE_SIGN = 0x08;

const TWO_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));

/** The time stamp of a moment, in whole seconds, seen at an offset of whole quarter hours, up to 19:45 either way. */
export function timeStamp(ms: number, offset = 0): TimeStamp {
  const seconds = Math.floor(ms / 1000) * 1000;
  const local = new Date(seconds + offset * MINUTE);
  return { ms: seconds, offset, iso: `${local.toISOString().slice(0, 19)}${zone(offset)}` };
}

function zone(offset: number | undefined): string {
  if (offset === undefined) return 'Z';
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}`;
}

const OCTETS = 7;

/** The time of a DELIVER or a report. In lenient reading an invalid time is undefined; otherwise as `readTimeStamp`. */
export function readServiceTime(reader: OctetReader, field: string): TimeStamp | undefined {
  if (reader.reading === 'strict') return readTimeStamp(reader, field);
  const octets = reader.octets(Math.min(OCTETS, reader.remaining), field);
  try {
    return readTimeStamp(new OctetReader(octets), field);
  } catch (error) {
    if (error instanceof SmsError) return undefined;
    throw error;
  }
}

/**
 * Digits must be digits and in range, but a month or day of 0 (networks fill unknown times with zeros) reads as the
 * first, and an invalid zone as UTC: a wrong time is no reason to lose a message or a report.
 */
export function readTimeStamp(reader: OctetReader, field: string): TimeStamp {
  const { year, month, day, hour, minute, second, offset, ms } = readTime(reader, field);
  const date = `${year}-${TWO_DIGITS[month]}-${TWO_DIGITS[day]}`;
  const time = `${TWO_DIGITS[hour]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[second]}`;
  return { ms, offset, iso: `${date}T${time}${zone(offset)}` };
}

/** As `readTimeStamp`, without its zone: ms since the epoch. */
export function readTimeStampMs(reader: OctetReader, field: string): number {
  return readTime(reader, field).ms;
}

function readTime(reader: OctetReader, field: string) {
  const shortYear = readDigits(reader, field, 99);
  const year = shortYear + (shortYear < PIVOT ? 2000 : 1900);
  const month = Math.max(readDigits(reader, field, 12), 1);
  const day = dayWithin(year, month, readDigits(reader, field, 31));
  const hour = readDigits(reader, field, 23);
  const minute = readDigits(reader, field, 59);
  const second = readDigits(reader, field, 59);
  const offset = zoneOffset(reader.octet(field));
  const ms = Date.UTC(year, month - 1, day, hour, minute, second) - (offset ?? 0) * MINUTE;
  return { year, month, day, hour, minute, second, offset, ms };
}

function dayWithin(year: number, month: number, day: number): number {
  if (day <= 28) return Math.max(day, 1);
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return Math.min(day, last);
}

function readDigits(reader: OctetReader, field: string, max: number): number {
  const value = unswap(reader.octet(field));
  if (value === undefined || value > max) throw new SmsError('invalid', `${field} is no time`);
  return value;
}

/** Two decimal digits, the low one first; undefined for anything else. */
export function unswap(octet: number): number | undefined {
  const tens = octet & 0x0f;
  const ones = octet >> 4;
  return tens > 9 || ones > 9 ? undefined : tens * 10 + ones;
}

export function swap(value: number): number {
  return ((value % 10) << 4) | Math.floor(value / 10);
}

function zoneOffset(octet: number): number | undefined {
  const quarters = unswap(octet & ~ZONE_SIGN);
  if (quarters === undefined || quarters === 0) return quarters;
  return (octet & ZONE_SIGN) !== 0 ? -quarters * QUARTER : quarters * QUARTER;
}

/**
 * An unknown time is written as zeros, as networks do. Throws SmsError `unencodable` for years outside 1990 to 2089 and offsets
 * that are not whole quarter hours.
 */
export function writeTimeStamp(writer: OctetWriter, time: Pick<TimeStamp, 'ms' | 'offset'> | undefined): void {
  if (time === undefined) {
    writer.octets(new Uint8Array(OCTETS));
    return;
  }
  const { ms, offset = 0 } = time;
  const quarters = Math.abs(offset) / QUARTER;
  const local = new Date(ms + offset * MINUTE);
  const year = local.getUTCFullYear();
  if (!Number.isInteger(quarters) || quarters > MAX_QUARTERS || !(year >= 1900 + PIVOT && year < 2000 + PIVOT)) {
    throw new SmsError('unencodable', `no time stamp: ${ms} ms at ${offset} minutes`);
  }
  writer.octet(swap(year % 100));
  writer.octet(swap(local.getUTCMonth() + 1));
  writer.octet(swap(local.getUTCDate()));
  writer.octet(swap(local.getUTCHours()));
  writer.octet(swap(local.getUTCMinutes()));
  writer.octet(swap(local.getUTCSeconds()));
  writer.octet(swap(quarters) | (offset < 0 ? ZONE_SIGN : 0));
}
