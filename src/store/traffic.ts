import type { Clock } from '../base/clock.ts';
import type { OutboxState } from './message.ts';

const HOUR = 3_600_000;
/** Hours that are counted: a week. */
export const MAX_HOURS = 168;

export type Direction = 'in' | 'out' | 'failed';

/** One hour of traffic, as its messages came, left and failed. */
export interface HourCount {
  /** Its beginning, ms since the epoch. */
  readonly time: number;
  readonly in: number;
  readonly out: number;
  readonly failed: number;
}

/**
 * Messages by the hour, for the chart of the pages. Counted in memory as things happen: after a restart it knows what the
 * boxes still hold, which costs the flash nothing.
 */
export class Traffic {
  readonly #clock: Clock;
  /** By the number of the hour since the epoch. */
  readonly #hours = new Map<number, Record<Direction, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One message at a time of the past, ms since the epoch; now when absent. */
  count(direction: Direction, at = this.#clock.now()): void {
    this.#count(direction, this.#hourOf(at), this.#hourOf(this.#clock.now()));
  }

  #count(direction: Direction, hour: number, now: number): void {
    // A clock that was set back makes hours of the future.
    if (hour > now || hour <= now - MAX_HOURS) return;
    const counts = this.#hours.get(hour) ?? { in: 0, out: 0, failed: 0 };
    counts[direction] += 1;
    this.#hours.set(hour, counts);
    if (this.#hours.size > MAX_HOURS)
      for (const old of this.#hours.keys()) if (old <= now - MAX_HOURS) this.#hours.delete(old);
  }

  /** Those that are found in the inbox at the start: by when they came, ms since the epoch. */
  received(times: Iterable<number>): void {
    const now = this.#hourOf(this.#clock.now());
    for (const time of times) this.#count('in', this.#hourOf(time), now);
  }

  /** As it was found in the outbox at the start: by the time of its last change. */
  found(state: OutboxState, at: number): void {
    if (state === 'sent' || state === 'delivered' || state === 'undelivered') this.count('out', at);
    else if (state === 'failed' || state === 'expired') this.count('failed', at);
  }

  /** The last hours, oldest first, the one that is under way last. */
  last(hours: number): readonly HourCount[] {
    const now = this.#hourOf(this.#clock.now());
    return Array.from({ length: hours }, (_, i) => {
      const hour = now - hours + 1 + i;
      return { time: hour * HOUR, ...(this.#hours.get(hour) ?? { in: 0, out: 0, failed: 0 }) };
    });
  }

  #hourOf(time: number): number {
    return Math.floor(time / HOUR);
  }
}
