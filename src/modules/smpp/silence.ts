import type { Clock } from '../../base/clock.ts';

/** Calls back when nothing was heard for a while. Being heard costs no timer. */
export class Silence {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #callback: () => void;
  #heard: number;
  #cancel: (() => void) | undefined;

  /** Begins at once. 0 ms: never calls back. */
  constructor(clock: Clock, ms: number, callback: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#callback = callback;
    this.#heard = clock.monotonic();
    if (ms > 0) this.#wait(ms);
  }

  heard(): void {
    this.#heard = this.#clock.monotonic();
  }

  stop(): void {
    this.#cancel?.();
  }

  #wait(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      const left = this.#heard + this.#ms - this.#clock.monotonic();
      if (left > 0) return this.#wait(left);
      this.#heard = this.#clock.monotonic();
      this.#wait(this.#ms);
      this.#callback();
    });
  }
}
