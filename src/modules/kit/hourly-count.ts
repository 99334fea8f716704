import type { Clock } from '../../base/clock.ts';

const HOUR_MS = 3_600_000;
/** Keys that are remembered; the one that was counted longest ago makes room. */
const CAPACITY = 1_000;

/** How often something happened within the last hour, by a key such as the sender's number. */
export class HourlyCount {
  readonly #clock: Clock;
  /** Times by the monotonic clock, oldest first. */
  readonly #times = new Map<string, readonly number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(key: string): number {
    return this.#recent(key).length;
  }

  /** Counts one more, which happened `age` milliseconds ago. */
  add(key: string, age = 0): void {
    const times = [...this.#recent(key), this.#clock.monotonic() - age];
    this.#times.delete(key); // so that the map stays ordered by the last time
    this.#times.set(key, times);
    const oldest = this.#times.keys().next();
    if (this.#times.size > CAPACITY && !oldest.done) this.#times.delete(oldest.value);
  }

  #recent(key: string): readonly number[] {
    const since = this.#clock.monotonic() - HOUR_MS;
    return (this.#times.get(key) ?? []).filter((time) => time > since);
  }
}
