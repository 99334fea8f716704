import { type Change, localTimeOf, parseChange, timeMs } from './change.ts';
import type { TimeZone } from './time-zone.ts';

const NAME = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)';
const TIME = '[+-]?[0-9]{1,3}(?::[0-9]{2}){0,2}';
const ZONE = new RegExp(`^${NAME}(${TIME})(?:${NAME}(${TIME})?(?:,([^,]+),([^,]+))?)?$`);
const SUMMER = new RegExp(`^${NAME}${TIME}${NAME}`);

const HOUR_MS = 3_600_000;
/** What POSIX allows, and what no zone comes near. */
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
      // Each is given in the local time that ends with it.
      known = { year, start: localTimeOf(start, year) - standard, end: localTimeOf(end, year) - summer };
    }
    const inside =
      known.start < known.end
        ? instant >= known.start && instant < known.end
        : instant >= known.start || instant < known.end; // south of the equator
    return inside ? summer : standard;
  };
}
