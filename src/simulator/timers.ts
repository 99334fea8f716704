import type { Clock } from '../base/clock.ts';

/** Timers with one owner, who ends them all at once. */
export class Timers {
  readonly #clock: Clock;
  /** How to cancel each timer, and whom to call when it is cleared. */
  readonly #running = new Map<() => void, () => void>();
  #cleared = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once after `ms`, never after `clear`; the result cancels it. */
  after(ms: number, callback: () => void, onClear: () => void = () => {}): () => void {
    if (this.#cleared) {
      onClear();
      return () => {};
    }
    const cancelTimer = this.#clock.after(ms, () => {
      this.#running.delete(cancel);
      callback();
    });
    const cancel = () => {
      this.#running.delete(cancel);
      cancelTimer();
    };
    this.#running.set(cancel, onClear);
    return cancel;
  }

  /** Resolves after `ms`, at once for 0, or when the timers are cleared. */
  async wait(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => this.after(ms, resolve, resolve));
  }

  /** Ends all, for good. */
  clear(): void {
    this.#cleared = true;
    for (const [cancel, onClear] of [...this.#running]) {
      cancel();
      onClear();
    }
  }
}
