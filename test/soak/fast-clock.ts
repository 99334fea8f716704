import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../src/base/clock.ts';

/** Reads and writes under way, as Node names them: of files, names, connections. */
const REQUEST = /Req|^(?:Connect|Write|Shutdown)Wrap$/;

interface Timer {
  readonly ms: number;
  readonly due: number;
  readonly callback: () => void;
  real?: NodeJS.Timeout;
}

/** Deadlines of work, such as that of an AT command: shorter than any pause between two pieces of work. */
const DEADLINE = 61_000;
/** Work that a skipped timer has begun gets so much real time before its deadlines are skipped too, ms. */
const FOR_WORK = 1_000;
/** How often the schedules look at the wall clock, ms: no work either, though the next look begins after a file was read. */
const LOOK = 20_000;
/** Longest span that a Node timer takes, ms. */
const MAX_TIMER = 2_147_483_647;

/** A clock that goes as a real one, and can skip the time in which nothing happens. */
export class FastClock implements Clock {
  #skipped = 0;
  #wall: number;
  readonly #timers = new Set<Timer>();
  /** By when the deadlines of work that began in a skip were set, real time. */
  readonly #begun = new Map<Timer, number>();
  #skipping = false;
  /** Lengths of the timers that are firing. */
  #fired: ReadonlySet<number> = new Set();

  /** `start`: what the wall clock shows now. */
  constructor(start: number) {
    this.#wall = start - performance.now();
  }

  now(): number {
    return Math.floor(this.#wall + this.monotonic());
  }

  monotonic(): number {
    return performance.now() + this.#skipped;
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { ms, due: this.monotonic() + Math.max(0, ms), callback };
    this.#timers.add(timer);
    // A timer that begins at once again looks again and again; the others watch over work.
    if (this.#skipping && ms <= DEADLINE && ms !== LOOK && !this.#fired.has(ms))
      this.#begun.set(timer, performance.now());
    this.#arm(timer);
    return () => this.#remove(timer);
  }

  /** Timers that run. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Steps the wall clock alone, as NTP does. */
  step(ms: number): void {
    this.#wall += ms;
  }

  /**
   * Lets `ms` pass. Timers fire in order and at most `stride` ms late, as those of a busy machine, so that those that look
   * every few seconds fire together; what they begin is done before the next.
   */
  async skip(ms: number, stride: number): Promise<void> {
    this.#skipping = true;
    const end = this.monotonic() + ms;
    for (;;) {
      await this.#workDone();
      const first = Math.min(...[...this.#timers].map(({ due }) => due));
      if (first > end) break;
      const until = Math.min(end, Math.max(first, this.monotonic() + stride));
      this.#skipped += Math.max(0, until - this.monotonic());
      const due = [...this.#timers].filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due);
      this.#fired = new Set(due.map(({ ms: length }) => length));
      for (const timer of due) this.#fire(timer);
    }
    this.#skipped += Math.max(0, end - this.monotonic());
    this.#skipping = false;
    this.#begun.clear();
    for (const timer of this.#timers) this.#arm(timer);
  }

  async #workDone(): Promise<void> {
    await turn();
    this.#fired = new Set();
    for (let turns = 0; turns < 5; turns++) await turn();
    while (process.getActiveResourcesInfo().some((name) => REQUEST.test(name)) || this.#isYoung()) await wait(1);
  }

  #isYoung(): boolean {
    const now = performance.now();
    return [...this.#begun.values()].some((begun) => now - begun < FOR_WORK);
  }

  #arm(timer: Timer): void {
    clearTimeout(timer.real);
    const ms = Math.min(MAX_TIMER, Math.max(0, timer.due - this.monotonic()));
    timer.real = setTimeout(() => this.#fire(timer), ms).unref();
  }

  #fire(timer: Timer): void {
    if (!this.#timers.has(timer)) return;
    this.#remove(timer);
    timer.callback();
  }

  #remove(timer: Timer): void {
    clearTimeout(timer.real);
    this.#timers.delete(timer);
    this.#begun.delete(timer);
  }
}
