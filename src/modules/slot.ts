import { type Clock, sleep } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { describeError, GatewayError } from '../errors.ts';
import type { Bus } from '../events.ts';
import type { Logger } from '../log.ts';
import type { Deliver, Deliveries } from '../store/deliveries.ts';
import type { Inbox } from '../store/inbox.ts';
import type { InboxMessage } from '../store/message.ts';
import type { Notes } from '../store/notes.ts';
import type { Outbox } from '../store/outbox.ts';
import type { System } from '../system/system.ts';
import type { ModuleDefinition } from './definition.ts';
import type { GatewayModule, ModuleContext, ModuleState } from './module.ts';
import { matchingRule } from './rule-match.ts';

/** What every module shares, given by the gateway. */
export interface ModuleSurroundings {
  readonly bus: Bus;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly notes: Notes;
  readonly log: Logger;
  readonly clock: Clock;
  readonly config: () => Config;
  readonly deliveries: Deliveries;
  readonly modems: ModuleContext<unknown>['modems'];
  readonly system: System;
  /** Called after each change of state of the named module. */
  readonly changed: (name: string) => void;
}

/** Waits before a failed start is tried again: 5 s, doubling, to 10 minutes at the most. */
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 600_000;
/** How long a module may take to start, and to stop before it is left behind. */
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;

/**
 * The place of one module: starts it, tries again when that failed, stops it. Whatever the module throws ends here.
 * Transitions run one after the other.
 */
export class ModuleSlot {
  readonly definition: ModuleDefinition;
  readonly #around: ModuleSurroundings;
  readonly #log: Logger;
  #instance: GatewayModule | undefined;
  #abort: AbortController | undefined;
  #serving: Promise<void> | undefined;
  #state: ModuleState = 'disabled';
  #since: number;
  #error: string | undefined;
  #transition: Promise<void> = Promise.resolve();

  constructor(definition: ModuleDefinition, around: ModuleSurroundings) {
    this.definition = definition;
    this.#around = around;
    this.#log = around.log.child(definition.name);
    this.#since = around.clock.now();
  }

  get state(): ModuleState {
    return this.#state;
  }

  get since(): number {
    return this.#since;
  }

  get error(): string | undefined {
    return this.#error;
  }

  /** The module while it runs. */
  get running(): GatewayModule | undefined {
    return this.#state === 'running' ? this.#instance : undefined;
  }

  /** Which deliveries the module wants of a message. A module that could not start yet will want them when it does. */
  async wants(message: InboxMessage): Promise<readonly string[]> {
    await this.#transition;
    try {
      return this.#instance?.wants?.(message) ?? [];
    } catch (error) {
      this.#log.error(`cannot tell what it wants of message ${message.id}: ${describeError(error)}`);
      return [];
    }
  }

  /** Resolves when the first try to start is over, whatever came of it. */
  start(): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#abort !== undefined) return;
      const abort = new AbortController();
      this.#abort = abort;
      if (!(await this.#try(abort.signal))) void this.#retry(abort.signal);
    });
  }

  stop(): Promise<void> {
    // Aborting at once, not in turn: it also ends a start that hangs.
    this.#abort?.abort(new GatewayError('stopping', `module ${this.definition.name} is stopping`));
    return this.#enqueue(async () => {
      if (this.#abort === undefined) return;
      this.#abort = undefined;
      await this.#halt();
      this.#instance = undefined;
      this.#set('disabled');
    });
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#transition = this.#transition.then(step);
    return this.#transition;
  }

  async #try(signal: AbortSignal): Promise<boolean> {
    this.#set('starting');
    try {
      this.#instance = await this.definition.create(this.#around.config(), (own) => this.#context(own, signal));
      signal.throwIfAborted();
      await this.#within(START_DEADLINE_MS, this.#instance.start(), 'start');
      signal.throwIfAborted();
      this.#set('running');
      this.#serving = this.#serve(this.#instance, signal);
      this.#log.info('started');
      return true;
    } catch (error) {
      const reason = describeError(error);
      if (!signal.aborted && reason !== this.#error) this.#log.error(`did not start: ${reason}`);
      await this.#halt();
      // The instance stays, to tell what it will want.
      this.#set('failed', reason);
      return false;
    }
  }

  /** Makes the module's deliveries until the signal aborts. */
  async #serve(instance: GatewayModule, signal: AbortSignal): Promise<void> {
    if (instance.deliver === undefined) return;
    const deliver: Deliver = async (message, target, cancel, commit) =>
      instance.deliver?.(message, target, cancel, commit) ?? {
        type: 'rejected',
        reason: 'the module delivers nothing',
      };
    try {
      await this.#around.deliveries.serve(this.definition.name, deliver, { signal });
    } catch (error) {
      this.#log.error(`deliveries ended: ${describeError(error)}`);
    }
  }

  async #retry(signal: AbortSignal): Promise<void> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        await sleep(this.#around.clock, wait, signal);
      } catch {
        return;
      }
      let done = false;
      await this.#enqueue(async () => {
        done = signal.aborted || (await this.#try(signal));
      });
      if (done) return;
    }
  }

  #context<C>(own: C, signal: AbortSignal): ModuleContext<C> {
    const { bus, inbox, outbox, notes, clock, config, modems, system } = this.#around;
    return {
      name: this.definition.name,
      config: own,
      get shared() {
        return config();
      },
      isRuleMessage: (message) => matchingRule(message, config()) !== undefined,
      ...{ modems, system, bus, inbox, outbox, clock, signal },
      notebook: (name) => notes.book(name),
      log: this.#log,
    };
  }

  async #halt(): Promise<void> {
    const instance = this.#instance;
    if (instance === undefined || this.#state === 'failed') return;
    this.#set('stopping');
    this.#around.bus.off(instance);
    try {
      await this.#within(STOP_DEADLINE_MS, Promise.all([instance.stop(), this.#serving]), 'stop');
    } catch (error) {
      this.#log.error(`did not stop well: ${describeError(error)}`);
    }
    this.#serving = undefined;
  }

  /** A module may be stuck; its place must not be. */
  async #within(ms: number, work: Promise<unknown>, what: string): Promise<void> {
    const over = new AbortController();
    const late = sleep(this.#around.clock, ms, over.signal).then(() => {
      throw new GatewayError('timeout', `${what} took longer than ${ms / 1000} s`);
    });
    late.catch(() => {});
    try {
      await Promise.race([work, late]);
    } finally {
      over.abort();
    }
  }

  #set(state: ModuleState, error?: string): void {
    if (state !== this.#state) this.#since = this.#around.clock.now();
    this.#state = state;
    // While a failed start is tried again, the reason stays visible.
    if (state !== 'starting') this.#error = error;
    this.#around.changed(this.definition.name);
  }
}
