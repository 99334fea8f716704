import type { SentPart } from '../../src/simulator/messages.ts';
import { nodeFileSystem } from '../../src/store/journal/file-system.ts';
import { currentFormat, RecordRef } from '../../src/store/journal/format.ts';
import { loadFile } from '../../src/store/journal/load.ts';
import { isSent, mrOf, progress, progressOf } from '../../src/store/outbox/part.ts';
import type { OutboxRow } from '../../src/store/outbox/row.ts';
import { OutboxTable } from '../../src/store/outbox/table.ts';
import { partKey } from '../support/part-key.ts';

/**
 * Parts that the network took since the kill before, in order, and the journal that the last kill left does not know of. A
 * part goes out when it is on record as attempted and the one before it as accepted: only the fate of the last may be open,
 * and of the first, which may have been under way at the kill before.
 */
export async function offRecord(journal: string, taken: readonly SentPart[]): Promise<readonly string[]> {
  if (taken.length === 0) return [];
  const rows = await rowsOf(journal);
  return taken.flatMap((part, i) => {
    const open = i === 0 || i === taken.length - 1;
    const there = (rows.get(part.to) ?? []).some(({ parts }) => {
      const record = parts[part.sequence - 1] ?? 0;
      return isSent(record) ? open || mrOf(record) === part.mr : open && progressOf(record) === progress.attempted;
    });
    if (there) return [];
    const later = taken.length - 1 - i;
    return [`the network took ${partKey(part)} as ${part.mr} and ${later} after it: the journal does not have it`];
  });
}

/** The messages of the outbox, by their recipients. */
async function rowsOf(journal: string): Promise<ReadonlyMap<string, readonly OutboxRow[]>> {
  const table = new OutboxTable();
  const loaded = await loadFile(nodeFileSystem, journal, currentFormat, (entries, offset, length) => {
    for (const [item, { table: name, record }] of entries.entries()) {
      if (name === table.name) table.apply(record, new RecordRef(offset, length, item));
    }
    return true;
  });
  await loaded?.file.retire();
  const rows = new Map<string, OutboxRow[]>();
  for (const row of [table.pending, table.finished, table.remembered].flatMap((each) => [...each])) {
    rows.set(row.number, [...(rows.get(row.number) ?? []), row]);
  }
  return rows;
}
