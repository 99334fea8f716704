import type { PhoneNumber } from '../../base/phone-number.ts';
import type { MessageId } from '../message.ts';
import { progress, progressOf } from './part.ts';
import type { OutboxRow } from './row.ts';

/** A part whose answer from the modem never came. */
export interface Doubt {
  readonly entry: QueueEntry;
  readonly part: number;
  readonly modem: string;
  /** The TP-MR that it has if it was sent, when that can be foretold. */
  mr?: number | undefined;
  /** The modem gave an error, which is no proof: a TP-MR that is gone, or the lack of evidence, decides as well. */
  open?: boolean;
}

/** Why an entry is not available to a modem. `until` is by the monotonic clock. */
type Hold =
  /** Its `notBefore` has not come: it does not hold up others either. */
  | { readonly type: 'scheduled' }
  /** A modem has it. */
  | { readonly type: 'taken'; readonly modem: string }
  /** Its last try failed; `refused`, if the network perhaps took it although the modem said that it did not. */
  | { readonly type: 'resting'; readonly until: number; readonly refused?: Doubt | undefined }
  | { readonly type: 'doubtful'; readonly doubt: Doubt; readonly until: number }
  /** The outbox is writing a change of it. */
  | { readonly type: 'changing' };

/** A waiting message as the queue sees it. It runs ahead of its row, which follows when the journal has the records. */
export class QueueEntry {
  readonly row: OutboxRow;
  /** First part that no modem has accepted. */
  next: number;
  /** The modem that must send it; undefined for any. */
  boundTo: string | undefined;
  /** Modems whose SIM the network lets send nothing, and the one that is to send it in their place. */
  readonly barred = new Set<string>();
  #instead: string | undefined;
  /** Some part was accepted or perhaps sent. */
  begun: boolean;
  failures: number;
  /** How often a modem called it wrong, and how many parts that modem had taken by then. */
  wrong: { readonly tries: number; readonly taken: number } | undefined;
  hold: Hold | undefined;
  /** What became of its last part is being written: its row lags behind. */
  settling = false;

  constructor(row: OutboxRow) {
    this.row = row;
    this.next = row.nextUnsent();
    this.boundTo = row.boundTo;
    this.begun = row.begun;
    this.failures = row.failures;
  }

  get id(): MessageId {
    return this.row.id;
  }

  /** Whether the submitter may still change or cancel it: no modem has, had, or perhaps had any of it. */
  get untouched(): boolean {
    return !this.begun && !this.inHand;
  }

  /** A part was given to a modem, and the journal has no outcome; at a start, because the earlier run ended before it came. */
  get interrupted(): boolean {
    return progressOf(this.row.parts[this.next] ?? 0) === progress.attempted;
  }

  /** Takes over what has become durable; whether that changes its place in the queue. */
  follow(): boolean {
    this.settling = false;
    const { begun, boundTo = this.#instead } = this.row;
    if (this.begun === begun && this.boundTo === boundTo) return false;
    this.begun = begun;
    this.boundTo = boundTo;
    return true;
  }

  /** Another modem sends it, or with undefined any again. */
  divert(modem: string | undefined): void {
    this.#instead = modem;
    this.boundTo = this.row.boundTo ?? modem;
  }

  get diverted(): string | undefined {
    return this.#instead;
  }

  /** A modem has a part of it, or its fate is being found out, or written. */
  get inHand(): boolean {
    return this.hold !== undefined && this.hold.type !== 'resting' && this.hold.type !== 'scheduled';
  }

  /** Parts that no modem has accepted. */
  get unsent(): number {
    return this.row.parts.length - this.next;
  }

  get refused(): Doubt | undefined {
    return this.hold?.type === 'resting' ? this.hold.refused : undefined;
  }

  get doubt(): Doubt | undefined {
    return this.hold?.type === 'doubtful' ? this.hold.doubt : undefined;
  }
}

const PRIORITIES = [3, 2, 1, 0];

/** Every fourth turn goes to the message that has waited longest, if that is longer than this. */
const AGED_MS = 10 * 60_000;
const AGED_TURN = 4;

/** Messages that go the same way to one recipient; only the first is available. */
interface Lane {
  readonly entries: Ordered<QueueEntry>;
  /** Where the first one stands while it is available. */
  readonly heads: Ordered<QueueEntry>;
  head: QueueEntry | undefined;
}

/**
 * Messages that wait to be sent, and whose turn it is. High priority goes first; a share of the turns is for messages
 * that have waited long, so that none starves. Messages to one recipient keep their order, except that a higher priority overtakes,
 * and a message for another modem does not hold up the others. While a message to a recipient is begun, no other
 * goes to this recipient: the parts of a long message stay together, unless the rest of them has to wait for long.
 */
export class SendQueue {
  readonly #entries = new Ordered<QueueEntry>();
  readonly #lanes = new Map<string, Lane>();
  readonly #laneOf = new Map<QueueEntry, string>();
  /** Available entries, by modem (empty for any) and priority. */
  readonly #heads = new Map<string, Ordered<QueueEntry>>();
  /** Recipients to whom a message is under way. */
  readonly #underWay = new Map<PhoneNumber, QueueEntry>();
  readonly #goesSoon: (begun: QueueEntry) => boolean;
  #turn = 0;

  /** `goesSoon`: whether the modem that has begun a message goes on with it before long. */
  constructor(goesSoon: (begun: QueueEntry) => boolean) {
    this.#goesSoon = goesSoon;
  }

  get size(): number {
    return this.#entries.size;
  }

  [Symbol.iterator](): Iterator<QueueEntry> {
    return this.#entries[Symbol.iterator]();
  }

  /** Whether any message is available to some modem, as far as its recipient allows. */
  get hasHeads(): boolean {
    for (const list of this.#heads.values()) if (list.size > 0) return true;
    return false;
  }

  get(id: MessageId): QueueEntry | undefined {
    return this.#entries.get(id);
  }

  /** Whether nothing is under way to this recipient, and nothing waits that goes the same way. */
  idle(number: PhoneNumber, modem = ''): boolean {
    return (
      !this.#holdsUp(this.#underWay.get(number)) &&
      !PRIORITIES.some((priority) => this.#lanes.has(laneKey(modem, priority, number, false)))
    );
  }

  add(entry: QueueEntry): void {
    this.#entries.add(entry);
    this.changed(entry);
  }

  delete(entry: QueueEntry): void {
    this.#entries.delete(entry.id);
    this.#leaveLane(entry);
    if (this.#underWay.get(entry.row.number) === entry) this.#underWay.delete(entry.row.number);
  }

  /** To be called after each change of the entry's hold, binding or beginning. */
  changed(entry: QueueEntry): void {
    const { number, priority } = entry.row;
    const key = laneKey(entry.boundTo ?? '', priority, number, entry.begun);
    if (entry.hold?.type === 'scheduled') this.#leaveLane(entry);
    else this.#enterLane(entry, key);
    const other = this.#underWay.get(number);
    if (entry.begun || entry.hold?.type === 'taken' || entry.diverted !== undefined) {
      // One whose rest has to wait does not take the place of one that goes on.
      if (other === undefined || entry.inHand || !this.#holdsUp(other)) this.#underWay.set(number, entry);
    } else if (other === entry) this.#underWay.delete(number);
  }

  /** Parts that this modem still owes of messages that it has begun. */
  owed(modem: string): number {
    let parts = 0;
    for (const { begun, boundTo, unsent } of this.#underWay.values()) if (begun && boundTo === modem) parts += unsent;
    return parts;
  }

  /**
   * Takes the message whose turn it is on this modem, of those that it may send; `now` by the wall clock. `any`: perhaps also
   * one meant for no modem.
   */
  take(modem: string, now: number, any: boolean, may: (entry: QueueEntry) => boolean): QueueEntry | undefined {
    return this.#taken(this.#choose(any ? ['', modem] : [modem], now, may), modem);
  }

  /** The same of messages alone that this modem has begun. */
  takeBegun(modem: string): QueueEntry | undefined {
    const isReady = ({ begun, boundTo, hold }: QueueEntry) => begun && boundTo === modem && hold === undefined;
    return this.#taken([...this.#underWay.values()].find(isReady), modem);
  }

  #taken(entry: QueueEntry | undefined, modem: string): QueueEntry | undefined {
    if (entry === undefined) return undefined;
    this.#turn += 1;
    entry.hold = { type: 'taken', modem };
    this.changed(entry);
    return entry;
  }

  #choose(modems: readonly string[], now: number, may: (entry: QueueEntry) => boolean): QueueEntry | undefined {
    const candidates = PRIORITIES.flatMap((priority) =>
      modems
        .map((modem) => this.#firstFree(headsKey(modem, priority), may))
        .filter((entry) => entry !== undefined)
        .sort((a, b) => a.id - b.id),
    );
    const [first] = candidates;
    if (this.#turn % AGED_TURN !== AGED_TURN - 1) return first;
    const [oldest] = candidates.sort((a, b) => a.row.waitingSince - b.row.waitingSince);
    return oldest !== undefined && now - oldest.row.waitingSince > AGED_MS ? oldest : first;
  }

  /** First entry of a list that may go and whose recipient has no other message under way. */
  #firstFree(key: string, may: (entry: QueueEntry) => boolean): QueueEntry | undefined {
    for (const entry of this.#heads.get(key) ?? []) {
      const underWay = this.#underWay.get(entry.row.number);
      if ((underWay === entry || !this.#holdsUp(underWay)) && may(entry)) return entry;
    }
    return undefined;
  }

  /** An alarm must not wait for the rest of a message whose modem is broken or taken away. */
  #holdsUp(underWay: QueueEntry | undefined): boolean {
    if (underWay === undefined) return false;
    return underWay.inHand || underWay.settling || this.#goesSoon(underWay);
  }

  #enterLane(entry: QueueEntry, key: string): void {
    if (this.#laneOf.get(entry) !== key) {
      this.#leaveLane(entry);
      this.#laneOf.set(entry, key);
      const lane = this.#lanes.get(key) ?? this.#newLane(key, entry);
      lane.entries.add(entry);
    }
    this.#refresh(key);
  }

  #newLane(key: string, entry: QueueEntry): Lane {
    const list = headsKey(entry.boundTo ?? '', entry.row.priority);
    const heads = this.#heads.get(list) ?? new Ordered<QueueEntry>();
    this.#heads.set(list, heads);
    const lane: Lane = { entries: new Ordered(), heads, head: undefined };
    this.#lanes.set(key, lane);
    return lane;
  }

  #leaveLane(entry: QueueEntry): void {
    const key = this.#laneOf.get(entry);
    if (key === undefined) return;
    this.#laneOf.delete(entry);
    this.#lanes.get(key)?.entries.delete(entry.id);
    this.#refresh(key);
  }

  /** Lists the lane's first entry if it is available, and forgets an empty lane. */
  #refresh(key: string): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    const { first } = lane.entries;
    const head = first?.hold === undefined ? first : undefined;
    if (head !== lane.head) {
      if (lane.head !== undefined) lane.heads.delete(lane.head.id);
      if (head !== undefined) lane.heads.add(head);
      lane.head = head;
    }
    if (first === undefined) this.#lanes.delete(key);
  }
}

/** A begun message has a lane of its own: what came before it to that recipient waits until it is complete. */
const laneKey = (modem: string, priority: number, number: PhoneNumber, begun: boolean) =>
  `${modem}/${priority}/${number}${begun ? '/begun' : ''}`;
const headsKey = (modem: string, priority: number) => `${modem}/${priority}`;

/** Things in the order of their message ids, in one flat array: eight octets each, and any id found by bisection. */
export class Ordered<T extends { readonly id: MessageId }> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  get(id: MessageId): T | undefined {
    const item = this.#items[this.#position(id)];
    return item?.id === id ? item : undefined;
  }

  /** The first one with this id or a higher one. Safe to walk with while items change. */
  from(id: number): T | undefined {
    return this.#items[this.#position(id)];
  }

  /** The last one with a lower id. */
  before(id: number): T | undefined {
    return this.#items[this.#position(id) - 1];
  }

  /** Adds the item, or takes the place of the one with its id. */
  add(item: T): void {
    const at = this.#position(item.id);
    this.#items.splice(at, this.#items[at]?.id === item.id ? 1 : 0, item);
  }

  delete(id: MessageId): boolean {
    const at = this.#position(id);
    if (this.#items[at]?.id !== id) return false;
    if (at === 0) this.#items.shift();
    else this.#items.splice(at, 1);
    return true;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  /** Where `id` stands or would stand. New ids are the highest, so the end is tried first. */
  #position(id: number): number {
    let [low, high] = [0, this.#items.length];
    if ((this.#items[high - 1]?.id ?? 0) < id) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle]?.id ?? 0) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
