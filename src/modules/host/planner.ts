import { budgets } from '../../access/budgets.ts';
import type { EventSource } from '../../base/bus.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Deliveries, WantedDelivery } from '../../store/deliveries/deliveries.ts';
import type { InboxMessage, StoreEvents } from '../../store/message.ts';
import type { Outbox } from '../../store/outbox/outbox.ts';
import type { ModemEvent } from './contract.ts';
import { type ModemEventSource, ModemWatch } from './modem-watch.ts';
import type { ModuleRegistry } from './registry.ts';

/** After the store refused to note what a message needs. */
const RETRY_MS = 30_000;
/** Outcomes of sent messages that go before a received one. */
const OUTCOMES_IN_A_ROW = 100;

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
  /** Steps in the turn. */
  #waiting = 0;
  readonly #stopping = new AbortController();
  #failing = false;
  #outcomesAwait = false;
  #cancelRetry: (() => void) | undefined;
  readonly #modemWatch: ModemWatch;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#modemWatch = new ModemWatch(options.bus, options.clock, (event) =>
      this.#enqueue(() => this.#modemEvent(event)),
    );
  }

  /** To be called when the modules have started. */
  start(): void {
    this.#options.bus.on('sms.received', this, (message) => {
      if (!this.#options.deliveries.isDispatched(message.id)) this.#enqueue(() => this.#dispatch(message));
    });
    this.#options.outbox.pendingOutcomes.onOutcome = () => this.#askOutcomes();
    this.#modemWatch.start();
    this.#options.deliveries.onNoRoom = (message) => this.#wantedOf(message);
    this.#options.deliveries.onReceived = (message) => this.#wantedNow(message);
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
    this.#cancelRetry?.();
    await this.#turn;
  }

  /** Takes up the messages and outcomes of which the store has no plan yet. */
  #catchUp(): void {
    this.#enqueue(async () => {
      for await (const message of this.#options.deliveries.undispatched()) await this.#dispatch(message);
    });
    this.#outcomesAwait = false;
    this.#askOutcomes();
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
    this.#waiting += 1;
    const done = this.#turn.then(step).finally(() => {
      this.#waiting -= 1;
    });
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
      this.#cancelRetry = clock.after(RETRY_MS, () => this.#catchUp());
    }
  }

  /**
   * At once, for a message that is stored together with its plan. Not before those that came earlier: undefined while any of
   * them is still in its turn, or to be taken up again.
   */
  #wantedNow(message: InboxMessage): readonly WantedDelivery[] | undefined {
    if (this.#waiting > 0 || this.#failing) return undefined;
    return this.#options.modules.deliveriesNow({ kind: 'message', message });
  }

  /** In its turn, as `#dispatch`: for a message that is stored together with its plan, or not at all. */
  #wantedOf(message: InboxMessage): Promise<readonly WantedDelivery[]> {
    return this.#inTurn(() => this.#ask(message));
  }

  async #dispatch(message: InboxMessage): Promise<void> {
    await this.#options.deliveries.dispatch(message.id, await this.#ask(message));
    this.#failing = false;
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
