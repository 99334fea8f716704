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

/** What goes out in front of the question, with the ms of silence behind it. */
interface Opening {
  readonly text: string;
  readonly pause: number;
}

/**
 * The rounds of a resynchronisation: first as if nothing were wrong, then leaving a PDU entry that may be open, then with
 * result codes in words, which another program may have switched off (V.250 6.2.5, 6.2.6), and last out of data mode,
 * whose escape has a second of silence on both sides.
 */
export const resyncRounds: readonly { readonly openings: readonly Opening[]; readonly wait: number }[] = [
  { openings: [], wait: 2_000 },
  { openings: [{ text: '\x1b', pause: 0 }], wait: 2_000 },
  { openings: [{ text: '\x1bATQ0V1\r', pause: 500 }], wait: 3_000 },
  {
    openings: [
      { text: '', pause: 1_100 },
      { text: '+++', pause: 1_100 },
      { text: '\rATH\r', pause: 500 },
      { text: 'ATQ0V1\r', pause: 500 },
    ],
    wait: 4_000,
  },
];

export const silence = () => new AtError('silent', 'the modem does not answer');
