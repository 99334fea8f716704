import type { Logger } from '../base/log.ts';

/** Kinds of faults that are told apart; more would be a fault of their own. */
const MAX_KINDS = 100;

/** A fault that repeats is logged once and then counted, so that a modem away for a week does not fill the log. */
export class FaultLog {
  readonly #log: Logger;
  readonly #faults = new Map<string, { text: string; count: number }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  fault(kind: string, text: string): void {
    const known = this.#faults.get(kind);
    if (known?.text === text) {
      known.count++;
      return;
    }
    if (this.#faults.size >= MAX_KINDS && known === undefined) return;
    this.#faults.set(kind, { text, count: 1 });
    this.#log.warning(text);
  }

  /** The fault is over; says how often it was. */
  over(kind: string): void {
    const known = this.#faults.get(kind);
    this.#faults.delete(kind);
    if (known !== undefined && known.count > 1) this.#log.info(`over after ${known.count} times: ${known.text}`);
  }
}
