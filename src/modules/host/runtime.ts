import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Target, Telling } from '../../store/deliveries.ts';
import type { InboxMessage, OutboxMessage } from '../../store/message.ts';
import type { ConfigKey, ModuleDefinition } from './definition.ts';
import type { CgiAnswer, CgiRequest, GatewayModule, ModuleStatus } from './module.ts';
import { ModuleSlot, type ModuleSurroundings } from './slot.ts';

export interface ModuleRuntimeOptions extends Omit<ModuleSurroundings, 'changed' | 'wanted'> {
  readonly definitions: readonly ModuleDefinition[];
}

/** Runs the gateway functions: starts what the config enables, each apart from the others. */
export class ModuleRuntime {
  readonly #slots: ReadonlyMap<string, ModuleSlot>;
  readonly #options: ModuleRuntimeOptions;
  #stopped = false;

  constructor(options: ModuleRuntimeOptions) {
    this.#options = options;
    const changed = (name: string) => options.bus.emit('module.state', this.#statusOf(this.#slot(name)));
    const around = { ...options, changed, wanted: (definition: ModuleDefinition) => this.#wanted(definition) };
    this.#slots = new Map(
      options.definitions.map((definition) => [definition.name, new ModuleSlot(definition, around)]),
    );
  }

  /** Starts every enabled module; resolves when each has been tried once. */
  async start(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.start()));
  }

  /** Nothing starts any more afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#slots.values()].map((slot) => slot.stop()));
  }

  /** Takes up the new config of the modules that these sections belong to; the others notice nothing. */
  async reconfigure(changed: ReadonlySet<ConfigKey>): Promise<void> {
    const touched = [...this.#slots.values()].filter(({ definition }) =>
      definition.sections.some((key) => changed.has(key)),
    );
    await Promise.all(touched.map((slot) => slot.renew()));
  }

  async restart(name: string): Promise<ModuleStatus> {
    const slot = this.#slot(name);
    if (!this.#wanted(slot.definition)) throw new GatewayError('module_unavailable', `module ${name} is not enabled`);
    await slot.renew();
    return this.#statusOf(slot);
  }

  list(): readonly ModuleStatus[] {
    return [...this.#slots.values()].map((slot) => this.#statusOf(slot));
  }

  status(name: string): ModuleStatus & { readonly details: JsonObject } {
    const slot = this.#slot(name);
    return { ...this.#statusOf(slot), details: slot.details };
  }

  /** The running module of that name. */
  running(name: string): GatewayModule | undefined {
    return this.#slots.get(name)?.running;
  }

  async test(name: string, signal: AbortSignal): Promise<string> {
    const module = this.#slot(name).running;
    if (module === undefined) throw new GatewayError('module_unavailable', `module ${name} is not running`);
    if (module.test === undefined) throw new GatewayError('not_supported', `module ${name} has no connection to test`);
    return module.test(signal);
  }

  /** Which deliveries a message needs, of all modules. Rejects with the signal's reason when it aborts first. */
  async wants(message: InboxMessage, signal: AbortSignal): Promise<readonly Target[]> {
    const targets: Target[] = [];
    for (const slot of this.#slots.values()) {
      for (const target of await slot.wants(message, signal)) targets.push({ module: slot.definition.name, target });
    }
    return targets;
  }

  /** What is to be told of a sent message, by all modules. As `wants`. */
  async wantsOutcome(message: OutboxMessage, signal: AbortSignal): Promise<readonly Telling[]> {
    const tellings: Telling[] = [];
    for (const slot of this.#slots.values()) {
      const wanted = await slot.wantsOutcome(message, signal);
      tellings.push(...wanted.map((telling) => ({ ...telling, module: slot.definition.name })));
    }
    return tellings;
  }

  /** Hands a cgi request to the module that serves them; undefined while none runs. */
  async cgi(request: CgiRequest, signal: AbortSignal): Promise<CgiAnswer | undefined> {
    for (const slot of this.#slots.values()) {
      if (slot.running?.cgi !== undefined) return slot.running.cgi(request, signal);
    }
    return undefined;
  }

  #wanted(definition: ModuleDefinition): boolean {
    return !this.#stopped && definition.enabled(this.#options.config());
  }

  #slot(name: string): ModuleSlot {
    const slot = this.#slots.get(name);
    if (slot !== undefined) return slot;
    const known = [...this.#slots.keys()].join(', ');
    throw new GatewayError('module_not_found', `no module ${JSON.stringify(name)}; there are ${known}`);
  }

  #statusOf(slot: ModuleSlot): ModuleStatus {
    const { failure } = slot;
    return {
      name: slot.definition.name,
      enabled: slot.definition.enabled(this.#options.config()),
      state: slot.state,
      since: slot.since,
      ...(failure === undefined ? {} : { error: failure.reason, errorSince: failure.since }),
      pending: this.#options.deliveries.pending(slot.definition.name),
      counters: slot.counters,
    };
  }
}
