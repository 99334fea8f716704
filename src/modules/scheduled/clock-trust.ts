/** The year of this release: a clock that shows an earlier one has never been set. */
const RELEASED = 2026;
const DAY_MS = 24 * 3_600_000;
/** By then a router that is to get the time from the network has it, seconds of uptime. */
const SET_BY_S = 3_600;

/**
 * Whether the wall clock can be believed. A router without a battery for it starts in 1970, or at the time of the newest
 * file in /etc, until NTP sets it. `latest` is a time at which the clock stood once.
 */
export function isClockSet(now: number, latest: number, uptime: number): boolean {
  if (new Date(now).getUTCFullYear() < RELEASED) return false;
  return uptime >= SET_BY_S || now > latest - DAY_MS;
}
