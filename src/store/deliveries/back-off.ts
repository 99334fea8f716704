const FIRST = 10_000;
const LONGEST = 3_600_000;
const JITTER = 0.25;
/** Longest pause that a receiver may ask for. */
export const LONGEST_ASKED = 86_400_000;

/** Milliseconds before the next try after `attempts` failed ones: 10 s, doubling, an hour at most, a quarter more or less. */
export function backOff(attempts: number, random: () => number, asked = 0): number {
  const pause = Math.min(LONGEST, FIRST * 2 ** Math.min(attempts - 1, 20));
  return Math.max(Math.min(asked, LONGEST_ASKED), Math.round(pause * (1 - JITTER + 2 * JITTER * random())));
}
