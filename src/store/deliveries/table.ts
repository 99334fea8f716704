import type { Clock } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { LiveRecord, Table } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';
import { decodeRecord, encodePending, NO_MESSAGE, type Pending } from './records.ts';

/** Longest pause that a receiver may ask for, ms. */
export const LONGEST_ASKED = 86_400_000;
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

/** The durable state of all pending deliveries. Changes only when the journal applies a record. */
export class DeliveryTable implements Table {
  readonly name = 'dl';
  readonly #clock: Clock;
  readonly #byMessage = new Map<MessageId, Map<number, DeliveryRow>>();
  /** By module, then by target, first come first served. */
  readonly #queues = new Map<string, Map<string, DeliveryRow[]>>();
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
    for (const queue of this.#queues.get(module)?.values() ?? []) count += queue.length;
    return count;
  }

  /** How many wait for the target. */
  waiting(module: string, target: string): number {
    return this.#queues.get(module)?.get(target)?.length ?? 0;
  }

  /** Whether there is one for the target that is not under way. */
  hasMore(module: string, target: string): boolean {
    return (
      this.#queues
        .get(module)
        ?.get(target)
        ?.some(({ underWay }) => !underWay) === true
    );
  }

  /** A number that no pending delivery of the message has, nor any above it. */
  nextItem(id: MessageId): number {
    return Math.max(-1, ...(this.#byMessage.get(id)?.keys() ?? [])) + 1;
  }

  get modules(): Iterable<string> {
    return this.#queues.keys();
  }

  /**
   * The first delivery of each target that is not under way: the others must wait for it, unless a fault of its own holds
   * it up.
   */
  *heads(module: string): Iterable<DeliveryRow> {
    for (const queue of this.#queues.get(module)?.values() ?? []) {
      for (const delivery of queue) {
        if (delivery.underWay) continue;
        yield delivery;
        if (!lets(delivery)) break;
      }
    }
  }

  /** Everything that is to be done for the target, in order; of all targets when it is left out. */
  *all(module: string, target?: string): Iterable<DeliveryRow> {
    for (const [each, queue] of this.#queues.get(module) ?? []) {
      if (target === undefined || each === target) yield* queue;
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
        const delivery = this.#byMessage.get(record.id)?.get(record.item);
        if (delivery === undefined) return;
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
    const wall = this.#clock.now() - this.#clock.monotonic();
    for (const [id, deliveries] of this.#byMessage) {
      const pending = [...deliveries.values()].map((delivery) => ({ ...delivery, due: delivery.due + wall }));
      const [first] = pending;
      // Events of modems came at different times.
      if (id === NO_MESSAGE) for (const each of pending) yield { record: encodePending(id, each.since, [each]) };
      else if (first !== undefined) yield { record: encodePending(id, first.since, pending) };
    }
  }

  #monotonic(wall: number): number {
    const wait = wall - this.#clock.now();
    return this.#clock.monotonic() + Math.min(Math.max(0, wait), LONGEST_ASKED);
  }

  #add(id: MessageId, since: number, { module, target, item, attempts, due, note }: Pending): void {
    const delivery: DeliveryRow = {
      ...{ id, item, module, target, since, attempts, failures: attempts, note },
      ...{ passable: false, underWay: false, called: false, waits: 0, waitsUntil: 0 },
      due: this.#monotonic(due),
    };
    const deliveries = getOrMake(this.#byMessage, id, () => new Map<number, DeliveryRow>());
    if (deliveries.has(item)) return;
    deliveries.set(item, delivery);
    getOrMake(
      getOrMake(this.#queues, module, () => new Map()),
      target,
      (): DeliveryRow[] => [],
    ).push(delivery);
    this.onPending(module);
  }

  #remove(id: MessageId, item: number): void {
    const deliveries = this.#byMessage.get(id);
    const delivery = deliveries?.get(item);
    if (deliveries === undefined || delivery === undefined) return;
    deliveries.delete(item);
    const targets = this.#queues.get(delivery.module);
    const queue = targets?.get(delivery.target) ?? [];
    queue.splice(queue.indexOf(delivery), 1);
    if (queue.length === 0) targets?.delete(delivery.target);
    if (targets?.size === 0) this.#queues.delete(delivery.module);
    if (deliveries.size > 0) return;
    this.#byMessage.delete(id);
    this.onSettled(id);
  }
}

/** Whether those behind it may go first. */
function lets({ passable, attempts }: DeliveryRow): boolean {
  return passable === 'at_once' || (passable && attempts >= PASSED_AFTER);
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}
