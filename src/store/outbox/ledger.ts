import { type Clock, sleep } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Journal, RecordRef } from '../journal/journal.ts';
import type { OutboxRecord } from './records.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** Writes the records of the outbox, and insists on those that tell what cannot be undone. */
export class Ledger {
  readonly #journal: Journal;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  #failures = 0;

  constructor(journal: Journal, table: string, clock: Clock, log: Logger) {
    this.#journal = journal;
    this.#table = table;
    this.#clock = clock;
    this.#log = log;
  }

  /** Resolves when the records are durable, all or none. Throws GatewayError store_full, store_unavailable, stopping. */
  write(records: readonly OutboxRecord[], options?: { readonly makesRoom: boolean }): Promise<readonly RecordRef[]> {
    return this.#journal.appendAll(
      records.map((record) => ({ table: this.#table, record })),
      options,
    );
  }

  /**
   * Tries until the records are durable; a full store takes them, as sending makes room. Nothing is sent meanwhile by
   * the modem that waits for this. Throws `stopping` when the outbox closes first.
   */
  async insist(records: readonly OutboxRecord[]): Promise<void> {
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(LAST_RETRY_MS, delay * 2)) {
      try {
        await this.write(records, { makesRoom: true });
        this.#works();
        return;
      } catch (error) {
        this.#fails(error);
      }
      await sleep(this.#clock, delay, this.#closing.signal);
    }
  }

  /** Ends what insists. */
  close(): void {
    this.#closing.abort(new GatewayError('stopping', 'the outbox is closing'));
  }

  #works(): void {
    if (this.#failures > 0) this.#log.info(`the store works again after ${this.#failures} failures, sending goes on`);
    this.#failures = 0;
  }

  #fails(error: unknown): void {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
    if (this.#failures === 0) this.#log.error(`sending waits for the store: ${describeError(error)}`);
    this.#failures += 1;
  }
}
