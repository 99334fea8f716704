import { type Clock, sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { Backoff } from '../../modem/backoff.ts';
import { FaultLog } from '../../modem/fault-log.ts';
import type { EventFeed } from '../event-feed.ts';
import type { Namespace } from '../namespace.ts';
import { UbusSession } from './session.ts';

export interface UbusPeerOptions {
  /** The socket of ubusd. */
  readonly path: string;
  readonly namespace: Namespace;
  readonly events: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The namespace on ubus, with its events; comes back by itself when ubusd restarts. */
export class UbusPeer {
  readonly #options: UbusPeerOptions;
  readonly #faults: FaultLog;
  readonly #abort = new AbortController();
  #session: UbusSession | undefined;
  #done: Promise<void> | undefined;

  constructor(options: UbusPeerOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.log);
  }

  /** Begins to connect, and does not wait for it: ubusd may come later. */
  start(): void {
    this.#done ??= this.#run();
  }

  /** Ends every call and the connection; resolves when all have. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#session?.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { path, clock, log } = this.#options;
    const { signal } = this.#abort;
    const backoff = new Backoff();
    while (!signal.aborted) {
      this.#session = new UbusSession({ ...this.#options, faults: this.#faults });
      const reason = await this.#session.run(() => {
        backoff.reset();
        this.#faults.over('connection');
        log.info(`serving on ${path}`);
      });
      this.#session = undefined;
      if (signal.aborted) return;
      this.#faults.fault('connection', `${path}: ${reason.message}; trying again`);
      await sleep(clock, backoff.next(), signal).catch(() => {});
    }
  }
}
