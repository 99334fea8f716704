import type { Clock } from '../../base/clock.ts';
import { Columns } from '../../base/columns.ts';
import type { JsonObject } from '../../base/json.ts';
import type { LiveRecord, Table } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';
import { decodeRecord, encodePending, NO_MESSAGE, type Pending } from './records.ts';

/** Longest pause that a receiver may ask for, ms. */
export const LONGEST_ASKED = 86_400_000;
/** Seconds since the epoch. */
const LATEST = 2 ** 32 - 1;
/** After this many tries of a message that holds up those behind it, about two minutes, they go first. */
const PASSED_AFTER = 4;

/** A delivery that is still to be made. */
export interface DeliveryRow {
  readonly id: MessageId;
  readonly item: number;
  readonly module: string;
  readonly target: string;
  /** When the message was dispatched, ms since the epoch. */
  readonly since: number;
  attempts: number;
  /** Failed tries since somebody came to take it: the pause grows with them. Not stored: after a restart as `attempts`. */
  failures: number;
  /** Whether the fault may lie in the message, see DeliveryOutcome. Not stored: the next try says it again. */
  passable: boolean | 'at_once';
  /** Whether a try is being made, and whether somebody came to take it meanwhile. Not stored. */
  underWay: boolean;
  called: boolean;
  /** How often it found nobody to take it, and until when it waits for that, by the monotonic clock. Not stored. */
  waits: number;
  waitsUntil: number;
  /** Of a receipt or a modem event; undefined for a received message. */
  readonly note: string | undefined;
  /** Not to be tried before, by the monotonic clock: routers boot with any wall clock and then step it. */
  due: number;
}

/** What is to be done for one target of a module, first come first served, as numbers of rows; 0 for none. */
interface Queue {
  readonly module: string;
  readonly target: string;
  readonly number: number;
  first: number;
  last: number;
  size: number;
  /** Those that were looked at, and those that were tried: the others are only numbers. */
  readonly opened: Map<number, DeliveryRow>;
}

/** The durable state of all pending deliveries. Changes only when the journal applies a record. */
export class DeliveryTable implements Table {
  readonly name = 'dl';
  readonly #clock: Clock;
  /** A target that is away makes very many rows. Row 0 is nobody's, for 0 stands for none. */
  readonly #rows = new Columns(1);
  readonly #id = this.#rows.column('float64');
  readonly #item = this.#rows.column('uint32');
  /** Seconds since the epoch, from 1970 to 2106: a clock beyond is wrong. */
  readonly #since = this.#rows.column('uint32');
  readonly #queue = this.#rows.column('uint32');
  /** In its queue. */
  readonly #next = this.#rows.column('uint32');
  readonly #previous = this.#rows.column('uint32');
  /** The next one of its message. */
  readonly #sibling = this.#rows.column('uint32');
  /** Of the few that have one. */
  readonly #notes = new Map<number, string>();
  /** The first row of each message. */
  readonly #byMessage = new Map<MessageId, number>();
  /** By module, then by target. */
  readonly #queues = new Map<string, Map<string, Queue>>();
  readonly #queueNumbers = new Columns();
  readonly #queueAt: Queue[] = [];
  /** Called when the last delivery of a message has ended. */
  onSettled: (id: MessageId) => void = () => undefined;
  /** Called when a delivery of a message has ended without being made. */
  onFailed: (id: MessageId) => void = () => undefined;
  /** Called when a module got something to do. */
  onPending: (module: string) => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether deliveries of the message are pending. */
  has(id: MessageId): boolean {
    return this.#byMessage.has(id);
  }

  pending(module: string): number {
    let count = 0;
    for (const queue of this.#queuesOf(module)) count += queue.size;
    return count;
  }

  /** How many wait for the target. */
  waiting(module: string, target: string): number {
    return this.#queues.get(module)?.get(target)?.size ?? 0;
  }

  /** A number that no pending delivery of the message has, nor any above it. */
  nextItem(id: MessageId): number {
    let next = 0;
    for (const row of this.#ofMessage(id)) next = Math.max(next, this.#item.get(row) + 1);
    return next;
  }

  get modules(): Iterable<string> {
    return this.#queues.keys();
  }

  /**
   * The first delivery of each target that is not under way: the others must wait for it, unless a fault of its own holds
   * it up.
   */
  *heads(module: string): Iterable<DeliveryRow> {
    for (const queue of this.#queuesOf(module)) {
      for (let row = queue.first; row !== 0; row = this.#next.get(row)) {
        const delivery = this.#open(queue, row);
        if (delivery.underWay) continue;
        yield delivery;
        if (!lets(delivery)) break;
      }
    }
  }

  /** The first of each target, so many at most. */
  *first(module: string, count: number): Iterable<DeliveryRow> {
    for (const queue of this.#queuesOf(module)) {
      let left = count;
      for (let row = queue.first; row !== 0 && left > 0; row = this.#next.get(row), left--)
        yield this.#open(queue, row);
    }
  }

  /**
   * What was looked at or tried of what is to be done for the target, or for all targets when it is left out. Nothing
   * has happened to the rest.
   */
  *opened(module: string, target?: string): Iterable<DeliveryRow> {
    for (const queue of this.#queuesOf(module)) {
      if (target === undefined || queue.target === target) yield* queue.opened.values();
    }
  }

  apply(json: JsonObject): void {
    const record = decodeRecord(json);
    switch (record?.kind) {
      case undefined:
        return;
      case 'dispatch':
        for (const pending of record.pending) this.#add(record.id, record.since, pending);
        return;
      case 'retry': {
        const row = this.#find(record.id, record.item);
        const queue = this.#queueOf(row);
        if (row === 0 || queue === undefined) return;
        const delivery = this.#open(queue, row);
        delivery.attempts = record.attempts;
        delivery.failures += 1;
        delivery.due = this.#monotonic(record.due);
        return;
      }
      case 'end':
        if (!record.done) this.onFailed(record.id);
        this.#remove(record.id, record.item);
        return;
      default:
        record satisfies never;
    }
  }

  *live(): Iterable<LiveRecord> {
    for (const id of this.#byMessage.keys()) {
      const rows = [...this.#ofMessage(id)];
      const [first] = rows;
      // Events of modems came at different times.
      if (id === NO_MESSAGE) for (const row of rows) yield { record: this.#record(id, [row], row) };
      else if (first !== undefined) yield { record: this.#record(id, rows, first) };
    }
  }

  #record(id: MessageId, rows: readonly number[], first: number): JsonObject {
    const now = this.#clock.monotonic();
    const wall = this.#clock.now() - now;
    const pending = rows.flatMap((row) => {
      const queue = this.#queueOf(row);
      if (queue === undefined) return [];
      const { module, target } = queue;
      const { attempts = 0, due = 0 } = queue.opened.get(row) ?? {};
      // Of what is due no time is stored: the clock of the next start may be behind it.
      const at = due > now ? due + wall : 0;
      return [{ module, target, item: this.#item.get(row), attempts, due: at, note: this.#notes.get(row) }];
    });
    return encodePending(id, this.#since.get(first) * 1000, pending);
  }

  #monotonic(wall: number): number {
    const wait = wall - this.#clock.now();
    return this.#clock.monotonic() + Math.min(Math.max(0, wait), LONGEST_ASKED);
  }

  #queuesOf(module: string): Iterable<Queue> {
    return this.#queues.get(module)?.values() ?? [];
  }

  #queueOf(row: number): Queue | undefined {
    return this.#queueAt[this.#queue.get(row)];
  }

  *#ofMessage(id: MessageId): Iterable<number> {
    for (let row = this.#byMessage.get(id) ?? 0; row !== 0; row = this.#sibling.get(row)) yield row;
  }

  #find(id: MessageId, item: number): number {
    for (const row of this.#ofMessage(id)) if (this.#item.get(row) === item) return row;
    return 0;
  }

  /** The row as an object, which keeps what happens to it. */
  #open(queue: Queue, row: number): DeliveryRow {
    const present = queue.opened.get(row);
    if (present !== undefined) return present;
    const delivery: DeliveryRow = {
      id: this.#id.get(row) as MessageId,
      item: this.#item.get(row),
      module: queue.module,
      target: queue.target,
      since: this.#since.get(row) * 1000,
      note: this.#notes.get(row),
      ...{ attempts: 0, failures: 0, passable: false, underWay: false, called: false, waits: 0, waitsUntil: 0 },
      // Since it is the first of its target: what failed elsewhere and is due again must not wait behind all that comes.
      due: this.#clock.monotonic(),
    };
    queue.opened.set(row, delivery);
    return delivery;
  }

  #add(id: MessageId, since: number, { module, target, item, attempts, due, note }: Pending): void {
    let last = 0;
    for (const row of this.#ofMessage(id)) {
      if (this.#item.get(row) === item) return;
      last = row;
    }
    const queue = this.#queueFor(module, target);
    const row = this.#rows.take();
    this.#id.set(row, id);
    this.#item.set(row, item);
    this.#since.set(row, Math.min(Math.max(0, since / 1000), LATEST));
    this.#queue.set(row, queue.number);
    this.#sibling.set(row, 0);
    if (last === 0) this.#byMessage.set(id, row);
    else this.#sibling.set(last, row);
    this.#next.set(row, 0);
    this.#previous.set(row, queue.last);
    if (queue.last === 0) queue.first = row;
    else this.#next.set(queue.last, row);
    queue.last = row;
    queue.size += 1;
    if (note !== undefined) this.#notes.set(row, note);
    if (attempts > 0 || due > this.#clock.now()) {
      const delivery = this.#open(queue, row);
      delivery.attempts = attempts;
      delivery.failures = attempts;
      delivery.due = this.#monotonic(due);
    }
    this.onPending(module);
  }

  #queueFor(module: string, target: string): Queue {
    const targets = this.#queues.get(module) ?? new Map<string, Queue>();
    this.#queues.set(module, targets);
    const present = targets.get(target);
    if (present !== undefined) return present;
    const number = this.#queueNumbers.take();
    const queue = { module, target, number, first: 0, last: 0, size: 0, opened: new Map<number, DeliveryRow>() };
    targets.set(target, queue);
    this.#queueAt[number] = queue;
    return queue;
  }

  #remove(id: MessageId, item: number): void {
    const row = this.#find(id, item);
    const queue = this.#queueOf(row);
    if (row === 0 || queue === undefined) return;
    this.#leaveMessage(id, row);
    this.#leaveQueue(queue, row);
    this.#notes.delete(row);
    this.#rows.release(row);
    if (!this.has(id)) this.onSettled(id);
  }

  #leaveMessage(id: MessageId, row: number): void {
    const sibling = this.#sibling.get(row);
    if (this.#byMessage.get(id) !== row) {
      for (const other of this.#ofMessage(id)) if (this.#sibling.get(other) === row) this.#sibling.set(other, sibling);
    } else if (sibling === 0) this.#byMessage.delete(id);
    else this.#byMessage.set(id, sibling);
  }

  #leaveQueue(queue: Queue, row: number): void {
    const { module, target, number } = queue;
    const [previous, next] = [this.#previous.get(row), this.#next.get(row)];
    if (previous === 0) queue.first = next;
    else this.#next.set(previous, next);
    if (next === 0) queue.last = previous;
    else this.#previous.set(next, previous);
    queue.opened.delete(row);
    queue.size -= 1;
    if (queue.size > 0) return;
    const targets = this.#queues.get(module);
    targets?.delete(target);
    if (targets?.size === 0) this.#queues.delete(module);
    this.#queueNumbers.release(number);
  }
}

/** Whether those behind it may go first. */
function lets({ passable, attempts }: DeliveryRow): boolean {
  return passable === 'at_once' || (passable && attempts >= PASSED_AFTER);
}
