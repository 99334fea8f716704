import type { Logger } from './log.ts';
import { LruMap } from './lru-map.ts';

/** Kinds of faults that are kept; with more of them the oldest is forgotten. */
const MAX_KINDS = 100;

/** A fault that repeats is logged once and then counted, so that a modem away for a week does not fill the log. */
export class FaultLog {
  readonly #log: Logger;
  readonly #faults = new LruMap<string, { text: string; count: number }>(MAX_KINDS);

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Logs the fault, unless it is the one that this kind of work had last time. */
  fault(kind: string, text: string): void {
    const known = this.#faults.get(kind);
    if (known?.text === text) {
      known.count++;
      return;
    }
    this.#faults.set(kind, { text, count: 1 });
    this.#log.warning(text);
  }

  /**
   * The work of this kind succeeds. Logs `news` when it failed before, and how often it did; without `news` only what
   * repeated is worth a line. The result says whether there was a fault.
   */
  over(kind: string, news?: string): boolean {
    const known = this.#faults.get(kind);
    if (known === undefined) return false;
    this.#faults.delete(kind);
    const times = known.count > 1 ? ` after ${known.count} failures` : '';
    if (news !== undefined) this.#log.info(`${news}${times}`);
    else if (known.count > 1) this.#log.info(`works again${times}: ${known.text}`);
    return true;
  }
}
