import { encodeLine } from './line.ts';
import type { Entry } from './table.ts';

/** The journal's own name as a table. */
export const HEADER = 'journal';

/** Makes an entry of one version of the format an entry of the next. One for one: refs count the entries of a line. */
export type Upgrade = (entry: Entry) => Entry;

/** What the journal writes, and how it reads what earlier releases wrote. */
export interface Format {
  readonly version: number;
  /** By the version they start from. */
  readonly upgrades: ReadonlyMap<number, Upgrade>;
}

/** The present format. A change of any table's records raises the version and adds an upgrade from the last one. */
export const currentFormat: Format = { version: 1, upgrades: new Map() };

/**
 * The head of a file: the version and the highest message number so far. The line stands twice, for without it a
 * damaged sector could make numbers come again.
 */
export function encodeHeader(format: Format, lastId: number): Buffer {
  const line = encodeLine([{ table: HEADER, record: { version: format.version, id: lastId } }]);
  return Buffer.concat([line, line]);
}

/** An entry from a file of `version`, as `format` has it. */
export function upgradeEntry(format: Format, version: number, entry: Entry): Entry {
  if (entry.table === HEADER) return entry;
  let upgraded = entry;
  for (let v = version; v < format.version; v++) upgraded = format.upgrades.get(v)?.(upgraded) ?? upgraded;
  return upgraded;
}
