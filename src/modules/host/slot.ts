import { isDeepStrictEqual } from 'node:util';
import { unlessAborted } from '../../base/abort.ts';
import { BackOff } from '../../base/back-off.ts';
import { sleep } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { DeliveryEvent, DeliveryRequest, GatewayModule, ModuleDefinition, ModuleState } from './contract.ts';
import type { Failure } from './health.ts';
import { ModuleInstance, type ModuleSurroundings } from './instance.ts';
import { Lasting } from './lasting.ts';

/** Pauses between failed starts, ms. */
const RESTARTS = { first: 5_000, longest: 600_000 };

/**
 * The place of one module: starts it, tries again when that failed, stops it. Whatever the module throws ends here.
 * Transitions run one after the other.
 */
export class ModuleSlot {
  readonly definition: ModuleDefinition;
  readonly #around: ModuleSurroundings;
  readonly #log: Logger;
  readonly #lasting: Lasting;
  #instance: ModuleInstance | undefined;
  /** The last one that was made, also while it cannot start: it says which deliveries it wants. */
  #module: GatewayModule | undefined;
  #state: ModuleState = 'disabled';
  #since: number;
  /** Why the last start failed, and since when starts do. */
  #error: Failure | undefined;
  /** When the start is tried next, ms since the epoch. */
  #nextTry: number | undefined;
  #transition: Promise<void> = Promise.resolve();
  /** How many are under way or wait. */
  #transitions = 0;
  /** Aborts when everything that was asked for before is out of date. */
  #current = new AbortController();

  constructor(definition: ModuleDefinition, around: ModuleSurroundings) {
    this.definition = definition;
    this.#around = around;
    this.#log = around.log.child(definition.name);
    this.#lasting = new Lasting(around.clock);
    this.#since = around.clock.now();
  }

  get isMoving(): boolean {
    return this.#transitions > 0;
  }

  get state(): ModuleState {
    return this.#state;
  }

  get since(): number {
    return this.#since;
  }

  /** Why it does not start, or what fails in its work. */
  get failure(): Failure | undefined {
    return this.#error ?? (this.#state === 'running' ? this.#instance?.failure : undefined);
  }

  /** When a start that failed is tried next, ms since the epoch. */
  get nextTry(): number | undefined {
    return this.#state === 'failed' ? this.#nextTry : undefined;
  }

  /** The module while it runs. */
  get running(): GatewayModule | undefined {
    return this.#state === 'running' ? this.#module : undefined;
  }

  get counters(): Readonly<Record<string, number>> {
    try {
      return this.running?.counters ?? {};
    } catch {
      return {};
    }
  }

  get details(): JsonObject {
    try {
      return this.running?.status?.() ?? {};
    } catch (error) {
      return { error: describeError(error) };
    }
  }

  /**
   * Which deliveries the module wants of an event. One that is starting is waited for; one that could not start wants them
   * for when it does. Rejects with the signal's reason when it aborts first.
   */
  async deliveriesFor(event: DeliveryEvent, signal: AbortSignal): Promise<readonly DeliveryRequest[]> {
    await this.#still(signal);
    return this.deliveriesNow(event);
  }

  /** As `deliveriesFor`, of the module that is there now. */
  deliveriesNow(event: DeliveryEvent): readonly DeliveryRequest[] {
    try {
      return this.#module?.deliveriesFor?.(event) ?? [];
    } catch (error) {
      const what = event.kind === 'modem' ? event.modemEvent.event : `message ${event.message.id}`;
      this.#log.error(`cannot say which deliveries ${what} needs: ${describeError(error)}`);
      return [];
    }
  }

  /** Starts the module if it is wanted. Resolves when the first try is over, whatever came of it. */
  start(): Promise<void> {
    const { signal } = this.#current;
    return this.#enqueue(() => this.#begin(signal));
  }

  stop(): Promise<void> {
    this.#outdate();
    return this.#enqueue(async () => {
      await this.#end();
      this.#set('disabled');
    });
  }

  /**
   * Takes up the config as it stands now. Work under way is not given up for what the module does not get: an instance goes on
   * while it would get the same. Resolves when what had to change has.
   */
  async reconfigure(): Promise<void> {
    const { config, wanted } = this.#around;
    const { configOf } = this.definition;
    const has = this.#instance && configOf(this.#instance.config);
    const gets = wanted(this.definition) ? configOf(config()) : undefined;
    if (!isDeepStrictEqual(has, gets)) await this.renew();
  }

  /** Stops the module, and starts it if it is wanted; in one transition, so that no message passes in between. */
  renew(): Promise<void> {
    this.#outdate();
    const { signal } = this.#current;
    return this.#enqueue(async () => {
      await this.#end();
      // Between two instances it is not switched off.
      if (signal.aborted) return;
      if (this.#around.wanted(this.definition)) await this.#begin(signal);
      else this.#set('disabled');
    });
  }

  /** At once, not in turn: it also ends a start that hangs. */
  #outdate(): void {
    this.#current.abort();
    this.#current = new AbortController();
    this.#instance?.abort();
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#transitions += 1;
    this.#transition = this.#transition
      .then(step)
      .catch((error: unknown) => {
        this.#log.error(
          `the change to another state failed, a restart of the module tries again: ${describeError(error)}`,
        );
      })
      .finally(() => {
        this.#transitions -= 1;
      });
    return this.#transition;
  }

  /** Waits until no transition is under way. */
  async #still(signal: AbortSignal): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#transition) {
      seen = this.#transition;
      await unlessAborted(seen, signal);
    }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#instance !== undefined || !this.#around.wanted(this.definition)) return;
    if (!(await this.#try(signal))) void this.#retry(signal);
  }

  /** Whether nothing more is to be tried. */
  async #try(signal: AbortSignal): Promise<boolean> {
    this.#set('starting');
    const instance = new ModuleInstance(this.definition, this.#around, this.#lasting, this.#log);
    this.#instance = instance;
    try {
      await instance.begin();
      this.#module = instance.module;
      this.#set('running');
      this.#log.info('started');
      return true;
    } catch (error) {
      this.#module = instance.module ?? this.#module;
      await instance.end();
      if (signal.aborted) return true;
      const reason = describeError(error);
      if (reason !== this.#error?.reason) this.#log.error(`did not start: ${reason}`);
      this.#set('failed', reason);
      return false;
    }
  }

  async #retry(signal: AbortSignal): Promise<void> {
    const backOff = new BackOff(RESTARTS);
    let done = false;
    while (!done) {
      try {
        const pause = backOff.next();
        this.#nextTry = this.#around.clock.now() + pause;
        await sleep(this.#around.clock, pause, signal);
      } catch {
        return;
      }
      await this.#enqueue(async () => {
        done = signal.aborted || (await this.#try(signal));
      });
    }
  }

  async #end(): Promise<void> {
    if (this.#instance === undefined) return;
    if (this.#state === 'running') this.#set('stopping');
    await this.#instance.end();
    this.#instance = undefined;
    this.#module = undefined;
  }

  #set(state: ModuleState, error?: string): void {
    if (state === this.#state && error === this.#error?.reason) return;
    const now = this.#around.clock.now();
    const since = this.#error?.since ?? now;
    if (state !== this.#state) this.#since = now;
    this.#state = state;
    // While a failed start is tried again, the reason stays visible.
    if (state !== 'starting') this.#error = error === undefined ? undefined : { reason: error, since };
    this.#around.changed(this.definition.name);
  }
}
