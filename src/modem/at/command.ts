import type { Clock } from '../../base/clock.ts';
import { AtError } from './at-error.ts';
import type { Exchange } from './exchange.ts';
import { finalResult } from './final-result.ts';

export interface CommandOptions {
  /** ms until the answer must be complete; 5,000 when absent. */
  readonly timeout?: number;
  /** ms of silence after which information without a final OK is the whole answer (Wavecom's +CPIN). */
  readonly quiet?: number;
}

const TIMEOUT = 5_000;
/** Lines kept of one answer: a listing of 255 messages has two for each. */
const MAX_LINES = 1_024;

/** `AT+CSQ` → `+CSQ`: the name that its information lines bear. */
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
