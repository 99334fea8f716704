import type { Clock } from '../../src/base/clock.ts';
import type { FileSystem } from '../../src/store/journal/file-system.ts';

/** ms of real time. */
const REAL_LIMIT = 60_000;

interface Timer {
  readonly ms: number;
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that a test moves. `advance` fires timers in order, letting promises and real I/O settle in between. */
export class ManualClock implements Clock {
  #wall: number;
  #monotonic = 0;
  /** Real I/O under way. */
  #io = 0;
  /** Lengths of timers for which time stands still. */
  readonly #deadlines = new Set<number>();
  /** Servers whose sessions take no time. */
  readonly #servers = new Set<{ readonly open: number }>();
  readonly #timers = new Set<Timer>();

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#wall = start;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { ms, due: this.#monotonic + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Steps the wall clock alone, as NTP does. */
  step(ms: number): void {
    this.#wall += ms;
  }

  /** Time stands still until the work has ended: a slow disk is no reason to be late. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#io += 1;
    try {
      return await work;
    } finally {
      this.#io -= 1;
    }
  }

  /**
   * Time stands still while a timer of exactly one of these lengths runs: the deadline of work with real sockets or programs,
   * which the machine may do as slowly as it likes.
   */
  waitsFor(...lengths: readonly number[]): void {
    for (const ms of lengths) this.#deadlines.add(ms);
  }

  /** Time stands still while a connection to this server is open. */
  waitsForSessions(server: { readonly open: number }): void {
    this.#servers.add(server);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Whether a timer of exactly this length runs: a deadline of a length of its own tells that its work is under way. */
  waits(ms: number): boolean {
    return [...this.#timers].some((timer) => timer.ms === ms);
  }

  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    for (;;) {
      await this.#settle();
      const next = [...this.#timers].filter((t) => t.due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#move(next.due);
      next.callback();
    }
    this.#move(end);
    await this.#settle();
  }

  #move(to: number): void {
    this.#wall += to - this.#monotonic;
    this.#monotonic = to;
  }

  /** Lets pending promises, immediate I/O callbacks and known I/O run. Throws when that takes more than a minute. */
  async #settle(): Promise<void> {
    let end: number | undefined;
    for (let busy = true; busy; ) {
      busy = this.#isBusy;
      // What it leads to runs as well, and is not always known.
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      busy ||= this.#isBusy;
      if (!busy) continue;
      end ??= Date.now() + REAL_LIMIT;
      if (Date.now() > end) throw new Error(`real work has not ended within ${REAL_LIMIT / 1000} s: ${this.#work()}`);
      if (this.#io === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  get #isBusy(): boolean {
    if (this.#io > 0 || [...this.#servers].some(({ open }) => open > 0)) return true;
    return this.#deadlines.size > 0 && [...this.#timers].some(({ ms }) => this.#deadlines.has(ms));
  }

  /** What keeps the time from passing. */
  #work(): string {
    const sessions = [...this.#servers].reduce((sum, { open }) => sum + open, 0);
    const timers = [...this.#timers]
      .filter(({ ms }) => this.#deadlines.has(ms))
      .map(({ ms }) => `a deadline of ${ms} ms`);
    return [`${this.#io} operations on files`, `${sessions} sessions`, ...timers].join(', ');
  }
}

/** The files as they are; the clock stands still while they are worked on. */
export function onClock(fileSystem: FileSystem, clock: ManualClock): FileSystem {
  return {
    ...fileSystem,
    rename: (from, to) => clock.during(fileSystem.rename(from, to)),
    remove: (path) => clock.during(fileSystem.remove(path)),
    syncDirectory: (path) => clock.during(fileSystem.syncDirectory(path)),
    open: async (path, mode) => {
      const file = await clock.during(fileSystem.open(path, mode));
      return {
        ...file,
        read: (buffer, position) => clock.during(file.read(buffer, position)),
        write: (buffer, position) => clock.during(file.write(buffer, position)),
        writeThrough: (buffer, position) => clock.during(file.writeThrough(buffer, position)),
        datasync: () => clock.during(file.datasync()),
        size: () => clock.during(file.size()),
        sizeAt: (at) => file.sizeAt(at),
      };
    },
  };
}
