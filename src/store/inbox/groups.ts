import type { Clock } from '../../base/clock.ts';
import { type Concatenation, groupKey, type PartRecord, PartSet, type Placement, placePart } from '../../sms/index.ts';
import type { RecordRef } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';

/** Parts of one message, some still missing. */
export interface Group {
  readonly number: number;
  readonly key: string;
  readonly modem: string;
  /** The international form once one of the parts had it. */
  sender: string;
  readonly replaces: number;
  /** When the first of the parts came, ms since the epoch. */
  readonly since: number;
  /** When the last one came. */
  received: number;
  readonly parts: PartSet;
  refs: readonly RecordRef[];
  /** Set once the message is shown with parts missing. */
  shown?: MessageId;
}

export function keyOf(modem: string, concatenation: Concatenation): string {
  return `${modem}\n${groupKey(concatenation)}`;
}

/** Service centres send the parts of one message within this time, ms, when they give its sender in two forms. */
const FORMS_WINDOW = 10 * 60_000;
/** Significant digits that two forms share at the least. */
const FEWEST_DIGITS = 8;

/**
 * Whether two forms are surely one number: all digits of the international form are in the other one, after prefixes of
 * zeros (`+4917…`, `004917…`, `04917…`, `4917…`), or all but a country code of one to three digits, behind at
 * most one 0 (`017…`, `17…`). Shorter numbers and names are never another's form.
 */
function isOneNumber(a: string, b: string): boolean {
  if (a === b) return true;
  const [digitsA, digitsB] = [/^\+?0*([1-9][0-9]*)$/.exec(a)?.[1], /^\+?0*([1-9][0-9]*)$/.exec(b)?.[1]];
  if (digitsA === undefined || digitsB === undefined) return false;
  if (Math.min(digitsA.length, digitsB.length) < FEWEST_DIGITS) return false;
  if (digitsA === digitsB) return true;
  return isNationalOf(a, digitsA, b, digitsB) || isNationalOf(b, digitsB, a, digitsA);
}

function isNationalOf(form: string, digits: string, whole: string, international: string): boolean {
  const national = form === digits || form === `0${digits}`;
  if (!whole.startsWith('+') || !national || !international.endsWith(digits)) return false;
  const countryCode = international.length - digits.length;
  return countryCode >= 1 && countryCode <= 3;
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
  readonly #waiting = new Set<Group>();
  #lastNumber = 0;

  /** Groups that are not shown yet, in the order in which they began. */
  get waiting(): readonly Group[] {
    return [...this.#waiting];
  }

  get waitingCount(): number {
    return this.#waiting.size;
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
   * A group of the key that `part` of `sender` can join: not when its time stamp is more than `window` ms from theirs,
   * for then the sender uses a reference again. Without such a group, one whose sender is another form of the number;
   * of several nobody knows which, and the part stands alone.
   */
  find(key: string, sender: string, part: GroupPart, window: number): Joining | undefined {
    const groups = this.#byKey.get(key) ?? [];
    const near = (group: Group, ms: number) => group.parts.distance(part.time) <= ms;
    const own = groups.filter((group) => group.sender === sender && near(group, window));
    const joining = joiningOf(own, part);
    if (joining !== undefined) return joining;
    const forms = groups.filter(
      (group) =>
        group.sender !== sender && isOneNumber(group.sender, sender) && near(group, Math.min(window, FORMS_WINDOW)),
    );
    return new Set(forms.map((group) => group.sender)).size > 1 ? undefined : joiningOf(forms, part);
  }

  add(group: Group): void {
    this.#lastNumber = Math.max(this.#lastNumber, group.number);
    this.#byNumber.set(group.number, group);
    this.#byKey.set(group.key, [...(this.#byKey.get(group.key) ?? []), group]);
    this.#waiting.add(group);
  }

  /** The group is shown as a message, complete or not. */
  show(group: Group, id: MessageId): void {
    group.shown = id;
    this.#waiting.delete(group);
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

function joiningOf(candidates: readonly Group[], part: GroupPart): Joining | undefined {
  const copies = candidates.map(({ parts }) => copyOf(parts));
  const placement = placePart(copies, part);
  const group = placement && candidates[copies.indexOf(placement.set)];
  return placement && group && { group, outcome: placement.outcome, completes: placement.set.complete };
}

function copyOf(parts: PartSet): PartSet {
  const copy = new PartSet(parts.total);
  for (let sequence = 1; sequence <= parts.total; sequence++) {
    const part = parts.get(sequence);
    if (part !== undefined) copy.add(part);
  }
  return copy;
}

/** Looked at again at least this often while parts are missing: the wall clock may be stepped. Milliseconds. */
const LONGEST = 3_600_000;
/** After a group could not be shown because the store did not take it. */
const RETRY = 60_000;

export interface PartTimeoutOptions {
  readonly clock: Clock;
  readonly groups: Groups;
  /** Milliseconds from the first part. */
  timeout(): number;
  giveUp(group: Group): Promise<void>;
}

/** Waits for the moments when groups are given up. */
export class PartTimeout {
  readonly #options: PartTimeoutOptions;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: PartTimeoutOptions) {
    this.#options = options;
  }

  /** To be called when a group was added. */
  schedule(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const [next] = this.#options.groups.waiting.map((group) => this.#left(group)).sort((a, b) => a - b);
    if (next !== undefined) this.#wait(Math.min(Math.max(0, next), LONGEST));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #wait(ms: number): void {
    this.#cancel?.();
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(ms, () => void this.#giveUpDue());
  }

  async #giveUpDue(): Promise<void> {
    try {
      for (const group of this.#options.groups.waiting) if (this.#left(group) <= 0) await this.#options.giveUp(group);
      this.schedule();
    } catch {
      // The journal has reported why; the parts stay.
      this.#wait(RETRY);
    }
  }

  #left(group: Group): number {
    return group.since + this.#options.timeout() - this.#options.clock.now();
  }
}
