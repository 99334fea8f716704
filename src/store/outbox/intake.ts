import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { OutboxMessage } from '../message.ts';
import type { ClockSteps } from './clock-steps.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Ledger } from './ledger.ts';
import type { OutboxPolicy, SubmitRequest } from './options.ts';
import type { OutboxRecord } from './records.ts';
import { refIsFresh } from './retention.ts';
import type { OutboxRow } from './row.ts';
import { joinKey, refKey, submission } from './submission.ts';
import type { OutboxTable } from './table.ts';
import { outboxMessage } from './view.ts';

interface IntakeOptions {
  readonly journal: Journal;
  readonly table: OutboxTable;
  readonly ledger: Ledger;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly clockSteps: ClockSteps;
  readonly policy: () => OutboxPolicy;
  readonly view: (row: OutboxRow) => Promise<OutboxMessage>;
}

/** Takes in new messages, each request once. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #storing = new Set<Promise<OutboxMessage>>();
  /** Messages that are being stored, by the keys under which a repeated request must find them. */
  readonly #byKey = new Map<string, Promise<OutboxMessage>>();
  #closed = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes nothing more; resolves when nothing is being stored any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#storing);
  }

  async submit(request: SubmitRequest): Promise<OutboxMessage> {
    if (this.#closed) throw new GatewayError('stopping', 'the outbox is closing');
    const [byRef, byJoin] = [refKey(request), joinKey(request)];
    const earlier = this.#earlier(byRef, byJoin);
    if (earlier !== undefined) return earlier;
    const storing = this.#store(request);
    const keys = [byRef, byJoin].filter((key) => key !== undefined);
    for (const key of keys) this.#byKey.set(key, storing);
    this.#storing.add(storing);
    try {
      return await storing;
    } finally {
      this.#storing.delete(storing);
      for (const key of keys) this.#byKey.delete(key);
    }
  }

  /** Throws queue_full. */
  checkRoom(): void {
    const { table, policy } = this.#options;
    const { queueLimit } = policy();
    if (table.pending.size + this.#storing.size < queueLimit) return;
    throw new GatewayError('queue_full', `${queueLimit} messages wait already`);
  }

  /** The message that an earlier request of the same kind has made. */
  #earlier(byRef: string | undefined, byJoin: string | undefined): Promise<OutboxMessage> | undefined {
    const { table, clock, view } = this.#options;
    for (const key of [byRef, byJoin]) {
      const storing = key === undefined ? undefined : this.#byKey.get(key);
      if (storing !== undefined) return storing;
    }
    const first = byRef === undefined ? undefined : table.byRef(byRef);
    if (first !== undefined && refIsFresh(first, clock.now())) return view(first);
    const joined = byJoin === undefined ? undefined : table.byJoin(byJoin);
    return joined === undefined ? undefined : view(joined);
  }

  async #store(request: SubmitRequest): Promise<OutboxMessage> {
    const { journal, table, ledger, dispatcher, clock, clockSteps, policy } = this.#options;
    const setting = clockSteps.check();
    if (setting !== undefined) await setting;
    this.checkRoom();
    const id = journal.nextId();
    const { record, message } = submission(request, id, policy(), clock.now());
    clockSteps.submitted(id);
    const { number } = record;
    const worker = dispatcher.claim(number, record.modem, record.notBefore ?? 0);
    const records: OutboxRecord[] = [record];
    if (worker !== undefined) records.push(worker.attempt(id, 0));
    try {
      await ledger.write(records);
    } catch (error) {
      dispatcher.stored(number, worker);
      throw error;
    }
    const row = table.pending.get(id);
    if (row === undefined) throw new GatewayError('internal', `message ${id} was stored and is not there`);
    dispatcher.stored(number, worker, row, message);
    return outboxMessage(record, row.snapshot(), worker !== undefined);
  }
}
