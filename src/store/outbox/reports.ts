import { type Deferred, deferred } from '../../base/abort.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { sameSubscriber } from '../../base/phone-number.ts';
import { statusOf } from '../../sms/index.ts';
import type { MessageId } from '../message.ts';
import type { PartReport } from '../sender.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Ledger } from './ledger.ts';
import { progress, progressOf } from './part.ts';
import type { FinalProgress, OutboxRecord } from './records.ts';
import type { OutboxTable } from './table.ts';

/** A report that waits for the outcome of the part that its modem is sending. */
interface Held extends Deferred<void> {
  readonly report: PartReport;
}

/** One modem sends one part at a time: more reports than this cannot be early. */
const MAX_HELD = 100;

interface ReportsOptions {
  readonly table: OutboxTable;
  readonly ledger: Ledger;
  readonly dispatcher: Dispatcher;
  readonly log: Logger;
  readonly now: () => number;
}

/** Gives status reports to the messages that they belong to. */
export class Reports {
  readonly #options: ReportsOptions;
  /** Reports that came before the modem's own answer to the part, or before that answer was durable. */
  #held: Held[] = [];

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Resolves when what the report says is durable, or when it says nothing of any message. */
  async report(report: PartReport): Promise<void> {
    // It may be the report of the part in hand, and an older message may have the same TP-MR.
    const early = this.#options.dispatcher.sending(report.modem, report.number);
    if (!early || this.#held.length >= MAX_HELD) {
      if (!(await this.#matched(report))) this.#drop(report);
      return;
    }
    const held = { ...deferred(), report };
    this.#held.push(held);
    await held.promise;
  }

  /**
   * The modem has given up what it had in hand: reports that were held for it find their part now, or never. Held any
   * longer, one might be taken for the report of a later part with the same TP-MR.
   */
  retry(modem: string): void {
    if (this.#held.length === 0) return;
    const due = this.#held.filter(({ report }) => report.modem === modem);
    this.#held = this.#held.filter(({ report }) => report.modem !== modem);
    for (const { report, resolve, reject } of due) {
      this.#matched(report)
        .then((matched) => matched || this.#drop(report))
        .then(() => resolve(), reject);
    }
  }

  close(): void {
    for (const { reject } of this.#held) reject(new GatewayError('stopping', 'the outbox is closing'));
    this.#held = [];
  }

  #drop({ modem, mr }: PartReport): void {
    this.#options.log.debug(`${modem} has a status report that belongs to no message here (TP-MR ${mr})`);
  }

  async #matched(report: PartReport): Promise<boolean> {
    const match = this.#options.table.reports.find(report);
    if (match !== undefined && match !== 'repeated') {
      await this.#write(match.row.id, match.part, report, true);
      return true;
    }
    const { dispatcher } = this.#options;
    const doubt = dispatcher.doubt(report.modem, report.number, report.mr);
    // A part in doubt that is sure to have this TP-MR is newer than the one that has its report already.
    if (match === 'repeated' && doubt?.mr !== report.mr) return true;
    if (doubt === undefined) return this.#clearsUnknown(report);
    // A report that fits no sent part shows that the doubtful one was sent.
    await dispatcher.confirm(doubt, report.mr, () => this.#write(doubt.entry.id, doubt.part, report, false));
    return true;
  }

  /** A message that was given up as unknown was sent, if the report can be its own; the newest is meant. */
  async #clearsUnknown(report: PartReport): Promise<boolean> {
    const { table } = this.#options;
    if (table.count('unknown') === 0) return false;
    let found: { readonly id: MessageId; readonly part: number } | undefined;
    for (const row of table.finished) {
      if (row.state !== 'unknown' || row.via !== report.modem || row.report === false) continue;
      const part = row.parts.findIndex((each) => progressOf(each) === progress.attempted);
      if (part >= 0 && sameSubscriber(row.number, report.number)) found = { id: row.id, part };
    }
    if (found === undefined) return false;
    await this.#write(found.id, found.part, report, false);
    return true;
  }

  async #write(id: MessageId, part: number, { mr, status }: PartReport, known: boolean): Promise<void> {
    const at = this.#options.now();
    const result = finalProgress(status);
    const records: OutboxRecord[] = known ? [] : [{ kind: 'accepted', id, part, mr, at }];
    if (result !== undefined) records.push({ kind: 'reported', id, part, mr, result, at });
    if (records.length > 0) await this.#options.ledger.write(records, { makesRoom: true });
  }
}

/** What TP-ST makes of a part: its final progress, or undefined while the service centre still tries. */
function finalProgress(status: number): FinalProgress | undefined {
  switch (statusOf(status)) {
    case 'pending':
      return undefined;
    case 'delivered':
    case 'replaced':
      return progress.delivered;
    case 'expired':
      return progress.expired;
    default:
      return progress.undelivered;
  }
}
