import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import { encodeEnd } from './records.ts';
import type { Delivery, DeliveryTable } from './table.ts';

export interface AbandonedOptions {
  readonly table: DeliveryTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether somebody makes the deliveries of the module. */
  served(module: string): boolean;
  record(record: JsonObject): Promise<void>;
}

/** How long a delivery waits for its module to be switched on again, milliseconds. */
const LIFETIME = 3 * 86_400_000;
/** Time for modules to start, and for the clock to be set, before anything expires. Milliseconds. */
const EARLIEST = 3_600_000;

/** Lets the deliveries of modules that are switched off expire. */
export class AbandonedDeliveries {
  readonly #options: AbandonedOptions;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: AbandonedOptions) {
    this.#options = options;
  }

  /** To be called when there may be more of them, or when there is nobody for them any more. */
  schedule(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#stopped) return;
    const [first] = this.#heads().sort((a, b) => a.since - b.since);
    if (first === undefined) return;
    const left = first.since + LIFETIME - this.#options.clock.now();
    this.#cancel = this.#options.clock.after(Math.min(Math.max(EARLIEST, left), LIFETIME), () => void this.#expire());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #expire(): Promise<void> {
    const { clock, log, record } = this.#options;
    const old = () => this.#heads().filter(({ since }) => clock.now() - since >= LIFETIME);
    try {
      for (let expired = old(); expired.length > 0 && !this.#stopped; expired = old()) {
        await Promise.all(expired.map(({ id, item }) => record(encodeEnd(id, item, 'expired'))));
        log.warning(`${expired.length} deliveries of modules that are switched off have expired`);
      }
    } catch (error) {
      log.warning(`deliveries could not expire: ${describeError(error)}`);
    }
    this.schedule();
  }

  #heads(): Delivery[] {
    const { table, served } = this.#options;
    return [...table.modules].filter((module) => !served(module)).flatMap((module) => [...table.heads(module)]);
  }
}
