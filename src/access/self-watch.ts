import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import { budgets } from './budgets.ts';

/** The heap of the process. */
export interface Heap {
  /** Octets beyond which the process ends. */
  readonly limit: number;
  /** Octets in use, with what a collection would free. */
  used(): number;
  /** Octets that it has from the system, for new objects too. */
  held(): number;
  /** Frees what nobody uses. */
  collect(): void;
  /** The same, and gives what is free then back to the system, but the room for new objects: that must be empty to be given back. */
  compact(): void;
  /** Gives back the room for new objects, behind `compact` and where few have been made for some seconds. */
  shrink(): void;
}

export interface SelfWatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** V8's when absent. */
  readonly heap?: Heap;
}

/** ms from one look to the next: where nobody asks for anything, and while somebody does. */
const IDLE_MS = 30_000;
const BUSY_MS = 500;
/** ms for which the last look holds: each message asks several times. */
const FRESH_MS = 10;
/** ms that the functions take to start. */
const STARTING_MS = 3_000;
/** Least ms from one collection to the next. */
const COLLECT_MS = 2_000;
/** ms without work after which V8 takes it as quiet. */
const QUIET_MS = 6_000;
/** Octets by which the heap has grown that are worth a collection while nothing happens. */
const GROWN = 1_048_576;
/** Octets in use of which two take 15 to 40 ms on a fast processor. V8 goes through a larger one in small steps, later. */
const SMALL = 24 * 1_048_576;
/** Shares of the heap at which memory becomes scarce, and is no longer. */
const SCARCE = budgets.memory.heapShare.limit / 100;
const ENOUGH = SCARCE - 0.1;

const MIB = 1_048_576;

/**
 * Watches the memory of the process and how late its timers are. What is in use is known for sure only after a collection:
 * one is made when much is in use, before anybody is sent away.
 */
export class SelfWatch {
  readonly #options: SelfWatchOptions;
  readonly #heap: Heap;
  #cancel = () => {};
  /** Monotonic ms at which the next look is due. */
  #due = 0;
  #busy = false;
  #looked = Number.NEGATIVE_INFINITY;
  #collected = Number.NEGATIVE_INFINITY;
  /** Least that V8 held since it was last tidied up, octets, at those times when nothing happened. The start leaves it untidy. */
  #tidy = 0;
  /** It is due to be tidied up, and too soon after the last time. */
  #isPostponed = false;
  /** It was tidied up, but for the room for new objects. */
  #isSettling = false;
  /** Nothing happened from the look before the last one to the last. */
  #wasQuiet = false;
  #scarce = false;
  #times = 0;
  #peak = 0;
  #lag = 0;
  #longestLag = 0;

  constructor(options: SelfWatchOptions) {
    this.#options = options;
    this.#heap = options.heap ?? new V8Heap();
  }

  start(): void {
    this.#schedule(STARTING_MS);
  }

  stop(): void {
    this.#cancel();
    this.#due = Number.POSITIVE_INFINITY;
  }

  /** Whether the process is short of memory. Asked when work begins: from then on it looks more often. */
  isScarce(): boolean {
    const now = this.#options.clock.monotonic();
    if (now - this.#looked >= FRESH_MS) this.#look();
    this.#busy = true;
    if (this.#due !== Number.POSITIVE_INFINITY && this.#due - now > BUSY_MS) this.#schedule(BUSY_MS);
    return this.#scarce;
  }

  /** For `status` and the metrics. Octets, and ms. */
  status() {
    this.#look();
    const rss = residentSet();
    return {
      ...(rss !== undefined && { rss }),
      heap_used: this.#heap.used(),
      heap_peak: this.#peak,
      heap_limit: this.#heap.limit,
      lag: Math.round(this.#lag),
      lag_peak: Math.round(this.#longestLag),
      scarce: this.#scarce,
      times_scarce: this.#times,
    } as const satisfies JsonObject;
  }

  #schedule(ms: number): void {
    const { clock } = this.#options;
    this.#cancel();
    this.#due = clock.monotonic() + ms;
    this.#cancel = clock.after(ms, () => {
      this.#lag = Math.max(0, clock.monotonic() - this.#due);
      this.#longestLag = Math.max(this.#longestLag, this.#lag);
      this.#look();
      if (!this.#busy) this.#tidyUp();
      const soon = this.#busy || this.#scarce || this.#isPostponed;
      this.#wasQuiet = !this.#busy;
      this.#busy = false;
      this.#schedule(soon ? BUSY_MS : this.#isSettling ? QUIET_MS : IDLE_MS);
    });
  }

  /** Gives back to the system what a burst of work took: by itself V8 keeps it until as much again is in use. */
  #tidyUp(): void {
    const held = this.#heap.held();
    const now = this.#options.clock.monotonic();
    this.#tidy = Math.min(this.#tidy, held);
    const isDue = held - this.#tidy >= GROWN && this.#heap.used() <= SMALL;
    this.#isPostponed = isDue && now - this.#collected < COLLECT_MS;
    if (this.#isPostponed) return;
    if (isDue) {
      this.#collected = now;
      this.#heap.compact();
    } else if (this.#isSettling && this.#wasQuiet) this.#heap.shrink();
    else return;
    this.#isSettling = isDue;
    this.#tidy = this.#heap.held();
  }

  #look(): void {
    const { limit } = this.#heap;
    const now = this.#options.clock.monotonic();
    this.#looked = now;
    const share = this.#scarce ? ENOUGH : SCARCE;
    let used = this.#heap.used();
    this.#peak = Math.max(this.#peak, used);
    if (used >= share * limit) {
      // In between the last word holds: most of what has come since is of no use any more.
      if (now - this.#collected < COLLECT_MS) return;
      this.#collected = now;
      this.#heap.collect();
      used = this.#heap.used();
    }
    this.#decide(used >= share * limit, used);
  }

  #decide(scarce: boolean, used: number): void {
    if (scarce === this.#scarce) return;
    this.#scarce = scarce;
    const { log } = this.#options;
    const figures = `${Math.round(used / MIB)} of ${Math.round(this.#heap.limit / MIB)} MiB of the heap are in use`;
    if (scarce) {
      this.#times += 1;
      log.warning(
        `${figures}: listings, sends and logins of strangers are refused as busy and new messages stay on the modem until it is less`,
      );
    } else log.info(`${figures}: everything is served again`);
  }
}

/** Octets; undefined where there is no /proc, as in some jails. */
function residentSet(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}

/** V8's collector: of all objects, or of the new ones. An option that is undefined it takes for the latter (Node 22). */
type Gc = (...options: readonly [] | readonly [{ readonly type: 'minor' }]) => void;

/** The heap of V8. Its part for new objects has a limit of its own, which ends no process: it counts only as held. */
export class V8Heap implements Heap {
  readonly limit = oldSpaceLimit();
  #gc: Gc | undefined;

  used(): number {
    let sum = 0;
    for (const { space_name: name, space_used_size: size } of getHeapSpaceStatistics()) {
      if (!name.startsWith('new_')) sum += size;
    }
    return sum;
  }

  held(): number {
    let sum = 0;
    for (const { space_size: size } of getHeapSpaceStatistics()) sum += size;
    return sum;
  }

  collect(): void {
    this.#collector()();
  }

  /** A first collection frees; a second one, behind it at once, moves what is left out of pages that are hardly used. */
  compact(): void {
    this.collect();
    this.collect();
  }

  /** The first one halves the room; the second one gives back what of that is not used. 0.3 ms together. */
  shrink(): void {
    const gc = this.#collector();
    gc({ type: 'minor' });
    gc({ type: 'minor' });
  }

  /** Node gives the function only with a flag, which may be set later. */
  #collector(): Gc {
    if (this.#gc !== undefined) return this.#gc;
    setFlagsFromString('--expose-gc');
    const gc: unknown = globalThis.gc ?? runInNewContext('gc');
    this.#gc = typeof gc === 'function' ? (...options) => gc(...options) : () => {};
    return this.#gc;
  }
}

/**
 * V8 says only what old and new objects may take together. Where no flag gives the first, three quarters of that are
 * surely in it.
 */
function oldSpaceLimit(): number {
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  const [, given] = /--max[-_]old[-_]space[-_]size[= ](\d+)/.exec(flags) ?? [];
  const { heap_size_limit: limit } = getHeapStatistics();
  return given === undefined ? limit * 0.75 : Math.min(Number(given) * MIB, limit);
}
