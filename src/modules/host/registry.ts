import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { WantedDelivery } from '../../store/deliveries/deliveries.ts';
import { withoutSecrets } from '../kit/secret-mask.ts';
import type {
  CgiAnswer,
  CgiRequest,
  ConfigKey,
  DeliveryEvent,
  GatewayModule,
  ModuleDefinition,
  ModuleStatus,
} from './contract.ts';
import type { ModuleSurroundings } from './instance.ts';
import { ModuleSlot } from './slot.ts';

export interface RegistryOptions extends Omit<ModuleSurroundings, 'changed' | 'wanted'> {
  readonly definitions: readonly ModuleDefinition[];
  /** What is wrong with sections of the config that are not switched off. */
  faultOf(keys: readonly ConfigKey[]): string | undefined;
}

/** Runs the gateway functions: starts what the config enables, each apart from the others. */
export class ModuleRegistry {
  readonly #slots: ReadonlyMap<string, ModuleSlot>;
  readonly #options: RegistryOptions;
  #stopped = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#hideSecrets();
    const changed = (name: string) => options.bus.emit('module.state', this.#statusOf(this.#slot(name)));
    const around = { ...options, changed, wanted: (definition: ModuleDefinition) => this.#wanted(definition) };
    this.#slots = new Map(
      options.definitions.map((definition) => [definition.name, new ModuleSlot(definition, around)]),
    );
  }

  #hideSecrets(): void {
    const { inbox, config, system } = this.#options;
    let serial: string | undefined;
    void system.serial().then(
      (known) => {
        serial = known;
      },
      () => undefined,
    );
    inbox.shown = (message) => withoutSecrets(message, { config: config(), serial });
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

  /** Takes up the config as it stands now; modules that get the same of it as before notice nothing. */
  async reconfigure(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.reconfigure()));
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

  /** Which deliveries all modules want of the event. Rejects with the signal's reason when it aborts first. */
  async deliveriesFor(event: DeliveryEvent, signal: AbortSignal): Promise<readonly WantedDelivery[]> {
    const now = this.deliveriesNow(event);
    if (now !== undefined) return now;
    const wanted: WantedDelivery[] = [];
    for (const slot of this.#slots.values()) {
      const requests = await slot.deliveriesFor(event, signal);
      wanted.push(...requests.map((request) => ({ ...request, module: slot.definition.name })));
    }
    return wanted;
  }

  /** As `deliveriesFor`, at once; undefined while a module starts or stops. */
  deliveriesNow(event: DeliveryEvent): readonly WantedDelivery[] | undefined {
    for (const { isMoving } of this.#slots.values()) if (isMoving) return undefined;
    const wanted: WantedDelivery[] = [];
    for (const slot of this.#slots.values()) {
      for (const request of slot.deliveriesNow(event)) wanted.push({ ...request, module: slot.definition.name });
    }
    return wanted;
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
    const { failure, state, definition } = slot;
    const fault = failure === undefined ? this.#options.faultOf(definition.sections) : undefined;
    const nextTry = slot.nextTry ?? failure?.next ?? (failure && this.#options.deliveries.nextTry(definition.name));
    const isStopped = fault !== undefined && state === 'disabled';
    return {
      name: slot.definition.name,
      enabled: isStopped || definition.enabled(this.#options.config()),
      state: isStopped ? 'error' : state,
      since: slot.since,
      ...(failure === undefined ? {} : { error: failure.reason, errorSince: failure.since }),
      ...(fault === undefined ? {} : { error: fault }),
      ...(nextTry !== undefined && { nextTry }),
      pending: this.#options.deliveries.pending(slot.definition.name),
      counters: slot.counters,
    };
  }
}
