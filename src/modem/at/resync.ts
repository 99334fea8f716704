import type { Clock } from '../../base/clock.ts';
import { AtError } from './at-error.ts';
import type { Exchange } from './exchange.ts';
import { finalResult } from './final-result.ts';

/**
 * Finds out where the modem's answers stand after one was missed. A late OK must not pass for the answer to the next
 * command, so the question has an answer of its own: results in front of `+CMEE:` belong to something older.
 */
export class Resync implements Exchange {
  readonly echo = 'AT+CMEE?';
  readonly expected = '+CMEE';
  /** Resolves to whether the modem said anything that counts. Rejects when ended from outside. */
  readonly result: Promise<boolean>;
  complete = false;
  #heard = false;
  #settle: { resolve(heard: boolean): void; reject(error: Error): void } = { resolve: () => {}, reject: () => {} };
  readonly #cancelTimer: () => void;

  /** A modem that does not know +CMEE still shows by ERROR that it lives: that counts when `wait` ms are over. */
  constructor(wait: number, clock: Clock) {
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#cancelTimer = clock.after(wait, () => this.#settle.resolve(this.#heard));
  }

  line(text: string): boolean {
    if (/^\+CMEE:/.test(text)) {
      this.complete = true;
      return true;
    }
    if (finalResult(text) === undefined) return false;
    this.#heard = true;
    if (this.complete) this.#finish();
    return true;
  }

  prompt(): void {}

  end(error: AtError): void {
    this.#cancelTimer();
    this.#settle.reject(error);
  }

  #finish(): void {
    this.#cancelTimer();
    this.#settle.resolve(true);
  }
}

/** The rounds of a resynchronisation: first as if nothing were wrong, then leaving a PDU entry that may be open. */
export const resyncRounds: readonly { readonly leaveEntry: boolean; readonly wait: number }[] = [
  { leaveEntry: false, wait: 2_000 },
  { leaveEntry: true, wait: 2_000 },
  { leaveEntry: true, wait: 4_000 },
];

export const silence = () => new AtError('silent', 'the modem does not answer');
