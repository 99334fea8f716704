import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Conclusions } from './conclusions.ts';
import type { Ledger } from './ledger.ts';
import type { Doubt, QueueEntry, SendQueue } from './queue.ts';
import type { Ended } from './records.ts';

/** Longest sleep before a date of the wall clock: the clock may be set without notice. */
export const WALL_CLOCK_LOOK_MS = 60_000;

/** Shortest time from one walk over the waiting messages to the next. */
const WALK_MS = 50;

interface DeadlinesOptions {
  readonly queue: SendQueue;
  readonly conclusions: Conclusions;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ambiguous: () => 'resend' | 'hold';
  /** Asks for a call of `attend` at this time by the monotonic clock, or before. */
  readonly wakeAt: (time: number) => void;
  /** A message has left the queue. */
  readonly ended: () => void;
}

/** Changes of waiting messages that only need time: rests end, schedules come, doubts are decided, validities run out. */
export class Deadlines {
  readonly #options: DeadlinesOptions;
  #next = Number.POSITIVE_INFINITY;
  #walked = Number.NEGATIVE_INFINITY;

  constructor(options: DeadlinesOptions) {
    this.#options = options;
  }

  /** Plans a look at the entry when something of it is due. To be called after each change of its hold. */
  plan(entry: QueueEntry): void {
    const due = Math.max(this.#due(entry), this.#walked + WALK_MS);
    if (due >= this.#next) return;
    this.#next = due;
    this.#options.wakeAt(due);
  }

  /** Looks after everything that is due. */
  attend(): void {
    const { clock, queue, wakeAt } = this.#options;
    const now = clock.monotonic();
    if (now >= this.#next || queue.size === 0) {
      this.#walked = now;
      this.#next = Number.POSITIVE_INFINITY;
      for (const entry of [...queue]) {
        if (this.#due(entry) <= now) this.#attendTo(entry, now);
        this.plan(entry);
      }
    }
    wakeAt(this.#next);
  }

  /** Ends a message for the reason that the record gives. */
  end(entry: QueueEntry, record: Ended): void {
    const { queue, ledger, log, ended } = this.#options;
    entry.hold = { type: 'changing' };
    queue.changed(entry);
    ledger.insist([record]).then(
      () => {
        queue.delete(entry);
        ended();
      },
      (error: unknown) => log.debug(`message ${entry.id} stays: ${describeError(error)}`),
    );
  }

  /** When the entry's hold or validity ends, by the monotonic clock. */
  #due({ hold, row }: QueueEntry): number {
    if (hold?.type === 'changing' || hold?.type === 'taken') return Number.POSITIVE_INFINITY;
    const { clock } = this.#options;
    const wall = hold?.type === 'scheduled' ? Math.min(row.notBefore, row.expires) : row.expires;
    const byWall = clock.monotonic() + Math.min(WALL_CLOCK_LOOK_MS, wall - clock.now());
    return hold === undefined || hold.type === 'scheduled' ? byWall : Math.min(byWall, hold.until);
  }

  #attendTo(entry: QueueEntry, now: number): void {
    const { hold, row } = entry;
    const wall = this.#options.clock.now();
    if (row.expires <= wall) this.#expire(entry, wall);
    else if (hold?.type === 'scheduled' && row.notBefore <= wall) this.#options.conclusions.release(entry);
    else if (hold?.type === 'resting' && hold.until <= now) this.#rested(entry);
    else if (hold?.type === 'doubtful' && hold.until <= now) this.#decide(hold.doubt);
  }

  #rested(entry: QueueEntry): void {
    const { conclusions, ambiguous } = this.#options;
    const end = entry.refused === undefined ? undefined : conclusions.overruled(entry.refused, ambiguous());
    if (end === undefined) conclusions.release(entry);
    else this.end(entry, end);
  }

  #decide(doubt: Doubt): void {
    const { conclusions, ambiguous } = this.#options;
    const end = conclusions.undecided(doubt, ambiguous());
    if (end === undefined) conclusions.release(doubt.entry);
    else this.end(doubt.entry, end);
  }

  #expire(entry: QueueEntry, at: number): void {
    const state = entry.doubt === undefined ? 'expired' : 'unknown';
    const ended = `its validity ended ${state === 'expired' ? 'before it was sent' : 'when a part was perhaps sent'}`;
    const reason = entry.row.error === undefined ? ended : `${ended}; the last try failed: ${entry.row.error}`;
    this.end(entry, { kind: 'ended', id: entry.id, state, reason, at });
  }
}

/** One timer for the earliest of all that is due. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #due = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `due` by the monotonic clock, or earlier; the later dates of one ring are to be asked for again. */
  at(due: number): void {
    if (due >= this.#due) return;
    this.#cancel?.();
    this.#due = due;
    this.#cancel = this.#clock.after(due - this.#clock.monotonic(), () => {
      this.off();
      this.#ring();
    });
  }

  off(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due = Number.POSITIVE_INFINITY;
  }
}
