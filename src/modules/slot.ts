import { type Clock, sleep } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { describeError, GatewayError } from '../errors.ts';
import type { Bus } from '../events.ts';
import type { Logger } from '../log.ts';
import type { Inbox } from '../store/inbox.ts';
import type { Outbox } from '../store/outbox.ts';
import type { ModuleDefinition } from './definition.ts';
import type { GatewayModule, ModuleContext, ModuleState } from './module.ts';

/** What every module shares, given by the gateway. */
export interface ModuleSurroundings {
  readonly bus: Bus;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly log: Logger;
  readonly clock: Clock;
  readonly config: () => Config;
  /** Called after each change of state of the named module. */
  readonly changed: (name: string) => void;
}

/** Waits before a failed start is tried again: 5 s, doubling, to 10 minutes at the most. */
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 600_000;
/** How long a module may take to stop before it is left behind. */
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
      const instance = await this.definition.create(this.#around.config(), (config) => this.#context(config, signal));
      signal.throwIfAborted();
      this.#instance = instance;
      await instance.start();
      signal.throwIfAborted();
      this.#set('running');
      this.#log.info('started');
      return true;
    } catch (error) {
      const reason = describeError(error);
      if (!signal.aborted && reason !== this.#error) this.#log.error(`did not start: ${reason}`);
      await this.#halt();
      this.#set('failed', reason);
      return false;
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
    const { bus, inbox, outbox, clock, config } = this.#around;
    return {
      name: this.definition.name,
      config: own,
      get shared() {
        return config();
      },
      bus,
      inbox,
      outbox,
      log: this.#log,
      clock,
      signal,
    };
  }

  async #halt(): Promise<void> {
    const instance = this.#instance;
    this.#instance = undefined;
    if (instance === undefined) return;
    this.#set('stopping');
    this.#around.bus.off(instance);
    const deadline = new AbortController();
    try {
      await Promise.race([instance.stop(), this.#late(deadline.signal)]);
    } catch (error) {
      this.#log.error(`did not stop well: ${describeError(error)}`);
    } finally {
      deadline.abort();
    }
  }

  async #late(signal: AbortSignal): Promise<void> {
    await sleep(this.#around.clock, STOP_DEADLINE_MS, signal).catch(() => {});
    if (!signal.aborted) this.#log.error(`still busy ${STOP_DEADLINE_MS / 1000} s after it was told to stop`);
  }

  #set(state: ModuleState, error?: string): void {
    if (state !== this.#state) this.#since = this.#around.clock.now();
    this.#state = state;
    // While a failed start is tried again, the reason stays visible.
    if (state !== 'starting') this.#error = error;
    this.#around.changed(this.definition.name);
  }
}
