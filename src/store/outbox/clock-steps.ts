import type { Clock } from '../../clock.ts';

/** A router without a battery for its clock begins in the past and is set when the network is there. */
const STEP_MS = 60 * 60_000;

/** Sees that the wall clock was set, by comparing it with the monotonic one. */
export class ClockSteps {
  readonly #clock: Clock;
  #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.now() - clock.monotonic();
  }

  /** Milliseconds by which the clock was set since the last look; 0 for less than an hour. */
  look(): number {
    const offset = this.#clock.now() - this.#clock.monotonic();
    const step = Math.round(offset - this.#offset);
    // Small corrections add up to nothing that matters, and must not pass for a step one day.
    this.#offset = offset;
    return Math.abs(step) < STEP_MS ? 0 : step;
  }
}
