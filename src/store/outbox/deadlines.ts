import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Ledger } from './ledger.ts';
import type { Outcomes } from './outcomes.ts';
import type { SendQueue } from './queue.ts';
import type { Doubt, QueueEntry } from './queue-entry.ts';
import type { Ended } from './records.ts';

/** Longest sleep before a date of the wall clock: the clock may be set, and nothing tells. */
export const WALL_CLOCK_LOOK_MS = 60_000;

/** Shortest time from one walk over the waiting messages to the next. */
const WALK_MS = 50;

interface DeadlinesOptions {
  readonly queue: SendQueue;
  readonly outcomes: Outcomes;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  readonly ambiguous: () => 'resend' | 'hold';
  /** Asks for a call of `attend` at this time by the monotonic clock, or before. */
  readonly wakeAt: (time: number) => void;
  /** A message has left the queue. */
  readonly ended: () => void;
}

/** What time alone does to waiting messages: rests end, schedules come, doubts are decided, validities run out. */
export class Deadlines {
  readonly #options: DeadlinesOptions;
  #next = Number.POSITIVE_INFINITY;
  #walked = Number.NEGATIVE_INFINITY;

  constructor(options: DeadlinesOptions) {
    this.#options = options;
  }

  /** Sees to it that the entry is looked at when something of it is due. To be called after each change of its hold. */
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
    if (now >= this.#next) {
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
    else if (hold?.type === 'scheduled' && row.notBefore <= wall) this.#options.outcomes.release(entry);
    else if (hold?.type === 'resting' && hold.until <= now) this.#rested(entry);
    else if (hold?.type === 'doubtful' && hold.until <= now) this.#decide(hold.doubt);
  }

  #rested(entry: QueueEntry): void {
    const { outcomes, ambiguous } = this.#options;
    const end = entry.refused === undefined ? undefined : outcomes.overruled(entry.refused, ambiguous());
    if (end === undefined) outcomes.release(entry);
    else this.end(entry, end);
  }

  #decide(doubt: Doubt): void {
    const { outcomes, ambiguous } = this.#options;
    const end = outcomes.undecided(doubt, ambiguous());
    if (end === undefined) outcomes.release(doubt.entry);
    else this.end(doubt.entry, end);
  }

  #expire(entry: QueueEntry, at: number): void {
    const s = entry.doubt === undefined ? 'expired' : 'unknown';
    const ended = `its validity ended ${s === 'expired' ? 'before it was sent' : 'when a part was perhaps sent'}`;
    const e = entry.row.error === undefined ? ended : `${ended}; the last try failed: ${entry.row.error}`;
    this.end(entry, { k: 'e', id: entry.id, s, e, at });
  }
}
