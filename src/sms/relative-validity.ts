/** TS 23.040 9.2.3.12.1. */
export interface RelativeValidity {
  readonly format: 'relative';
  /** TP-VP, 0 to 255, see `relativeSeconds`. */
  readonly value: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** Seconds by value. */
const PERIODS: readonly number[] = Array.from({ length: 256 }, (_, value) => {
  if (value <= 143) return (value + 1) * 5 * MINUTE;
  if (value <= 167) return 12 * HOUR + (value - 143) * 30 * MINUTE;
  if (value <= 196) return (value - 166) * DAY;
  return (value - 192) * WEEK;
});

/** Seconds that a relative TP-VP stands for. */
export function relativeSeconds(value: number): number {
  return PERIODS[value & 0xff] ?? 0;
}

/** The longest relative validity that is not longer than asked, within 5 minutes and 63 weeks. */
export function relativeValidity(seconds: number): RelativeValidity {
  const value = PERIODS.findLastIndex((period) => period <= seconds);
  return { format: 'relative', value: Math.max(value, 0) };
}
