import type { Clock } from '../../base/clock.ts';
import { describeError, type GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { storeError } from './file-error.ts';

const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60_000;

/** The times during which nothing can be appended: refuses, and tries with growing pauses to make the journal whole. */
export class Outage {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #repair: () => Promise<void>;
  #error: GatewayError | undefined;
  #wait = FIRST_RETRY;
  #cancel: (() => void) | undefined;
  #stopped = false;

  /** `repair` writes the journal anew. */
  constructor(clock: Clock, log: Logger, repair: () => Promise<void>) {
    this.#clock = clock;
    this.#log = log;
    this.#repair = repair;
  }

  /** Why nothing can be appended, or undefined. */
  get error(): GatewayError | undefined {
    return this.#error;
  }

  begin(error: unknown): void {
    if (this.#error === undefined) this.#log.error(`nothing can be stored: ${describeError(error)}`);
    this.#error = storeError(error);
    if (this.#cancel !== undefined || this.#stopped) return;
    this.#cancel = this.#clock.after(this.#wait, () => void this.#retry());
    this.#wait = Math.min(this.#wait * 2, LONGEST_RETRY);
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#error !== undefined) this.#log.info('messages can be stored again');
    this.#error = undefined;
    this.#wait = FIRST_RETRY;
  }

  /** No more tries: the store closes. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #retry(): Promise<void> {
    this.#cancel = undefined;
    try {
      await this.#repair();
      this.end();
    } catch (error) {
      this.begin(error);
    }
  }
}
