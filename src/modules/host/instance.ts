import type { Access } from '../../access/access.ts';
import { within } from '../../base/abort.ts';
import type { EventSink, EventSource } from '../../base/bus.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import { FaultLog } from '../../base/fault-log.ts';
import type { Logger } from '../../base/log.ts';
import type { Config } from '../../config/config.ts';
import type { Deliver, Deliveries } from '../../store/deliveries/deliveries.ts';
import type { Inbox } from '../../store/inbox/inbox.ts';
import type { StoreEvents } from '../../store/message.ts';
import type { Notes } from '../../store/notes.ts';
import type { Outbox } from '../../store/outbox/outbox.ts';
import type { System } from '../../system/system.ts';
import { matchingRule, senderCheck } from '../kit/received-message.ts';
import type {
  DeliveryOutcome,
  GatewayModule,
  ModemNews,
  ModuleContext,
  ModuleDefinition,
  ModuleEvents,
} from './contract.ts';
import { type Failure, Health } from './health.ts';
import type { Lasting } from './lasting.ts';

/** What every module shares, given by the gateway. */
export interface ModuleSurroundings {
  readonly bus: EventSource<StoreEvents & ModuleEvents & ModemNews> & EventSink<ModuleEvents>;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly notes: Notes;
  readonly log: Logger;
  readonly clock: Clock;
  readonly config: () => Config;
  readonly deliveries: Deliveries;
  readonly modems: ModuleContext<unknown>['modems'];
  readonly system: System;
  readonly access: Access;
  /** Whether the module of this name is to run, as the config stands now. */
  readonly wanted: (definition: ModuleDefinition) => boolean;
  /** Called after each change of state of the named module. */
  readonly changed: (name: string) => void;
}

/** How long a module may take to start, and to stop before it is left behind. */
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;
const SERVE_RETRY_MS = 5_000;

/** One instance of a module, from when it is made until it has ended. */
export class ModuleInstance {
  /** The config that it is made with. */
  readonly config: Config;
  readonly #definition: ModuleDefinition;
  readonly #around: ModuleSurroundings;
  readonly #lasting: Lasting;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #health: Health;
  /** Of its deliveries, by target. */
  readonly #faults: FaultLog;
  #module: GatewayModule | undefined;
  #serving: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(definition: ModuleDefinition, around: ModuleSurroundings, lasting: Lasting, log: Logger) {
    this.config = around.config();
    this.#definition = definition;
    this.#around = around;
    this.#lasting = lasting;
    this.#log = log;
    this.#faults = new FaultLog(log);
    const changed = () => {
      if (!this.#abort.signal.aborted) around.changed(definition.name);
    };
    this.#health = new Health(() => around.clock.now(), changed);
  }

  /** What fails in its work. */
  get failure(): Failure | undefined {
    return this.#health.failure;
  }

  /** Once it is made, whether it has started or not. */
  get module(): GatewayModule | undefined {
    return this.#module;
  }

  /** Makes and starts the module. Rejects when that fails, takes too long, or `abort` is called. */
  async begin(): Promise<void> {
    const { clock } = this.#around;
    const { signal } = this.#abort;
    const module = await within(this.#start(), 'start', { clock, ms: START_DEADLINE_MS, signal });
    if (module.deliver !== undefined) this.#serving = this.#serve(module);
  }

  /** Ends what waits for the signal, also a start under way. */
  abort(): void {
    this.#abort.abort(new GatewayError('stopping', `module ${this.#definition.name} is stopping`));
  }

  /** Resolves when everything of it has ended, or the time for that is over. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    const { bus, clock } = this.#around;
    this.abort();
    if (this.#module === undefined) return;
    bus.off(this.#module);
    try {
      await within(this.#stop(this.#module), 'stop', { clock, ms: STOP_DEADLINE_MS });
    } catch (error) {
      this.#log.error(`did not stop well: ${describeError(error)}`);
    }
  }

  async #start(): Promise<GatewayModule> {
    const module = await this.#definition.create(this.config, (own) => this.#context(own));
    this.#abort.signal.throwIfAborted();
    this.#module = module;
    await module.start();
    return module;
  }

  /** Makes the module's deliveries until the signal aborts. */
  async #serve(module: GatewayModule): Promise<void> {
    const { clock, deliveries } = this.#around;
    const { signal } = this.#abort;
    const deliver: Deliver = async (delivery, cancel, commit) =>
      (await module.deliver?.(delivery, cancel, commit)) ?? { type: 'rejected', reason: 'it delivers nothing' };
    while (!signal.aborted) {
      try {
        await deliveries.serve(this.#definition.name, deliver, {
          signal,
          prepare: (target, message) => module.prepare?.(target, message),
          tried: (target, outcome) => this.#note(target, outcome),
          concurrency: module.concurrency ?? 1,
          window: (target) => module.window?.(target) ?? 1,
        });
      } catch (error) {
        // An instance that was left behind may still be at it.
        this.#log.error(`cannot deliver yet: ${describeError(error)}`);
        await sleep(clock, SERVE_RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  #note(target: string, outcome: DeliveryOutcome): void {
    if (outcome.type === 'done') {
      this.#health.succeeded(target);
      this.#faults.over(target, `delivers to ${target} again`);
    } else if (outcome.type === 'retry' || (outcome.type === 'rejected' && outcome.moot !== true)) {
      this.#health.failed(target, outcome.reason);
      this.#faults.fault(target, `cannot deliver to ${target}: ${outcome.reason}`);
    }
  }

  async #stop(module: GatewayModule): Promise<void> {
    const [stopped] = await Promise.allSettled([module.stop(), this.#serving]);
    if (stopped.status === 'rejected') throw stopped.reason;
  }

  #context<C>(own: C): ModuleContext<C> {
    const { bus, inbox, outbox, notes, clock, config, modems, system, access, deliveries } = this.#around;
    const isFrom = senderCheck(config, modems);
    return {
      name: this.#definition.name,
      config: own,
      get shared() {
        return config();
      },
      isFrom,
      isRuleMessage: (message) => matchingRule(message, config(), isFrom) !== undefined,
      notebook: (name) => notes.book(name),
      lasting: (Kind) => this.#lasting.of(Kind),
      wake: (target) => deliveries.wake(this.#definition.name, target),
      ...{ modems, system, access, bus, inbox, outbox, clock },
      health: this.#health,
      log: this.#log,
      signal: this.#abort.signal,
    };
  }
}
