import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import { counted } from '../../base/printable.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { Entry, Journal } from '../journal/journal.ts';
import type { InboxMessage, MessageId } from '../message.ts';
import { encodeDispatch, encodeEnd, encodePending, NO_MESSAGE, type Pending, type WantedDelivery } from './records.ts';
import { type DeliveryRow, DeliveryTable } from './table.ts';
import { type Counters, type Deliver, DeliveryWorker, type Prepare, type Tried } from './worker.ts';

export type { DeliveryOutcome } from './attempt.ts';
export type { WantedDelivery } from './records.ts';
export type { Counters, Deliver, Delivery, Tried } from './worker.ts';

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
  /** Called while a delivery to the target is being stored, when none waits for it: see `DeliveryWorker.expect`. */
  readonly prepare?: Prepare;
  readonly tried?: Tried;
}

/** What the modules want done with a message, perhaps nothing. */
export interface DeliveryPlan {
  readonly id: MessageId;
  readonly wanted: readonly WantedDelivery[];
}

/** Receipts that may wait for one target: a client may ask for them and never take them. */
const MAX_RECEIPTS = 10_000;

/**
 * What the modules still have to do with received messages, and the receipts of sent ones. Each delivery is tried, with growing pauses and over
 * restarts, until it is done, rejected, or a month old and tried ten times. To one target messages go in their order: a
 * delivery that fails holds back those behind it, but not, or not for long, when the fault may be its own. Those of a module that
 * is switched off wait for it, and expire after three days. Once the journal is open, call `start`.
 */
export class Deliveries {
  readonly #table: DeliveryTable;
  readonly #options: DeliveriesOptions;
  readonly #workers = new Map<string, DeliveryWorker>();
  /** Modules whose deliveries were made in this run. */
  readonly #served = new Set<string>();
  readonly #counters = new Map<string, Counters>();
  readonly #abandoned: AbandonedDeliveries;
  /** Says which deliveries the modules want of a message that there is no room to keep. Set while they can be asked. */
  onNoRoom: ((message: InboxMessage) => Promise<readonly WantedDelivery[]>) | undefined;
  /**
   * Says which deliveries the modules want of a message that is about to be stored; undefined when they cannot say so at once,
   * or when the message must be read back first, which is undefined then. `dispatch` follows. Set while they can be asked.
   */
  onReceived: ((id: MessageId, message: InboxMessage | undefined) => readonly WantedDelivery[] | undefined) | undefined;
  /** The message that `onReceived` was asked about was not stored; another one may come under another number. */
  onNotStored: ((id: MessageId) => void) | undefined;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    const { clock, log, inbox, journal } = options;
    const table = new DeliveryTable(clock);
    this.#table = table;
    journal.register(table);
    inbox.table.holds = (id) => table.has(id);
    table.onSettled = (id) => inbox.table.settle(id);
    table.onFailed = (id) => inbox.table.keep(id);
    inbox.takers = async (message) => {
      const wanted = (await this.onNoRoom?.(message)) ?? [];
      if (wanted.every(({ incidental }) => incidental === true)) return undefined;
      return (id) => this.#dispatching({ id, wanted });
    };
    inbox.planned = (id, message) => {
      const wanted = this.onReceived?.(id, message);
      if (wanted === undefined) return [];
      for (const { module, target } of wanted) this.#workers.get(module)?.expect(target, message);
      return this.#dispatching({ id, wanted });
    };
    inbox.storing = () => {
      for (const worker of this.#workers.values()) worker.getReady();
    };
    inbox.notStored = (id) => {
      for (const worker of this.#workers.values()) worker.expectNothing();
      this.onNotStored?.(id);
    };
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
   * Stores which deliveries messages need: from now on they count as dispatched. Resolves when that is durable; asked again
   * for the same message it does nothing. The order of the plans is that of the deliveries. Throws GatewayError store_*.
   */
  async dispatch(plans: readonly DeliveryPlan[]): Promise<void> {
    const { journal } = this.#options;
    const open = plans.filter(({ id }) => !this.isDispatched(id));
    await Promise.all(open.map((plan) => journal.appendAll(this.#dispatching(plan), { makesRoom: true })));
  }

  /** Whether it is stored what the message needs; also when the message is gone. */
  isDispatched(id: MessageId): boolean {
    return this.#options.inbox.table.find(id)?.dispatched !== false;
  }

  /** Messages of which no module was asked yet, also before the last stop, oldest first. */
  undispatched(): readonly MessageId[] {
    return this.#options.inbox.table.undispatched();
  }

  /** The message, for the modules; undefined when it is dispatched, is gone, or cannot be read. */
  async undispatchedMessage(id: MessageId): Promise<InboxMessage | undefined> {
    if (this.isDispatched(id)) return undefined;
    const { inbox, log } = this.#options;
    try {
      return await inbox.content(id);
    } catch (error) {
      log.error(`message ${id} cannot be read for the modules: ${describeError(error)}`);
      return undefined;
    }
  }

  /** The receipts of a sent message, as what must be stored for them. From then on they are deliveries like others. */
  receipts(id: MessageId, wanted: readonly WantedDelivery[]): readonly Entry[] {
    const { clock, log } = this.#options;
    const taken = wanted.filter(({ module, target }) => this.#table.waiting(module, target) < MAX_RECEIPTS);
    if (taken.length < wanted.length) log.debug(`too many receipts wait already, message ${id} gets none`);
    if (taken.length === 0) return [];
    return [{ table: this.#table.name, record: encodePending(id, clock.now(), this.#pending(id, taken)) }];
  }

  #pending(id: MessageId, wanted: readonly WantedDelivery[]): readonly Pending[] {
    const first = this.#table.nextItem(id);
    return wanted.map(({ module, target, note = '' }, at) => ({
      ...{ module, target, note },
      ...{ item: first + at, attempts: 0, due: 0 },
    }));
  }

  /**
   * Stores deliveries of something that is no message; all that is kept of it are the notes. Where `most` wait for a target
   * already it gets no more: what began it is worth more. Resolves when they are durable. To be called one after the other.
   * Throws GatewayError store_*.
   */
  async modemEvent(wanted: readonly WantedDelivery[], most: number): Promise<void> {
    const { clock, log, journal } = this.#options;
    const taken = wanted.filter(({ module, target }) => this.#table.waiting(module, target) < most);
    if (taken.length < wanted.length) log.debug('an event is dropped, as too much waits for its target already');
    if (taken.length === 0) return;
    const record = encodePending(NO_MESSAGE, clock.now(), this.#pending(NO_MESSAGE, taken));
    await journal.appendAll([{ table: this.#table.name, record }], { reserved: true });
  }

  /** Somebody can take deliveries to the target now: what waits for it is tried at once. */
  wake(module: string, target: string): void {
    this.#workers.get(module)?.call(target);
  }

  /** How many deliveries of the module wait. */
  pending(module: string): number {
    return this.#table.pending(module);
  }

  /** When the first of the module's deliveries that have failed is tried again, ms since the epoch; undefined for none. */
  nextTry(module: string): number | undefined {
    const { clock } = this.#options;
    const failed = [...this.#table.heads(module)].filter(({ attempts }) => attempts > 0).map(({ due }) => due);
    return failed.length === 0 ? undefined : clock.now() + Math.max(0, Math.min(...failed) - clock.monotonic());
  }

  /** How the deliveries of the module ended since the start. */
  counters(module: string): Readonly<Counters> {
    return this.#countersOf(module);
  }

  /**
   * Makes the deliveries of a module until the signal aborts; resolves when none is under way any more. Throws
   * GatewayError wrong_state when it is served already.
   */
  async serve(
    module: string,
    deliver: Deliver,
    { signal, concurrency = 1, window = () => 1, prepare = () => {}, tried }: ServeOptions,
  ): Promise<void> {
    if (this.#workers.has(module))
      throw new GatewayError('wrong_state', `the deliveries of ${module} are served already`);
    const { inbox, clock, log, random } = this.#options;
    const worker = new DeliveryWorker({
      ...{ module, deliver, prepare, tried, signal, concurrency, window, clock, random },
      isRestarted: this.#served.has(module),
      table: this.#table,
      log: log.child(module),
      counters: this.#countersOf(module),
      content: ({ id }) => inbox.content(id),
      record: (record) => this.#record(record),
    });
    this.#workers.set(module, worker);
    this.#served.add(module);
    worker.wake();
    await worker.ended();
    this.#workers.delete(module);
    this.#abandoned.schedule();
  }

  #dispatching({ id, wanted }: DeliveryPlan): readonly Entry[] {
    const { inbox, clock } = this.#options;
    const deliveries = { table: this.#table.name, record: encodeDispatch(id, clock.now(), wanted) };
    return [...(wanted.length > 0 ? [deliveries] : []), inbox.dispatched(id)];
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

interface AbandonedOptions {
  readonly table: DeliveryTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether somebody makes the deliveries of the module. */
  served(module: string): boolean;
  record(record: JsonObject): Promise<void>;
}

/** How long a delivery waits for its module to be switched on again, milliseconds. */
const LIFETIME = 3 * 86_400_000;
/** Time for modules to start, and for the clock to be set, before anything expires. Milliseconds. */
const EARLIEST = 3_600_000;
/** Of each target: they share the store's sync. */
const EXPIRED_AT_ONCE = 256;

/** Lets the deliveries of modules that are switched off expire. */
class AbandonedDeliveries {
  readonly #options: AbandonedOptions;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: AbandonedOptions) {
    this.#options = options;
  }

  /** To be called when there may be more of them, or when there is nobody for them any more. */
  schedule(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#stopped) return;
    const [first] = this.#first(1).sort((a, b) => a.since - b.since);
    if (first === undefined) return;
    const left = first.since + LIFETIME - this.#options.clock.now();
    this.#cancel = this.#options.clock.after(Math.min(Math.max(EARLIEST, left), LIFETIME), () => void this.#expire());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #expire(): Promise<void> {
    const { clock, log, record } = this.#options;
    const old = () => this.#first(EXPIRED_AT_ONCE).filter(({ since }) => clock.now() - since >= LIFETIME);
    let lost = 0;
    try {
      for (let expired = old(); expired.length > 0 && !this.#stopped; expired = old()) {
        await Promise.all(expired.map(({ id, item }) => record(encodeEnd(id, item, 'expired'))));
        lost += expired.length;
      }
    } catch (error) {
      log.warning(`deliveries could not expire: ${describeError(error)}`);
    }
    if (lost > 0) {
      log.warning(
        `modules that are switched off lose what waited too long: ${counted(lost, 'delivery', 'deliveries')}`,
      );
    }
    this.schedule();
  }

  /** The first of each target whose module is not there, so many at most. */
  #first(count: number): DeliveryRow[] {
    const { table, served } = this.#options;
    return [...table.modules].filter((module) => !served(module)).flatMap((module) => [...table.first(module, count)]);
  }
}
