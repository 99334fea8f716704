import type { Clock } from '../../base/clock.ts';
import { AtError, finalResult } from './answer.ts';

/** What is under way on the line to the modem: at most one at a time. The channel feeds it. */
export interface Exchange {
  /** What the modem may send back as an echo. */
  readonly echo: string;
  /** Information name that only this exchange's answer can have now. */
  readonly expected: string | undefined;
  /** Whether its final result has come. */
  readonly complete: boolean;
  /** A line that is no unsolicited code; false when it does not belong here. */
  line(text: string): boolean;
  prompt(): void;
  /** Ends it from outside: port gone, modem restarted, caller gave up. */
  end(error: AtError): void;
}

export interface CommandOptions {
  /** ms until the answer must be complete; 5,000 when absent. */
  readonly timeout?: number;
  /** ms of silence after which information without a final OK is the whole answer (Wavecom's +CPIN). */
  readonly quiet?: number;
}

const TIMEOUT = 5_000;
/** Lines kept of one answer: a listing of 255 messages has two for each. */
const MAX_LINES = 1_024;

/** `AT+CSQ` → `+CSQ`: the name at the head of its information lines. */
export function informationName(text: string): string | undefined {
  return /^AT([+^*%$#&][A-Z0-9]+)/i.exec(text)?.[1]?.toUpperCase();
}

/** One command on its way: collects the information lines until the final result. */
export class Command implements Exchange {
  readonly echo: string;
  readonly expected: string | undefined;
  readonly result: Promise<readonly string[]>;
  /** Whether the final result came; without it, it may still come in the middle of the next command. */
  complete = false;
  readonly #name: string | undefined;
  readonly #clock: Clock;
  readonly #quiet: number | undefined;
  readonly #lines: string[] = [];
  #settle: { resolve(lines: readonly string[]): void; reject(error: Error): void };
  #cancelTimer: () => void;

  constructor(text: string, options: CommandOptions, clock: Clock) {
    this.echo = text;
    this.#name = informationName(text);
    // The answer to a setting has no information: a line of that name meanwhile is unsolicited.
    this.expected = /=(?!\?)/.test(text) ? undefined : this.#name;
    this.#clock = clock;
    this.#quiet = options.quiet;
    this.#settle = { resolve: () => {}, reject: () => {} };
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const timeout = options.timeout ?? TIMEOUT;
    this.#cancelTimer = clock.after(timeout, () => this.end(new AtError('timeout', `no answer in ${timeout} ms`)));
  }

  line(text: string): boolean {
    const final = finalResult(text);
    if (final !== undefined) {
      this.complete = true;
      this.#cancelTimer();
      if (final.ok) this.#settle.resolve(this.#lines);
      else this.#settle.reject(final.error);
      return true;
    }
    if (!this.#belongs(text)) return false;
    if (this.#lines.length < MAX_LINES) this.#lines.push(text);
    if (this.#quiet !== undefined) this.#endWhenQuiet(this.#quiet);
    return true;
  }

  prompt(): void {}

  end(error: AtError): void {
    this.#cancelTimer();
    this.#settle.reject(error);
  }

  /** Lines of the command's own name, and bare ones: a PDU, a serial number, a manufacturer's name. */
  #belongs(text: string): boolean {
    if (this.#name !== undefined && text.toUpperCase().startsWith(`${this.#name}:`)) return true;
    return !/^[+^*%$#&][A-Z]+:/.test(text);
  }

  #endWhenQuiet(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(ms, () => this.#settle.resolve(this.#lines));
  }
}

/**
 * Finds out which command the modem is answering after an answer was missed. A late OK must not pass for the answer to the next
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

  /** A modem that does not know +CMEE still shows by ERROR that it answers: that counts when `wait` ms are over. */
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
