import type { Clock } from '../../base/clock.ts';

/** Lets so many messages a second go by, and a second's worth at once. */
export class Throttle {
  readonly #clock: Clock;
  readonly #rate: number;
  #tokens: number;
  #filled: number;

  /** 0 for no limit. */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = rate;
    this.#filled = clock.monotonic();
  }

  /** Whether one more may go now, or `count` that belong together. */
  take(count = 1): boolean {
    if (this.#rate === 0) return true;
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#filled) / 1000) * this.#rate);
    this.#filled = now;
    if (this.#tokens < 1) return false;
    // More than a second's worth goes through, and is paid for later.
    this.#tokens -= count;
    return true;
  }
}
