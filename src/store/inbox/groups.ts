import { type Concatenation, groupKey, type PartRecord, PartSet, type Placement, placePart } from '../../sms/index.ts';
import type { RecordRef } from '../journal/journal.ts';
import type { MessageRow } from './row.ts';

/** Parts of one message, some still missing. */
export interface Group {
  readonly number: number;
  readonly key: string;
  readonly modem: string;
  readonly sender: string;
  readonly replaces: number;
  /** When the first of the parts came, ms since the epoch. */
  readonly since: number;
  /** When the last one came. */
  received: number;
  readonly parts: PartSet;
  refs: readonly RecordRef[];
  /** Set once the message is shown with parts missing. */
  row?: MessageRow;
}

export function keyOf(modem: string, sender: string, concatenation: Concatenation): string {
  return `${modem}\n${groupKey(sender, concatenation)}`;
}

/** What a group remembers of a part. */
export type GroupPart = PartRecord;

/** The group that a part would join, and what would become of it; nothing is changed. */
export interface Joining {
  readonly group: Group;
  readonly outcome: Placement['outcome'];
  readonly completes: boolean;
}

/** All groups with missing parts. */
export class Groups {
  readonly #byNumber = new Map<number, Group>();
  readonly #byKey = new Map<string, Group[]>();
  #lastNumber = 0;
  #waiting = 0;

  /** Groups that are not shown yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Not given before, and higher than any in the journal. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  get(number: number): Group | undefined {
    return this.#byNumber.get(number);
  }

  /**
   * A group of the key that `part` can join: not when its time stamp is more than `window` ms from theirs, for then
   * the sender uses a reference again.
   */
  find(key: string, part: GroupPart, window: number): Joining | undefined {
    const candidates = (this.#byKey.get(key) ?? []).filter((group) => group.parts.distance(part.time) <= window);
    const copies = candidates.map(({ parts }) => copyOf(parts));
    const placement = placePart(copies, part);
    const group = placement && candidates[copies.indexOf(placement.set)];
    return placement && group && { group, outcome: placement.outcome, completes: placement.set.complete };
  }

  add(group: Group): void {
    this.#lastNumber = Math.max(this.#lastNumber, group.number);
    this.#byNumber.set(group.number, group);
    this.#byKey.set(group.key, [...(this.#byKey.get(group.key) ?? []), group]);
    this.#waiting += 1;
  }

  /** The group is shown as `row`, complete or not. */
  show(group: Group, row: MessageRow): void {
    group.row = row;
    this.#waiting -= 1;
    if (group.parts.complete) this.remove(group);
  }

  /** Nothing more is awaited. */
  remove(group: Group): void {
    this.#byNumber.delete(group.number);
    const others = (this.#byKey.get(group.key) ?? []).filter((other) => other !== group);
    if (others.length > 0) this.#byKey.set(group.key, others);
    else this.#byKey.delete(group.key);
  }

  /** In the order in which they began, those shown already included. */
  [Symbol.iterator](): Iterator<Group> {
    return this.#byNumber.values();
  }
}

function copyOf(parts: PartSet): PartSet {
  const copy = new PartSet(parts.total);
  for (let sequence = 1; sequence <= parts.total; sequence++) {
    const part = parts.get(sequence);
    if (part !== undefined) copy.add(part);
  }
  return copy;
}
