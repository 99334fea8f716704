import { deferred, onAbort } from './abort.ts';
import type { Clock } from './clock.ts';

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
    signal.throwIfAborted();
    if (!this.#called) {
      const end = deferred();
      this.#resume = end.resolve;
      const cancel = clock.after(ms, end.resolve);
      const remove = onAbort(signal, () => end.reject(signal.reason));
      try {
        await end.promise;
      } finally {
        this.#resume = undefined;
        cancel();
        remove();
      }
    }
    const called = this.#called;
    this.#called = false;
    return called;
  }
}
