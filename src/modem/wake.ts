import type { Clock } from '../base/clock.ts';

/** A wait that somebody else can cut short. A call that comes while nobody waits ends the next wait at once. */
export class Wake {
  #called = false;
  #resume: (() => void) | undefined;

  call(): void {
    this.#called = true;
    this.#resume?.();
  }

  /** Waits for `call`, at most `ms`; resolves to whether it came. Rejects with the signal's reason. One waiter at a time. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
    await new Promise<void>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const settle = (end: () => void) => () => {
        cancel();
        signal.removeEventListener('abort', onAbort);
        this.#resume = undefined;
        end();
      };
      const onAbort = settle(() => reject(signal.reason));
      const cancel = clock.after(
        ms,
        settle(() => resolve()),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      this.#resume = settle(() => resolve());
      if (this.#called) this.#resume();
    });
    const called = this.#called;
    this.#called = false;
    return called;
  }
}
