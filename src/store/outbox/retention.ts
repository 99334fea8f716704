import type { OutboxPolicy } from './options.ts';
import type { OutboxRow } from './row.ts';
import type { OutboxTable } from './table.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Messages that are remembered for their client references at the most: a wild client must not fill the memory. */
const MAX_REMEMBERED = 10_000;

/** Whether the client reference of a message still counts. */
export const refIsFresh = (row: OutboxRow, now: number): boolean => now - row.time < DAY_MS;

/**
 * Lets go of finished messages that are too old or too many. No record is needed: a restart comes to the same.
 * `asks`: the modules are asked about each outcome, and until then a message stays.
 */
export function trim(table: OutboxTable, policy: OutboxPolicy, now: number, asks: boolean): void {
  const oldest = now - policy.keepDays * DAY_MS;
  for (let { first } = table.finished; first !== undefined; first = table.finished.first) {
    if (table.finished.size <= policy.keepCount && first.changed >= oldest) break;
    if (asks && table.pendingOutcomes.has(first.id)) break;
    table.forget(first.id);
  }
  for (let { first } = table.remembered; first !== undefined; first = table.remembered.first) {
    if (table.remembered.size <= MAX_REMEMBERED && refIsFresh(first, now)) break;
    table.drop(first);
  }
}
