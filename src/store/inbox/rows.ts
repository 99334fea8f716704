import { Columns } from '../../base/columns.ts';
import { RecordRef } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';

/** What stays in memory of a message; the text is read from the journal. As it was when it was looked up. */
export interface MessageRow {
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
  readonly received: number;
  readonly missing: number;
  readonly read: boolean;
  /** The modules were asked what they want done with it. */
  readonly dispatched: boolean;
  /** Stored for its deliveries alone, and out of sight. */
  readonly passing: boolean;
  /** Its records in the order of the journal. They are for reading at once: a compaction moves those that are stored, not these. */
  readonly refs: readonly RecordRef[];
}

/** What may be set of a message, as bits. */
export const mark = { read: 1, dispatched: 2, passing: 4 } as const;
export type Mark = keyof typeof mark;

/** All messages, by the number of their row. */
export class InboxRows {
  readonly #columns = new Columns();
  readonly #id = this.#columns.column('float64');
  readonly #index = this.#columns.column('uint32');
  readonly #modem = this.#columns.column('uint16');
  readonly #replaces = this.#columns.column('uint8');
  readonly #time = this.#columns.column('float64');
  readonly #total = this.#columns.column('uint16');
  readonly #received = this.#columns.column('float64');
  readonly #missing = this.#columns.column('uint16');
  readonly #marks = this.#columns.column('uint8');
  /** The place of the first record. */
  readonly #offset = this.#columns.column('float64');
  readonly #length = this.#columns.column('uint32');
  readonly #item = this.#columns.column('uint16');
  readonly #number: string[] = [];
  /** The places of the other records, of the few that have any. */
  readonly #more = new Map<number, readonly RecordRef[]>();
  readonly #modems = new Words();

  /** The number of the new row. */
  add(facts: Omit<MessageRow, Mark>): number {
    const row = this.#columns.take();
    const [first, ...more] = facts.refs;
    this.#id.set(row, facts.id);
    this.#index.set(row, facts.index);
    this.#modem.set(row, this.#modems.numberOf(facts.modem));
    this.#replaces.set(row, facts.replaces);
    this.#time.set(row, facts.time);
    this.#total.set(row, facts.total);
    this.#received.set(row, facts.received);
    this.#missing.set(row, facts.missing);
    this.#marks.set(row, 0);
    this.#place(row, first ?? new RecordRef(0, 0, 0));
    this.#number[row] = facts.number;
    if (more.length > 0) this.#more.set(row, more);
    return row;
  }

  get(row: number): MessageRow {
    return {
      id: this.id(row),
      index: this.#index.get(row),
      modem: this.#modems.at(this.#modem.get(row)),
      number: this.#number[row] ?? '',
      replaces: this.#replaces.get(row),
      time: this.#time.get(row),
      total: this.#total.get(row),
      received: this.#received.get(row),
      missing: this.#missing.get(row),
      read: this.is(row, 'read'),
      dispatched: this.is(row, 'dispatched'),
      passing: this.is(row, 'passing'),
      refs: this.refs(row),
    };
  }

  id(row: number): MessageId {
    return this.#id.get(row) as MessageId;
  }

  is(row: number, what: Mark): boolean {
    return (this.#marks.get(row) & mark[what]) !== 0;
  }

  set(row: number, what: Mark, on: boolean): void {
    const others = this.#marks.get(row) & ~mark[what];
    this.#marks.set(row, on ? others | mark[what] : others);
  }

  /** When the last part came, ms since the epoch. */
  received(row: number): number {
    return this.#received.get(row);
  }

  refs(row: number): readonly RecordRef[] {
    return [this.firstRef(row), ...this.moreRefs(row)];
  }

  /** What its records take of the journal. */
  octets(row: number): number {
    return this.#length.get(row) + octetsOf(this.moreRefs(row));
  }

  firstRef(row: number): RecordRef {
    return new RecordRef(this.#offset.get(row), this.#length.get(row), this.#item.get(row));
  }

  /** Those of its other parts. */
  moreRefs(row: number): readonly RecordRef[] {
    return this.#more.get(row) ?? NO_REFS;
  }

  /** A part that was missing has come. */
  addPart(row: number, ref: RecordRef, received: number, missing: number): void {
    this.#more.set(row, [...(this.#more.get(row) ?? []), ref]);
    this.#received.set(row, received);
    this.#missing.set(row, missing);
  }

  /** See `Table.relocate`. */
  relocate(row: number, move: (ref: RecordRef) => void): void {
    for (const ref of this.moreRefs(row)) move(ref);
    const first = this.firstRef(row);
    move(first);
    this.#place(row, first);
  }

  release(row: number): void {
    this.#number[row] = '';
    this.#more.delete(row);
    this.#columns.release(row);
    if (this.#columns.size === 0) this.#number.length = 0;
  }

  #place(row: number, { offset, length, item }: RecordRef): void {
    this.#offset.set(row, offset);
    this.#length.set(row, length);
    this.#item.set(row, item);
  }
}

const NO_REFS: readonly RecordRef[] = [];

export const octetsOf = (refs: readonly RecordRef[]): number => refs.reduce((sum, { length }) => sum + length, 0);

/** Words that very many rows share. */
class Words {
  readonly #words: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(word: string): number {
    const known = this.#numbers.get(word);
    if (known !== undefined) return known;
    this.#numbers.set(word, this.#words.length);
    return this.#words.push(word) - 1;
  }

  at(number: number): string {
    return this.#words[number] ?? '';
  }
}

/** Some of the messages by their ids, in the order of these. */
export class RowsById {
  readonly #rows: InboxRows;
  #numbers = new Map<MessageId, number>();
  #highest = 0;
  #isSorted = true;

  constructor(rows: InboxRows) {
    this.#rows = rows;
  }

  get size(): number {
    return this.#numbers.size;
  }

  has(id: MessageId): boolean {
    return this.#numbers.has(id);
  }

  get(id: MessageId): MessageRow | undefined {
    const row = this.#numbers.get(id);
    return row === undefined ? undefined : this.#rows.get(row);
  }

  /** The number of its row. */
  row(id: MessageId): number | undefined {
    return id > this.#highest ? undefined : this.#numbers.get(id);
  }

  add(row: number): void {
    const id = this.#rows.id(row);
    if (id < this.#highest) this.#isSorted = false;
    else this.#highest = id;
    this.#numbers.set(id, row);
  }

  delete(id: MessageId): void {
    this.#numbers.delete(id);
  }

  /** The numbers of the rows, for looking at them at once. */
  rows(): Iterable<number> {
    if (!this.#isSorted) {
      // A new map: who goes through the present one must not meet its messages twice.
      this.#numbers = new Map([...this.#numbers].sort(([a], [b]) => a - b));
      this.#isSorted = true;
    }
    return this.#numbers.values();
  }

  /** The messages may change while somebody goes through them: whatever happens, each comes once, in the order of the ids. */
  *values(): Generator<MessageRow, void, void> {
    this.rows();
    let last = 0;
    for (const [id, row] of this.#numbers) {
      // They may be sorted meanwhile, and this map left behind: then a row in it may be another message's by now.
      if (id <= last || this.#numbers.get(id) !== row) continue;
      last = id;
      yield this.#rows.get(row);
    }
  }

  /** The newest first. */
  *backwards(): Generator<MessageRow, void, void> {
    const ids = Array.from(this.rows(), (row) => this.#rows.id(row));
    for (const id of ids.reverse()) {
      const row = this.get(id);
      if (row !== undefined) yield row;
    }
  }
}

/** A client that listed messages may still hold an index this long after its message was deleted; milliseconds. */
const HOLD = 3_600_000;
/** At least so many are held. Where more came back within that time, the oldest of them serves again. */
const MOST_HELD = 10_000;

/**
 * The small numbers that cgi clients know messages by: the lowest that is not in use, not promised, and not held since it
 * was given back; where too many are held, the one that was given back first.
 */
export class Indexes {
  /** Which message has each; 0 for none. */
  readonly #used: MessageId[] = [];
  /** Allocated for messages that are not stored yet. */
  readonly #promised = new Set<number>();
  /** When each was given back, ms since the epoch; oldest first. */
  readonly #released = new Map<number, number>();
  /** None below this is free. */
  #lowest = 0;

  /** A free index, promised until `take` or `forgo`. `capacity`: how many messages a client may know. */
  allocate(now: number, capacity: number): number {
    for (const [index, at] of this.#released) {
      // Also when the clock was set back by more: a time in the future proves nothing.
      if (Math.abs(now - at) < HOLD) break;
      this.#released.delete(index);
      this.#lowest = Math.min(this.#lowest, index);
    }
    const [first] = this.#released.keys();
    if (first !== undefined && this.#released.size > Math.max(MOST_HELD, capacity)) {
      this.#released.delete(first);
      this.#promised.add(first);
      return first;
    }
    while (this.find(this.#lowest) || this.#promised.has(this.#lowest) || this.#released.has(this.#lowest)) {
      this.#lowest += 1;
    }
    this.#promised.add(this.#lowest);
    return this.#lowest;
  }

  /** The message that has it, perhaps one that is passing. */
  find(index: number): MessageId | undefined {
    return this.#used[index] || undefined;
  }

  take({ id, index }: Indexed): void {
    this.#promised.delete(index);
    this.#released.delete(index);
    this.#used[index] = id;
  }

  /** The message that it was promised for was not stored. */
  forgo(index: number): void {
    this.#promised.delete(index);
    this.#lowest = Math.min(this.#lowest, index);
  }

  /** The message was deleted, at a time in ms since the epoch. */
  release(row: Indexed, at: number): void {
    if (this.#leave(row)) this.hold(row.index, at);
  }

  /** The message was passing: nobody has seen its index. */
  free(row: Indexed): void {
    if (this.#leave(row)) this.#lowest = Math.min(this.#lowest, row.index);
  }

  /** It was given back at that time. */
  hold(index: number, at: number): void {
    this.#released.delete(index);
    this.#released.set(index, at);
  }

  get releasedCount(): number {
    return this.#released.size;
  }

  /** Those given back and not in use again, with the time. */
  get released(): Iterable<readonly [index: number, at: number]> {
    return this.#released;
  }

  #leave({ id, index }: Indexed): boolean {
    // Not when a compacted journal lists it together with the message that has its index now.
    if (this.#used[index] !== id) return false;
    this.#used[index] = NOBODY;
    return true;
  }
}

type Indexed = Pick<MessageRow, 'id' | 'index'>;
const NOBODY = 0 as MessageId;
