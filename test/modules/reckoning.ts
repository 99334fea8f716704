import { offsetByName } from '../system/zones.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const GRID = 360;

/** When a rule fires, day by day of the local calendar: `times` are minutes of the day. */
export interface Days {
  fires(date: { year: number; month: number; day: number; weekday: number; last: boolean }): boolean;
  readonly times: readonly number[];
}

/**
 * An own reckoning of fire times, by plain counting: every minute of the years is walked through once, and the first in
 * which the clock on the wall shows a local time is noted for it.
 */
export class Reckoning {
  readonly #from: number;
  readonly #to: number;
  readonly #firstLocal: number;
  /** The minute of UTC by the minute of local time. */
  readonly #first: Int32Array;

  /** Both are at midnight, UTC. */
  constructor(zone: string, from: number, to: number) {
    this.#from = from / MINUTE_MS;
    this.#to = to / MINUTE_MS;
    this.#firstLocal = this.#from - 2 * DAY_MINUTES;
    this.#first = new Int32Array(this.#to - this.#from + 4 * DAY_MINUTES).fill(-1);
    this.#walk(offsetByName(zone));
  }

  /** Instants after `from` and up to `to`, in order, each once. */
  times({ fires, times }: Days): readonly number[] {
    const found = new Set<number>();
    // The first of January 1970 was a Thursday.
    let [year, month, day, weekday] = [1970, 1, 1, 4];
    for (let start = 0; start < this.#to + DAY_MINUTES; start += DAY_MINUTES) {
      const last = day === lengthOf(month, year);
      if (start >= this.#from - DAY_MINUTES && fires({ year, month, day, weekday, last })) {
        for (const time of times) found.add(this.#first[start + time - this.#firstLocal] ?? -1);
      }
      weekday = (weekday + 1) % 7;
      day = last ? 1 : day + 1;
      if (last) month = (month % 12) + 1;
      if (last && month === 1) year += 1;
    }
    return [...found]
      .filter((minute) => minute > this.#from && minute <= this.#to)
      .sort((a, b) => a - b)
      .map((minute) => minute * MINUTE_MS);
  }

  #walk(offset: (instant: number) => number): void {
    const end = this.#to + DAY_MINUTES;
    for (let start = this.#from - DAY_MINUTES; start < end; start += GRID) {
      const [before, after] = [offset(start * MINUTE_MS), offset((start + GRID) * MINUTE_MS)];
      for (let minute = start; minute < start + GRID; minute++) {
        const ahead = before === after ? before : offset(minute * MINUTE_MS);
        const at = minute + ahead / MINUTE_MS - this.#firstLocal;
        if (this.#first[at] === -1) this.#first[at] = minute;
      }
    }
    // A local time that was left out: right after.
    for (let at = this.#first.length - 2; at >= 0; at--)
      if (this.#first[at] === -1) this.#first[at] = this.#first[at + 1] ?? -1;
  }
}

function lengthOf(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
