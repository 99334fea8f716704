import type { JsonObject } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import type { JournalOptions } from '../../src/store/journal/journal.ts';
import { Journal, type LiveRecord, type RecordRef, type Table } from '../../src/store/journal/journal.ts';
import { ManualClock } from './manual-clock.ts';
import type { MemoryFileSystem } from './memory-file-system.ts';

/** A table of keys and values: `{ k, v }` sets one, `{ k }` removes it. */
export class KeyTable implements Table {
  readonly name = 'kv';
  readonly refs = new Map<string, RecordRef>();
  /** Every record in the order in which it was applied. */
  readonly applied: string[] = [];

  apply({ k, v }: JsonObject, ref: RecordRef): void {
    this.applied.push(`${k}=${v ?? ''}`);
    if (v === undefined) this.refs.delete(String(k));
    else this.refs.set(String(k), ref);
  }

  *live(): Iterable<LiveRecord> {
    for (const ref of this.refs.values()) yield { ref };
  }

  relocate(move: (ref: RecordRef) => void): void {
    for (const ref of this.refs.values()) move(ref);
  }
}

export interface OpenedJournal {
  readonly journal: Journal;
  readonly table: KeyTable;
  readonly clock: ManualClock;
  readonly log: readonly string[];
}

export const DIRECTORY = '/state';

/** A journal with one KeyTable, on a file system in memory; not yet open. */
export function makeJournal(fileSystem: MemoryFileSystem, options: Partial<JournalOptions> = {}): OpenedJournal {
  const clock = new ManualClock();
  const log: string[] = [];
  const logger = createLogger({ level: 'debug', write: (line) => void log.push(line.trimEnd()) });
  const journal = new Journal({ directory: DIRECTORY, clock, log: logger, fileSystem, ...options });
  const table = new KeyTable();
  journal.register(table);
  return { journal, table, clock, log };
}

export async function openJournal(
  fileSystem: MemoryFileSystem,
  options: Partial<JournalOptions> = {},
): Promise<OpenedJournal> {
  const made = makeJournal(fileSystem, options);
  await made.journal.open();
  return made;
}

/** What the journal holds, read back from the disk. */
export async function contentOf({ journal, table }: OpenedJournal): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  for (const [key, ref] of table.refs) content[key] = (await journal.read(ref)).v;
  return content;
}
