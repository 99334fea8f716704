import { BackOff } from '../../base/back-off.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { counted } from '../../base/printable.ts';
import type { Journal, RecordRef } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';
import { encodeRecord, type OutboxRecord } from './records.ts';

/** Pauses between two tries to write, ms. */
const RETRIES = { first: 1_000, longest: 30_000 };

/** Writes the records of the outbox, and insists on those about events that cannot be undone. */
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
      records.map((record) => ({ table: this.#table, record: encodeRecord(record) })),
      options,
    );
  }

  /**
   * Tries until the records are durable; a full store takes them, as sending makes room. Nothing is sent meanwhile by
   * the modem that waits for this. Throws `stopping` when the outbox closes first.
   */
  async insist(records: readonly OutboxRecord[]): Promise<void> {
    const backOff = new BackOff(RETRIES);
    for (;;) {
      try {
        await this.write(records, { makesRoom: true });
        this.#works();
        return;
      } catch (error) {
        this.#fails(error);
      }
      await sleep(this.#clock, backOff.next(), this.#closing.signal);
    }
  }

  /** Ends all calls of `insist`. */
  close(): void {
    this.#closing.abort(new GatewayError('stopping', 'the outbox is closing'));
  }

  #works(): void {
    if (this.#failures > 0)
      this.#log.info(`the store works again after ${counted(this.#failures, 'failure')}, sending goes on`);
    this.#failures = 0;
  }

  #fails(error: unknown): void {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
    if (this.#failures === 0) this.#log.error(`sending waits for the store: ${describeError(error)}`);
    this.#failures += 1;
  }
}

/** A router without a battery for its clock begins in the past and is set when the network is there. */
const STEP_MS = 60 * 60_000;

/**
 * Notices that the wall clock was set, by comparing it with the monotonic one, and moves the times of this run's messages
 * along: they must not expire because of it. Times that a submitter has named (`notBefore`) stay as they are.
 */
export class ClockSteps {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #log: Logger;
  #offset: number;
  #first: MessageId | undefined;
  #last: MessageId | undefined;

  constructor(clock: Clock, ledger: Ledger, log: Logger) {
    this.#clock = clock;
    this.#ledger = ledger;
    this.#log = log;
    this.#offset = clock.now() - clock.monotonic();
  }

  submitted(id: MessageId): void {
    this.#first ??= id;
    this.#last = id;
  }

  /** Gives a promise while times are being moved, undefined when there is nothing to move. */
  check(): Promise<void> | undefined {
    const offset = this.#clock.now() - this.#clock.monotonic();
    const by = Math.round(offset - this.#offset);
    // Small corrections add up to nothing that matters, and must not pass for a step one day.
    this.#offset = offset;
    if (Math.abs(by) < STEP_MS || this.#first === undefined || this.#last === undefined) return undefined;
    this.#log.info(`the clock was set by ${Math.round(by / 1000)} s`);
    return this.#ledger
      .insist([{ kind: 'clock_set', first: this.#first, last: this.#last, by }])
      .catch(() => undefined);
  }
}
