import type { Clock } from './clock.ts';
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

/** How long a kind of refusal has no further line of its own, ms. */
const QUIET_MS = 600_000;

/**
 * Refusals that others cause as often as they like, each with words of its own: the first of a kind is logged, those of the
 * next ten minutes are counted, and said in one line when these are over. Kinds are those of the code, not of strangers.
 */
export class RefusalLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, { last: string; count: number; readonly cancel: () => void }>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  refused(kind: string, text: string): void {
    const known = this.#kinds.get(kind);
    if (known === undefined) {
      this.#log.warning(text);
      this.#wait(kind);
      return;
    }
    known.last = text;
    known.count++;
  }

  /** Says what is counted, and ends. */
  stop(): void {
    for (const [kind, { cancel }] of this.#kinds) {
      cancel();
      this.#say(kind);
    }
  }

  #wait(kind: string): void {
    const cancel = this.#clock.after(QUIET_MS, () => {
      // As long as they go on there is a line every ten minutes.
      if (this.#say(kind)) this.#wait(kind);
    });
    this.#kinds.set(kind, { last: '', count: 0, cancel });
  }

  /** Forgets the kind; false when nothing has come meanwhile. */
  #say(kind: string): boolean {
    const { last = '', count = 0 } = this.#kinds.get(kind) ?? {};
    this.#kinds.delete(kind);
    if (count > 0) this.#log.warning(`${last}${count > 1 ? `; the last of ${count} since the line before` : ''}`);
    return count > 0;
  }
}
