import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../src/base/clock.ts';

/** Reads and writes under way, as Node names them: of files, names, connections. */
const REQUEST = /Req|^(?:Connect|Write|Shutdown)Wrap$/;

interface Timer {
  readonly ms: number;
  readonly due: number;
  readonly callback: () => void;
  /** When it was set, real time. */
  readonly born: number;
  real?: NodeJS.Timeout;
}

/** Deadlines of work, such as that of an AT command, ms: shorter than any pause between two pieces of work. */
const DEADLINES = { shortest: 2_000, longest: 61_000 } as const;
/** Work gets so much real time before its deadlines are skipped too, ms. */
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
  /** Timers that watch over work, as far as one can see. */
  readonly #deadlines = new Set<Timer>();
  #skipping = false;
  #interrupted = false;
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
    const timer: Timer = { ms, due: this.monotonic() + Math.max(0, ms), callback, born: performance.now() };
    this.#timers.add(timer);
    if (this.#isDeadline(ms)) this.#deadlines.add(timer);
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
   * Lets `ms` pass. Timers fire in order and at most `stride(now)` ms late, as those of a busy machine, so that those that look
   * every few seconds fire together; what they begin is done before the next. `interrupt` ends it early.
   */
  async skip(ms: number, stride: (now: number) => number): Promise<void> {
    this.#skipping = true;
    this.#interrupted = false;
    const end = this.monotonic() + ms;
    for (;;) {
      await this.#workDone();
      if (this.#interrupted) break;
      let first = Number.POSITIVE_INFINITY;
      for (const { due } of this.#timers) first = Math.min(first, due);
      if (first > end) break;
      const until = Math.min(end, Math.max(first, this.monotonic() + stride(this.now())));
      this.#skipped += Math.max(0, until - this.monotonic());
      const due = [...this.#timers].filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due);
      this.#fired = new Set(due.map(({ ms: length }) => length));
      for (const timer of due) this.#fire(timer);
    }
    if (!this.#interrupted) this.#skipped += Math.max(0, end - this.monotonic());
    this.#skipping = false;
    for (const timer of this.#timers) this.#arm(timer);
  }

  /** Ends a skip where it is, in the middle of the work that it has begun. */
  interrupt(): void {
    this.#interrupted = true;
  }

  /** A pause until some moment has any length; a timer that begins at once again looks again and again. */
  #isDeadline(ms: number): boolean {
    if (!Number.isInteger(ms) || ms < DEADLINES.shortest || ms > DEADLINES.longest) return false;
    return ms !== LOOK && !(this.#skipping && this.#fired.has(ms));
  }

  async #workDone(): Promise<void> {
    await turn();
    this.#fired = new Set();
    for (let turns = 0; turns < 5; turns++) await turn();
    while (
      !this.#interrupted &&
      (this.#isYoung() || process.getActiveResourcesInfo().some((name) => REQUEST.test(name)))
    )
      await wait(1);
  }

  #isYoung(): boolean {
    const now = performance.now();
    for (const { born } of this.#deadlines) if (now - born < FOR_WORK) return true;
    return false;
  }

  #arm(timer: Timer): void {
    stop(timer);
    const ms = Math.min(MAX_TIMER, Math.max(0, timer.due - this.monotonic()));
    timer.real = setTimeout(() => this.#fire(timer), ms).unref();
  }

  #fire(timer: Timer): void {
    if (!this.#timers.has(timer)) return;
    this.#remove(timer);
    timer.callback();
  }

  #remove(timer: Timer): void {
    stop(timer);
    this.#timers.delete(timer);
    this.#deadlines.delete(timer);
  }
}

/** As the clock of the system does: Node would keep something of a timer that does not keep the process alive. */
function stop({ real }: Timer): void {
  real?.ref();
  clearTimeout(real);
}
