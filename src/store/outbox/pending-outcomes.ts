import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Entry, Journal } from '../journal/journal.ts';
import type { MessageId, OutboxMessage } from '../message.ts';
import type { OutboxRow } from './row.ts';
import type { OutboxTable } from './table.ts';

/** A message that has come to a settled state. */
export interface Outcome {
  readonly message: OutboxMessage;
  /** How many outcomes it has had by then: a failed message may be taken up again, a sent one be delivered. */
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
  async next(): Promise<Outcome | undefined> {
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
  async asked({ message, outcomes }: Outcome, wanted: readonly Entry[]): Promise<void> {
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
      const record = { k: 'h', o: [...unwanted, ...asked] };
      await journal.appendAll([...wanted, { table: table.name, record }], { makesRoom: true });
    } catch (error) {
      this.#unwanted = [...unwanted, ...this.#unwanted];
      throw error;
    }
  }
}
