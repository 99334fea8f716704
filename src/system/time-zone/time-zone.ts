/**
 * A time zone without Intl, which OpenWrt's Node may lack. Local times are milliseconds too: those that Date.UTC gives for
 * what the calendar and the clock on the wall show.
 */
export interface TimeZone {
  /** As it is configured: a POSIX TZ string where there is one. */
  readonly name: string;
  /** How far local time is ahead of UTC at an instant, ms. */
  readonly offset: (instant: number) => number;
}

const DAY_MS = 24 * 60 * 60_000;

/** The zone that Node's Date goes by. */
export const hostZone: TimeZone = {
  name: 'host',
  offset: (instant) => -60_000 * new Date(instant).getTimezoneOffset(),
};

export const localTime = ({ offset }: TimeZone, instant: number): number => instant + offset(instant);

/**
 * The first instant at which the clock on the wall shows this local time or a later one: of a time that comes twice, the
 * first; for one that is left out when the clock is put forward, the instant right after.
 */
export function firstInstant(zone: TimeZone, local: number): number {
  // No zone is a day away from UTC, so these lie before and after any change of the clock that matters here.
  const offsets = [zone.offset(local - DAY_MS), zone.offset(local + DAY_MS)];
  let from = local - Math.max(...offsets);
  let to = local - Math.min(...offsets);
  // Always so where the clock is not changed around this time, and for the first of two.
  if (localTime(zone, from) >= local) return from;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (localTime(zone, middle) >= local) to = middle;
    else from = middle + 1;
  }
  return to;
}
