import type { RecordRef } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';

/** What stays in memory of a message; the text is read from the journal. */
export class MessageRow {
  readonly id: MessageId;
  readonly index: number;
  readonly modem: string;
  readonly number: string;
  /** Replace short message type, 0 for none. */
  readonly replaces: number;
  /** Time stamp of the service centre, ms since the epoch. */
  readonly time: number;
  readonly total: number;
  /** When the last part came, ms since the epoch. */
  received: number;
  missing: number;
  read = false;
  /** The modules were asked what they want done with it. */
  dispatched = false;
  /** Stored for its deliveries alone, and out of sight. */
  passing = false;
  /** Its records in the order of the journal. */
  refs: readonly RecordRef[];

  constructor(facts: Omit<MessageRow, 'read' | 'dispatched' | 'passing'>) {
    this.id = facts.id;
    this.index = facts.index;
    this.modem = facts.modem;
    this.number = facts.number;
    this.replaces = facts.replaces;
    this.time = facts.time;
    this.total = facts.total;
    this.received = facts.received;
    this.missing = facts.missing;
    this.refs = facts.refs;
  }
}

/** A client that listed messages may still hold an index this long after its message was deleted; milliseconds. */
const HOLD = 3_600_000;

/**
 * The small numbers that cgi clients know messages by: the lowest that is not in use, not promised, and was not given
 * back within the last hour.
 */
export class Indexes {
  readonly #used = new Map<number, MessageRow>();
  /** Allocated for messages that are not stored yet. */
  readonly #promised = new Set<number>();
  /** When each was given back, ms since the epoch; oldest first. */
  readonly #released = new Map<number, number>();
  /** None below this is free. */
  #lowest = 0;

  /** A free index, promised until `take` or `forgo`. */
  allocate(now: number): number {
    for (const [index, at] of this.#released) {
      // Also when the clock was set back by more: a time in the future proves nothing.
      if (Math.abs(now - at) < HOLD) break;
      this.#released.delete(index);
      this.#lowest = Math.min(this.#lowest, index);
    }
    while (this.#used.has(this.#lowest) || this.#promised.has(this.#lowest) || this.#released.has(this.#lowest)) {
      this.#lowest += 1;
    }
    this.#promised.add(this.#lowest);
    return this.#lowest;
  }

  /** The message that has it, perhaps one that is passing. */
  find(index: number): MessageRow | undefined {
    return this.#used.get(index);
  }

  take(row: MessageRow): void {
    this.#promised.delete(row.index);
    this.#released.delete(row.index);
    this.#used.set(row.index, row);
  }

  /** The message that it was promised for was not stored. */
  forgo(index: number): void {
    this.#promised.delete(index);
    this.#lowest = Math.min(this.#lowest, index);
  }

  /** The message was deleted, at a time in ms since the epoch. */
  release(row: MessageRow, at: number): void {
    // Not when a compacted journal lists it together with the message that has its index now.
    if (this.#used.get(row.index) !== row) return;
    this.#used.delete(row.index);
    this.hold(row.index, at);
  }

  /** The message was passing: nobody has seen its index. */
  free(row: MessageRow): void {
    if (this.#used.get(row.index) !== row) return;
    this.#used.delete(row.index);
    this.#lowest = Math.min(this.#lowest, row.index);
  }

  /** It was given back at that time. */
  hold(index: number, at: number): void {
    this.#released.delete(index);
    this.#released.set(index, at);
  }

  /** Those given back and not in use again, with the time. */
  get released(): Iterable<readonly [index: number, at: number]> {
    return this.#released;
  }
}
