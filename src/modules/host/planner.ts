import { budgets } from '../../access/budgets.ts';
import { BackOff } from '../../base/back-off.ts';
import type { EventSource } from '../../base/bus.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Deliveries, DeliveryPlan, WantedDelivery } from '../../store/deliveries/deliveries.ts';
import type { InboxMessage, MessageId, StoreEvents } from '../../store/message.ts';
import type { Outbox } from '../../store/outbox/outbox.ts';
import type { ModemEvent } from './contract.ts';
import { type ModemEventSource, ModemWatch } from './modem-watch.ts';
import type { ModuleRegistry } from './registry.ts';

/** After the store refused to note what a message needs. */
const RETRY_MS = 30_000;
/** Between looks at messages that the disk did not give back. */
const UNREADABLE = { first: 30_000, longest: 86_400_000 };
/** Outcomes of sent messages that go before a received one. */
const OUTCOMES_IN_A_ROW = 100;
/** Received messages whose plans are noted together: they share the store's sync. */
const BATCH = 64;

export interface PlannerOptions {
  readonly bus: EventSource<StoreEvents & ModemEventSource>;
  readonly deliveries: Deliveries;
  readonly outbox: Outbox;
  readonly modules: ModuleRegistry;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Asks the modules which deliveries each received message and each outcome of a sent one need, and has the store note them in
 * one record. From then on the deliveries outlive the daemon; after a restart the modules are asked about what was not noted
 * yet. Of events of modems only the deliveries are kept.
 */
export class DeliveryPlanner {
  readonly #options: PlannerOptions;
  /** One message after the other: modules see them in the order in which they came. */
  #turn: Promise<void> = Promise.resolve();
  /** Messages that are being stored without a plan, in the order of their ids. */
  #coming: MessageId[] = [];
  /** Stored messages without a plan, oldest first. Only their ids: a burst must not fill the memory. */
  #unplanned: MessageId[] = [];
  /** The modules are being asked about some of these. */
  #asking = false;
  readonly #stopping = new AbortController();
  #failing = false;
  #outcomesAwait = false;
  /** While a catch-up is due: until then nothing is planned, for what comes now is behind what it takes up. */
  #cancelRetry: (() => void) | undefined;
  /** Messages that could not be read, and are looked at again. */
  readonly #unreadable = new Set<MessageId>();
  readonly #looks = new BackOff(UNREADABLE);
  #cancelLook: (() => void) | undefined;
  readonly #modemWatch: ModemWatch;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#modemWatch = new ModemWatch(options.bus, options.clock, (event) =>
      this.#enqueue(() => this.#modemEvent(event)),
    );
  }

  /** To be called when the modules have started. */
  start(): void {
    this.#options.bus.on('sms.received', this, ({ id }) => {
      // Those before it have come, or could not be stored.
      while (this.#coming[0] !== undefined && this.#coming[0] <= id) this.#coming.shift();
      if (this.#cancelRetry === undefined && !this.#options.deliveries.isDispatched(id)) this.#planLater([id]);
    });
    this.#options.outbox.pendingOutcomes.onOutcome = () => this.#askOutcomes();
    this.#modemWatch.start();
    this.#options.deliveries.onNoRoom = (message) => this.#wantedOf(message);
    this.#options.deliveries.onReceived = (id, message) => this.#wantedNow(id, message);
    this.#options.deliveries.onNotStored = (id) => this.#notStored(id);
    this.#catchUp();
  }

  /** Resolves when no message is being dispatched any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#options.bus.off(this);
    this.#modemWatch.stop();
    this.#options.outbox.pendingOutcomes.onOutcome = undefined;
    this.#options.deliveries.onNoRoom = undefined;
    this.#options.deliveries.onReceived = undefined;
    this.#options.deliveries.onNotStored = undefined;
    this.#cancelRetry?.();
    this.#cancelLook?.();
    await this.#turn;
  }

  /** Takes up the messages and outcomes of which the store has no plan yet. */
  #catchUp(): void {
    this.#unplanned = [];
    this.#unreadable.clear();
    this.#planLater(this.#options.deliveries.undispatched());
    this.#outcomesAwait = false;
    this.#askOutcomes();
  }

  #planLater(ids: readonly MessageId[]): void {
    if (ids.length === 0) return;
    const begins = this.#unplanned.length === 0;
    for (const id of ids) this.#unplanned.push(id);
    if (begins) this.#enqueue(() => this.#planAll());
  }

  /** In batches, until none is without a plan. */
  async #planAll(): Promise<void> {
    while (this.#unplanned.length > 0 && !this.#stopping.signal.aborted && this.#cancelRetry === undefined) {
      await this.#plan(this.#unplanned.splice(0, BATCH));
    }
    if (this.#unreadable.size === 0) this.#looks.reset();
    else if (!this.#stopping.signal.aborted) this.#lookAgain();
  }

  /** A disk that does not give a message now may do so later. */
  #lookAgain(): void {
    this.#cancelLook ??= this.#options.clock.after(this.#looks.next(), () => {
      this.#cancelLook = undefined;
      // One that is due looks at all.
      if (this.#cancelRetry === undefined) this.#catchUp();
    });
  }

  async #plan(ids: readonly MessageId[]): Promise<void> {
    const { deliveries } = this.#options;
    let stored: Promise<void>;
    this.#asking = true;
    try {
      const plans: DeliveryPlan[] = [];
      for (const id of ids) {
        const message = await deliveries.undispatchedMessage(id);
        if (message !== undefined) plans.push({ id, wanted: await this.#ask(message) });
        else if (!deliveries.isDispatched(id)) this.#unreadable.add(id);
      }
      stored = deliveries.dispatch(plans);
    } finally {
      this.#asking = false;
    }
    await stored;
    this.#failing = false;
  }

  #askOutcomes(): void {
    if (this.#outcomesAwait) return;
    this.#outcomesAwait = true;
    this.#enqueue(async () => {
      this.#outcomesAwait = false;
      for (let count = 0; count < OUTCOMES_IN_A_ROW; count++) if (!(await this.#askOutcome())) return;
      this.#askOutcomes();
    });
  }

  /** Whether there was one. */
  async #askOutcome(): Promise<boolean> {
    const { outbox, deliveries, modules } = this.#options;
    const outcome = await outbox.pendingOutcomes.next();
    if (outcome === undefined) return false;
    const { message } = outcome;
    const wanted = await modules.deliveriesFor({ kind: 'receipt', message }, this.#stopping.signal);
    await outbox.pendingOutcomes.asked(outcome, deliveries.receipts(message.id, wanted));
    return true;
  }

  #enqueue(step: () => Promise<void>): void {
    void this.#inTurn(() => this.#run(step));
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step);
    this.#turn = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #run(step: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    try {
      await step();
    } catch (error) {
      // What is not noted now is after the next start.
      if (signal.aborted) return;
      if (!this.#failing) log.error(`cannot hand messages to the modules, will try again: ${describeError(error)}`);
      this.#failing = true;
      this.#cancelRetry?.();
      this.#cancelRetry = clock.after(RETRY_MS, () => {
        this.#cancelRetry = undefined;
        this.#catchUp();
      });
    }
  }

  /**
   * At once, for a message that is stored together with its plan. Not before those that came earlier: undefined while any of
   * them has none, and for one that must be read back first.
   */
  #wantedNow(id: MessageId, message: InboxMessage | undefined): readonly WantedDelivery[] | undefined {
    const isFirst = this.#coming.length === 0 && this.#unplanned.length === 0 && !this.#asking && !this.#failing;
    const wanted =
      message === undefined || !isFirst ? undefined : this.#options.modules.deliveriesNow({ kind: 'message', message });
    if (wanted === undefined) this.#coming.push(id);
    return wanted;
  }

  #notStored(id: MessageId): void {
    const at = this.#coming.indexOf(id);
    if (at >= 0) this.#coming.splice(at, 1);
  }

  /** In its turn, as `#planAll`: for a message that is stored together with its plan, or not at all. */
  #wantedOf(message: InboxMessage): Promise<readonly WantedDelivery[]> {
    return this.#inTurn(() => this.#ask(message));
  }

  /** What the store cannot take is lost: the next state of the modem follows. */
  async #modemEvent(modemEvent: ModemEvent): Promise<void> {
    const { deliveries, modules, log } = this.#options;
    const wanted = await modules.deliveriesFor({ kind: 'modem', modemEvent }, this.#stopping.signal);
    try {
      await deliveries.modemEvent(wanted, budgets.events.waiting.limit);
    } catch (error) {
      log.warning(
        `${modemEvent.event} of ${modemEvent.modem} is dropped and reaches no function: ${describeError(error)}`,
      );
    }
  }

  #ask(message: InboxMessage): Promise<readonly WantedDelivery[]> {
    return this.#options.modules.deliveriesFor({ kind: 'message', message }, this.#stopping.signal);
  }
}
