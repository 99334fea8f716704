import { GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { sameSubscriber } from '../../base/phone-number.ts';
import type { MessageId } from '../message.ts';
import type { PartReport } from '../sender.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Ledger } from './ledger.ts';
import { progress, progressOf } from './part.ts';
import type { OutboxRecord } from './records.ts';
import { finalProgress } from './report-class.ts';
import type { OutboxTable } from './table.ts';

interface Held {
  readonly report: PartReport;
  resolve(): void;
  reject(error: unknown): void;
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

/** Gives status reports to the messages that they tell of. */
export class Reports {
  readonly #options: ReportsOptions;
  /** Reports that came before the modem's own answer to the part, or before that answer was durable. */
  #held: Held[] = [];

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Resolves when what the report says is durable, or when it says nothing of any message. */
  async report(report: PartReport): Promise<void> {
    if (await this.#matched(report)) return;
    const early = this.#options.dispatcher.sending(report.modem, report.number);
    if (!early || this.#held.length >= MAX_HELD) return this.#drop(report);
    await new Promise<void>((resolve, reject) => void this.#held.push({ report, resolve, reject }));
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
    if (match === 'repeated') return true;
    if (match === undefined) return this.#clearsDoubt(report);
    await this.#write(match.row.id, match.p, report, true);
    return true;
  }

  /** A report that fits no sent part may show that a doubtful one was sent. */
  async #clearsDoubt(report: PartReport): Promise<boolean> {
    const { dispatcher } = this.#options;
    const doubt = dispatcher.doubt(report.modem, report.number, report.mr);
    if (doubt === undefined) return this.#clearsUnknown(report);
    await dispatcher.confirm(doubt, report.mr, () => this.#write(doubt.entry.id, doubt.p, report, false));
    return true;
  }

  /** The same for a message that was given up as unknown; the newest is meant. */
  async #clearsUnknown(report: PartReport): Promise<boolean> {
    const { table } = this.#options;
    if (table.count('unknown') === 0) return false;
    let found: { readonly id: MessageId; readonly p: number } | undefined;
    for (const row of table.finished) {
      if (row.state !== 'unknown' || row.via !== report.modem || row.report === false) continue;
      const p = row.parts.findIndex((part) => progressOf(part) === progress.attempted);
      if (p >= 0 && sameSubscriber(row.number, report.number)) found = { id: row.id, p };
    }
    if (found === undefined) return false;
    await this.#write(found.id, found.p, report, false);
    return true;
  }

  async #write(id: MessageId, p: number, { mr, status }: PartReport, known: boolean): Promise<void> {
    const at = this.#options.now();
    const to = finalProgress(status);
    const records: OutboxRecord[] = known ? [] : [{ k: 'o', id, p, mr, at }];
    if (to !== undefined) records.push({ k: 'r', id, p, mr, to, at });
    if (records.length > 0) await this.#options.ledger.write(records, { makesRoom: true });
  }
}
