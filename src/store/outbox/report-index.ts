import { sameSubscriber } from '../../base/phone-number.ts';
import type { PartReport } from '../sender.ts';
import { mrOf, progress, progressOf } from './part.ts';
import type { OutboxRow } from './row.ts';

export type ReportMatch =
  /** The part that it tells of. */
  | { readonly row: OutboxRow; readonly p: number }
  /** A part that has its final report already. */
  | 'repeated';

/**
 * Finds the part that a status report tells of. TP-MR has 256 values only, so several messages to one recipient can
 * share one: the newest that still waits for its report is meant.
 */
export class ReportIndex {
  /** Rows with an accepted part, by modem and TP-MR, oldest first. Entries may be out of date: the rows decide. */
  readonly #rows = new Map<string, OutboxRow[]>();

  add(row: OutboxRow, mr: number): void {
    if (row.report === false || row.via === undefined) return;
    const key = keyOf(row.via, mr);
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, [row]);
    else if (!rows.includes(row)) rows.push(row);
  }

  addAll(row: OutboxRow): void {
    for (const part of row.parts) if (progressOf(part) >= progress.sent) this.add(row, mrOf(part));
  }

  /** The row has left memory. */
  delete(row: OutboxRow): void {
    for (const part of row.parts) {
      const key = row.via === undefined ? '' : keyOf(row.via, mrOf(part));
      const rows = this.#rows.get(key);
      const at = rows?.indexOf(row) ?? -1;
      if (at >= 0) rows?.splice(at, 1);
      if (rows?.length === 0) this.#rows.delete(key);
    }
  }

  find({ modem, mr, number }: PartReport): ReportMatch | undefined {
    const rows = this.#rows.get(keyOf(modem, mr)) ?? [];
    let repeated = false;
    for (let i = rows.length - 1; i >= 0; i--) {
      const row = rows[i];
      if (row === undefined || row.via !== modem || !sameSubscriber(row.number, number)) continue;
      const waits = row.parts.findIndex((part) => mrOf(part) === mr && progressOf(part) === progress.sent);
      if (waits >= 0) return { row, p: waits };
      repeated ||= row.parts.some((part) => mrOf(part) === mr && progressOf(part) > progress.sent);
    }
    return repeated ? 'repeated' : undefined;
  }
}

const keyOf = (modem: string, mr: number) => `${modem}/${mr}`;
