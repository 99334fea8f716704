import { sleep } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Deliver, Tell } from '../../store/deliveries.ts';
import { matchingRule } from '../kit/rule-match.ts';
import { within } from '../kit/within.ts';
import type { ModuleDefinition } from './definition.ts';
import { type Failure, Health } from './health.ts';
import type { DeliveryOutcome, GatewayModule, ModuleContext } from './module.ts';
import type { ModuleSurroundings } from './slot.ts';

/** How long a module may take to start, and to stop before it is left behind. */
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;
const SERVE_RETRY_MS = 5_000;

/** One instance of a module, from when it is made until it has ended. */
export class ModuleLife {
  readonly #definition: ModuleDefinition;
  readonly #around: ModuleSurroundings;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #health: Health;
  #instance: GatewayModule | undefined;
  #serving: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(definition: ModuleDefinition, around: ModuleSurroundings, log: Logger) {
    this.#definition = definition;
    this.#around = around;
    this.#log = log;
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
  get instance(): GatewayModule | undefined {
    return this.#instance;
  }

  /** Makes and starts the instance. Rejects when that fails, takes too long, or `abort` is called. */
  async begin(): Promise<void> {
    const { clock } = this.#around;
    const { signal } = this.#abort;
    const instance = await within(this.#start(), 'start', { clock, ms: START_DEADLINE_MS, signal });
    if (instance.deliver !== undefined || instance.tell !== undefined) this.#serving = this.#serve(instance);
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
    if (this.#instance === undefined) return;
    bus.off(this.#instance);
    try {
      await within(this.#stop(this.#instance), 'stop', { clock, ms: STOP_DEADLINE_MS });
    } catch (error) {
      this.#log.error(`did not stop well: ${describeError(error)}`);
    }
  }

  async #start(): Promise<GatewayModule> {
    const instance = await this.#definition.create(this.#around.config(), (own) => this.#context(own));
    this.#abort.signal.throwIfAborted();
    this.#instance = instance;
    await instance.start();
    return instance;
  }

  /** Makes the module's deliveries until the signal aborts. */
  async #serve(instance: GatewayModule): Promise<void> {
    const { clock, deliveries } = this.#around;
    const { signal } = this.#abort;
    const deliver: Deliver = async (message, target, cancel, commit) =>
      (await instance.deliver?.(message, target, cancel, commit)) ?? {
        type: 'rejected',
        reason: 'it delivers nothing',
      };
    const tell: Tell = async (note, target, cancel) =>
      (await instance.tell?.(note, target, cancel)) ?? { type: 'rejected', reason: 'it tells nothing' };
    while (!signal.aborted) {
      try {
        await deliveries.serve(this.#definition.name, deliver, {
          signal,
          tell,
          tried: (target, outcome) => this.#note(target, outcome),
          concurrency: instance.concurrency ?? 1,
          window: (target) => instance.window?.(target) ?? 1,
        });
      } catch (error) {
        // A life that was left behind may still be at it.
        this.#log.error(`cannot deliver yet: ${describeError(error)}`);
        await sleep(clock, SERVE_RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  #note(target: string, outcome: DeliveryOutcome): void {
    if (outcome.type === 'done') this.#health.succeeded(target);
    else if (outcome.type === 'retry' || (outcome.type === 'rejected' && outcome.moot !== true)) {
      this.#health.failed(target, outcome.reason);
    }
  }

  async #stop(instance: GatewayModule): Promise<void> {
    const [stopped] = await Promise.allSettled([instance.stop(), this.#serving]);
    if (stopped.status === 'rejected') throw stopped.reason;
  }

  #context<C>(own: C): ModuleContext<C> {
    const { bus, inbox, outbox, notes, clock, config, modems, system, deliveries } = this.#around;
    return {
      name: this.#definition.name,
      config: own,
      get shared() {
        return config();
      },
      isRuleMessage: (message) => matchingRule(message, config()) !== undefined,
      notebook: (name) => notes.book(name),
      wake: (target) => deliveries.wake(this.#definition.name, target),
      ...{ modems, system, bus, inbox, outbox, clock },
      health: this.#health,
      log: this.#log,
      signal: this.#abort.signal,
    };
  }
}
