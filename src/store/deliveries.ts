import type { Clock } from '../base/clock.ts';
import { describeError, GatewayError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import { AbandonedDeliveries } from './deliveries/abandoned.ts';
import { encodeDispatch, encodePending, type Target, type Telling } from './deliveries/records.ts';
import { DeliveryTable } from './deliveries/table.ts';
import { type Counters, type Deliver, DeliveryWorker, type Tell, type Tried } from './deliveries/worker.ts';
import type { Inbox } from './inbox.ts';
import type { Entry, Journal } from './journal/journal.ts';
import type { InboxMessage, MessageId } from './message.ts';

export type { Target, Telling } from './deliveries/records.ts';
export type { Counters, Deliver, Tell, Tried } from './deliveries/worker.ts';

export interface DeliveriesOptions {
  /** Not yet open: the deliveries register their table. */
  readonly journal: Journal;
  readonly inbox: Inbox;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 to below 1, for the jitter of retries. */
  readonly random: () => number;
}

export interface ServeOptions {
  /** Ends the serving: deliveries under way see it abort, and those without an outcome stay pending. */
  readonly signal: AbortSignal;
  /** Deliveries of the module under way at once; 1 when absent. */
  readonly concurrency?: number;
  /** Deliveries to a target under way at once, begun in their order; 1 when absent. */
  readonly window?: (target: string) => number;
  /** Tells what became of sent messages; without it that is rejected. */
  readonly tell?: Tell;
  readonly tried?: Tried;
}

/** Tellings that wait for one target at the most: a client may ask for receipts and never take them. */
const MAX_TELLINGS = 10_000;

/**
 * What the modules still have to do with received messages, and to tell of sent ones. Each delivery is tried, with growing pauses and over
 * restarts, until it is done, rejected, or a month old and tried ten times. To one target messages go in their order: a
 * delivery that fails holds back those behind it, but not, or not for long, when the fault may be its own. Those of a module that
 * is switched off wait for it, and expire after three days. Once the journal is open, call `start`.
 */
export class Deliveries {
  readonly #table: DeliveryTable;
  readonly #options: DeliveriesOptions;
  readonly #workers = new Map<string, DeliveryWorker>();
  readonly #counters = new Map<string, Counters>();
  readonly #abandoned: AbandonedDeliveries;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    const { clock, log, inbox, journal } = options;
    const table = new DeliveryTable(clock);
    this.#table = table;
    journal.register(table);
    inbox.table.holds = (id) => table.has(id);
    table.onSettled = (id) => inbox.table.settle(id);
    this.#abandoned = new AbandonedDeliveries({
      ...{ table, clock, log },
      served: (module) => this.#workers.has(module),
      record: (record) => this.#record(record),
    });
  }

  /** Begins to expire what no module takes. */
  start(): void {
    this.#table.onPending = (module) => this.#woken(module);
    this.#abandoned.schedule();
  }

  stop(): void {
    this.#abandoned.stop();
  }

  /**
   * Stores which deliveries a message needs, perhaps none: from now on the message counts as dispatched. Resolves when
   * that is durable; asked again for the same message it does nothing. Throws GatewayError store_*.
   */
  async dispatch(id: MessageId, targets: readonly Target[]): Promise<void> {
    const { inbox, journal, clock } = this.#options;
    if (inbox.table.find(id)?.dispatched !== false) return;
    const deliveries = { table: this.#table.name, record: encodeDispatch(id, clock.now(), targets) };
    await journal.appendAll([...(targets.length > 0 ? [deliveries] : []), inbox.dispatched(id)], { makesRoom: true });
  }

  /** Messages that were received but not dispatched before the last stop, oldest first. */
  async undispatched(): Promise<readonly InboxMessage[]> {
    const { inbox, log } = this.#options;
    const messages: InboxMessage[] = [];
    for (const { id } of inbox.table.undispatched()) {
      try {
        const message = await inbox.content(id);
        if (message !== undefined) messages.push(message);
      } catch (error) {
        log.error(`message ${id} cannot be read for the modules: ${describeError(error)}`);
      }
    }
    return messages;
  }

  /** What is to be told of a sent message, as what must be stored for it. From then on it is a delivery like others. */
  tellings(id: MessageId, tellings: readonly Telling[]): readonly Entry[] {
    const { clock, log } = this.#options;
    const taken = tellings.filter(({ module, target }) => this.#table.waiting(module, target) < MAX_TELLINGS);
    if (taken.length < tellings.length) log.debug(`too much is to be told already, message ${id} is left out`);
    if (taken.length === 0) return [];
    const first = this.#table.nextItem(id);
    const pending = taken.map((telling, at) => ({ ...telling, item: first + at, attempts: 0, due: 0 }));
    return [{ table: this.#table.name, record: encodePending(id, clock.now(), pending) }];
  }

  /** Somebody can take deliveries to the target now: what waits for it is tried at once. */
  wake(module: string, target: string): void {
    this.#workers.get(module)?.call(target);
  }

  /** How many deliveries of the module wait. */
  pending(module: string): number {
    return this.#table.pending(module);
  }

  /** How the deliveries of the module ended since the start. */
  counters(module: string): Readonly<Counters> {
    return this.#countersOf(module);
  }

  /**
   * Makes the deliveries of a module until the signal aborts; resolves when none is under way any more. Throws
   * GatewayError wrong_state when somebody does so already.
   */
  async serve(
    module: string,
    deliver: Deliver,
    { signal, concurrency = 1, window = () => 1, tell, tried }: ServeOptions,
  ): Promise<void> {
    if (this.#workers.has(module)) throw new GatewayError('wrong_state', `somebody already delivers for ${module}`);
    const { inbox, clock, log, random } = this.#options;
    const worker = new DeliveryWorker({
      ...{ module, deliver, tell, tried, signal, concurrency, window, clock, random },
      table: this.#table,
      log: log.child(module),
      counters: this.#countersOf(module),
      content: ({ id }) => inbox.content(id),
      record: (record) => this.#record(record),
    });
    this.#workers.set(module, worker);
    worker.wake();
    await worker.ended();
    this.#workers.delete(module);
    this.#abandoned.schedule();
  }

  #woken(module: string): void {
    const worker = this.#workers.get(module);
    if (worker === undefined) this.#abandoned.schedule();
    else worker.wake();
  }

  #countersOf(module: string): Counters {
    const counters = this.#counters.get(module) ?? { done: 0, rejected: 0, expired: 0, retried: 0 };
    this.#counters.set(module, counters);
    return counters;
  }

  async #record(record: JsonObject): Promise<void> {
    await this.#options.journal.appendAll([{ table: this.#table.name, record }], { makesRoom: true });
  }
}
