import { type Clock, sleep } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { Config } from '../../config/config.ts';
import type { Bus } from '../../events.ts';
import type { Deliveries } from '../../store/deliveries.ts';
import type { Inbox } from '../../store/inbox.ts';
import type { InboxMessage, MessageId, OutboxMessage } from '../../store/message.ts';
import type { Notes } from '../../store/notes.ts';
import type { Outbox } from '../../store/outbox.ts';
import type { System } from '../../system/system.ts';
import { unlessAborted } from '../kit/within.ts';
import type { ModuleDefinition } from './definition.ts';
import type { Failure } from './health.ts';
import { ModuleLife } from './life.ts';
import type { GatewayModule, ModuleContext, ModuleState, Telling } from './module.ts';

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
  /** Whether the module of this name is to run, as the config stands now. */
  readonly wanted: (definition: ModuleDefinition) => boolean;
  /** Called after each change of state of the named module. */
  readonly changed: (name: string) => void;
}

/** Waits before a failed start is tried again: 5 s, doubling, to 10 minutes at the most. */
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 600_000;

/**
 * The place of one module: starts it, tries again when that failed, stops it. Whatever the module throws ends here.
 * Transitions run one after the other.
 */
export class ModuleSlot {
  readonly definition: ModuleDefinition;
  readonly #around: ModuleSurroundings;
  readonly #log: Logger;
  #life: ModuleLife | undefined;
  /** The last one that was made, also while it cannot start: it tells what it will want. */
  #instance: GatewayModule | undefined;
  #state: ModuleState = 'disabled';
  #since: number;
  /** Why the last start failed, and since when starts do. */
  #error: Failure | undefined;
  #transition: Promise<void> = Promise.resolve();
  /** Aborts when everything that was asked for before is out of date. */
  #current = new AbortController();

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

  /** Why it does not start, or what fails in its work. */
  get failure(): Failure | undefined {
    return this.#error ?? (this.#state === 'running' ? this.#life?.failure : undefined);
  }

  /** The module while it runs. */
  get running(): GatewayModule | undefined {
    return this.#state === 'running' ? this.#instance : undefined;
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
   * Which deliveries the module wants of a message. One that is starting is waited for; one that could not start will
   * want them when it does. Rejects with the signal's reason when it aborts first.
   */
  async wants(message: InboxMessage, signal: AbortSignal): Promise<readonly string[]> {
    return this.#asked(message.id, signal, (instance) => instance.wants?.(message));
  }

  /** What the module wants told of a sent message. As `wants`. */
  async wantsOutcome(message: OutboxMessage, signal: AbortSignal): Promise<readonly Telling[]> {
    return this.#asked(message.id, signal, (instance) => instance.wantsOutcome?.(message));
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

  /** Stops the module, and starts it if it is wanted; in one transition, so that no message passes in between. */
  renew(): Promise<void> {
    this.#outdate();
    const { signal } = this.#current;
    return this.#enqueue(async () => {
      await this.#end();
      // Between two lives it is not switched off.
      if (signal.aborted) return;
      if (this.#around.wanted(this.definition)) await this.#begin(signal);
      else this.#set('disabled');
    });
  }

  /** At once, not in turn: it also ends a start that hangs. */
  #outdate(): void {
    this.#current.abort();
    this.#current = new AbortController();
    this.#life?.abort();
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#transition = this.#transition.then(step).catch((error: unknown) => {
      this.#log.error(`between two states: ${describeError(error)}`);
    });
    return this.#transition;
  }

  async #asked<T>(
    id: MessageId,
    signal: AbortSignal,
    ask: (instance: GatewayModule) => readonly T[] | undefined,
  ): Promise<readonly T[]> {
    await this.#still(signal);
    try {
      return (this.#instance && ask(this.#instance)) ?? [];
    } catch (error) {
      this.#log.error(`cannot tell what it wants of message ${id}: ${describeError(error)}`);
      return [];
    }
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
    if (signal.aborted || this.#life !== undefined || !this.#around.wanted(this.definition)) return;
    if (!(await this.#try(signal))) void this.#retry(signal);
  }

  /** Whether nothing more is to be tried. */
  async #try(signal: AbortSignal): Promise<boolean> {
    this.#set('starting');
    const life = new ModuleLife(this.definition, this.#around, this.#log);
    this.#life = life;
    try {
      await life.begin();
      this.#instance = life.instance;
      this.#set('running');
      this.#log.info('started');
      return true;
    } catch (error) {
      this.#instance = life.instance ?? this.#instance;
      await life.end();
      if (signal.aborted) return true;
      const reason = describeError(error);
      if (reason !== this.#error?.reason) this.#log.error(`did not start: ${reason}`);
      this.#set('failed', reason);
      return false;
    }
  }

  async #retry(signal: AbortSignal): Promise<void> {
    let done = false;
    for (let wait = FIRST_RETRY_MS; !done; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        await sleep(this.#around.clock, wait, signal);
      } catch {
        return;
      }
      await this.#enqueue(async () => {
        done = signal.aborted || (await this.#try(signal));
      });
    }
  }

  async #end(): Promise<void> {
    if (this.#life === undefined) return;
    if (this.#state === 'running') this.#set('stopping');
    await this.#life.end();
    this.#life = undefined;
    this.#instance = undefined;
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
