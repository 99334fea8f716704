import { onAbort } from '../../base/abort.ts';

/**
 * What goes first on the one line to the modem: incoming messages free its memory, polling can wait. Requests of people
 * (USSD, AT by hand) take turns with messages to send, or they would time out behind a long queue.
 */
export const priorities = { incoming: 0, submit: 1, poll: 2 } as const;
export type Priority = keyof typeof priorities;

/** A waiter that was passed over this often goes next, so that a flood of one kind cannot starve the others. */
const PATIENCE = 16;

interface Waiter {
  readonly priority: number;
  passedOver: number;
  readonly grant: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * A lock with priorities, first come first served within one. It is handed straight to the next waiter, so that it
 * is never held twice.
 */
export class PriorityLock {
  readonly #waiters: Waiter[] = [];
  #held = false;
  #broken: Error | undefined;

  /** Resolves to the release. Rejects with the signal's reason when it aborts first, or when the lock broke. */
  acquire(priority: Priority, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken);
      if (signal.aborted) return reject(signal.reason);
      if (!this.#held) {
        this.#held = true;
        return resolve(this.#releaseOnce());
      }
      const waiter: Waiter = {
        priority: priorities[priority],
        passedOver: 0,
        grant: () => {
          stopListening();
          resolve(this.#releaseOnce());
        },
        fail: (error) => {
          stopListening();
          reject(error);
        },
      };
      const stopListening = onAbort(signal, () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        waiter.fail(signal.reason);
      });
      this.#waiters.push(waiter);
    });
  }

  /** Rejects all waiters, present and future. */
  break(error: Error): void {
    this.#broken ??= error;
    for (const waiter of this.#waiters.splice(0)) waiter.fail(error);
  }

  #releaseOnce(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#handOver();
    };
  }

  #handOver(): void {
    const next = this.#next();
    this.#held = next !== undefined;
    if (next === undefined) return;
    this.#waiters.splice(this.#waiters.indexOf(next), 1);
    for (const waiter of this.#waiters) waiter.passedOver++;
    next.grant();
  }

  #next(): Waiter | undefined {
    const starved = this.#waiters.find((waiter) => waiter.passedOver >= PATIENCE);
    if (starved !== undefined) return starved;
    return this.#waiters.reduce<Waiter | undefined>(
      (best, waiter) => (best === undefined || waiter.priority < best.priority ? waiter : best),
      undefined,
    );
  }
}
