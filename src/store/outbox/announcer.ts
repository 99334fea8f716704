import { type Deferred, deferred, unlessAborted } from '../../base/abort.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { Mutex } from '../../base/mutex.ts';
import type { Entry, Journal } from '../journal/journal.ts';
import { type MessageId, type OutboxMessage, type OutboxState, outboxStates } from '../message.ts';
import type { OutboxOptions } from './options.ts';
import { encodeRecord } from './records.ts';
import type { OutboxRow } from './row.ts';
import type { OutboxTable } from './table.ts';

type Callbacks = Pick<OutboxOptions, 'onSent' | 'onDelivered' | 'onFailed'>;

/** Announces messages that reach a settled state: to callers that wait for one, and to the callbacks, in order. */
export class Announcer {
  readonly #callbacks: Callbacks;
  readonly #view: (row: OutboxRow) => Promise<OutboxMessage>;
  readonly #log: Logger;
  readonly #waiters = new Map<MessageId, Set<Deferred<OutboxMessage>>>();
  readonly #order = new Mutex();

  constructor(callbacks: Callbacks, view: (row: OutboxRow) => Promise<OutboxMessage>, log: Logger) {
    this.#callbacks = callbacks;
    this.#view = view;
    this.#log = log;
  }

  /** To be called at the change itself: the message is shown as it is now. */
  announce(row: OutboxRow): void {
    if (!outboxStates[row.state].settled) return;
    const callback = this.#callback(row.state);
    if (callback === undefined && !this.#waiters.has(row.id)) return;
    const view = this.#view(row);
    view.catch(() => undefined);
    void this.#order.run(() => this.#announce(row.id, view, callback));
  }

  /** Resolves with the message's next settled state. Rejects with the signal's reason when it aborts first. */
  async wait(id: MessageId, signal: AbortSignal): Promise<OutboxMessage> {
    const waiter = deferred<OutboxMessage>();
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters.add(waiter));
    try {
      return await unlessAborted(waiter.promise, signal);
    } finally {
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
    }
  }

  /** Resolves when everything is announced; callers that still wait get an error. */
  async close(): Promise<void> {
    await this.#order.idle();
    for (const id of this.#waiters.keys()) this.#reject(id, new GatewayError('stopping', 'the outbox is closing'));
  }

  #callback(state: OutboxState): ((message: OutboxMessage) => void) | undefined {
    if (state === 'sent') return this.#callbacks.onSent;
    if (state === 'delivered') return this.#callbacks.onDelivered;
    return outboxStates[state].failure ? this.#callbacks.onFailed : undefined;
  }

  /** Never rejects. */
  async #announce(
    id: MessageId,
    view: Promise<OutboxMessage>,
    callback: ((message: OutboxMessage) => void) | undefined,
  ): Promise<void> {
    try {
      const message = await view;
      for (const waiter of this.#waiters.get(id) ?? []) waiter.resolve(message);
      callback?.(message);
    } catch (error) {
      this.#reject(id, error);
      this.#log.error(`nobody learns the outcome of message ${id}: ${describeError(error)}`);
    }
  }

  #reject(id: MessageId, error: unknown): void {
    for (const waiter of this.#waiters.get(id) ?? []) waiter.reject(error);
  }
}

/** A message that has come to a settled state. */
export interface PendingOutcome {
  readonly message: OutboxMessage;
  /** How many outcomes it has had by then: a failed message may be sent again, a sent one be delivered. */
  readonly outcomes: number;
}

interface PendingOutcomesOptions {
  readonly journal: Journal;
  readonly table: OutboxTable;
  readonly log: Logger;
  readonly view: (row: OutboxRow) => Promise<OutboxMessage>;
}

/** Outcomes that nobody wants are noted this many together: they are most, and each line costs flash. */
const NOTED_TOGETHER = 100;

/** Outcomes of sent messages that no module was asked about yet. They outlive a restart. */
export class PendingOutcomes {
  readonly #options: PendingOutcomesOptions;
  /** Called when there is an outcome to ask about. Must not throw. */
  onOutcome: (() => void) | undefined;
  /** Not wanted, and not noted yet. */
  #unwanted: (readonly [MessageId, number])[] = [];

  constructor(options: PendingOutcomesOptions) {
    this.#options = options;
  }

  /** The outcome that waits longest. One whose message cannot be read any more is left out. */
  async next(): Promise<PendingOutcome | undefined> {
    const { table, view, log } = this.#options;
    for (const row of table.pendingOutcomes.values()) {
      const { outcomes } = row;
      try {
        return { message: await view(row), outcomes };
      } catch (error) {
        log.error(`no module gets a receipt for message ${row.id}: ${describeError(error)}`);
        this.#skip(row.id, outcomes);
      }
    }
    return undefined;
  }

  /** Notes that the modules were asked, together with what they want. Throws GatewayError store_*. */
  async asked({ message, outcomes }: PendingOutcome, wanted: readonly Entry[]): Promise<void> {
    if (wanted.length > 0) return this.#note(wanted, [[message.id, outcomes]]);
    this.#skip(message.id, outcomes);
    if (this.#unwanted.length >= NOTED_TOGETHER) await this.#note();
  }

  /** Notes what is left. Never rejects. */
  async close(): Promise<void> {
    if (this.#unwanted.length === 0) return;
    await this.#note().catch((error: unknown) => this.#options.log.debug(() => describeError(error)));
  }

  #skip(id: MessageId, outcomes: number): void {
    const { pendingOutcomes } = this.#options.table;
    if (pendingOutcomes.get(id)?.outcomes === outcomes) pendingOutcomes.delete(id);
    this.#unwanted.push([id, outcomes]);
  }

  async #note(wanted: readonly Entry[] = [], asked: readonly (readonly [MessageId, number])[] = []): Promise<void> {
    const { journal, table } = this.#options;
    const unwanted = this.#unwanted;
    this.#unwanted = [];
    try {
      const record = encodeRecord({ kind: 'asked', outcomes: [...unwanted, ...asked] });
      await journal.appendAll([...wanted, { table: table.name, record }], { makesRoom: true });
    } catch (error) {
      this.#unwanted = [...unwanted, ...this.#unwanted];
      throw error;
    }
  }
}
