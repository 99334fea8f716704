import { crc32 } from 'node:zlib';
import { isJsonObject, type JsonObject } from '../../base/json.ts';

/**
 * Where a record lies. A table keeps it, or its numbers, and gives it to `Journal.read`. When the journal compacts, it moves
 * those that the table shows it: see `Table.relocate`.
 */
export class RecordRef {
  /** Of the line in the file. */
  offset: number;
  length: number;
  /** Which entry of the line. */
  item: number;

  constructor(offset: number, length: number, item: number) {
    this.offset = offset;
    this.length = length;
    this.item = item;
  }
}

/** One record of one table; several may stand in one line. */
export interface Entry {
  readonly table: string;
  /** A field `id` is a message number: the journal's sequence goes on above the highest it has seen. */
  readonly record: JsonObject;
}

/** What compaction keeps. `ref`: the record is copied as it lies. `record`: it is encoded again. */
export type LiveRecord =
  | { readonly ref: RecordRef; readonly record?: never }
  | { readonly record: JsonObject; readonly ref?: never };

/**
 * The state that one part of the store derives from its records. The same `apply` runs when the journal is loaded and when
 * a new record has become durable, in the order of the file: what is in memory is always what a restart would find.
 */
export interface Table {
  /** Short, it stands in every line; `journal` is taken. */
  readonly name: string;
  /** Takes over a durable record. Synchronous; must not throw; must bear records about things it does not know. */
  apply(record: JsonObject, ref: RecordRef): void;
  /**
   * Records that rebuild the present state when applied in this order to an empty table. Walked through at once, without
   * an await in between. A ref that is not listed is dead afterwards.
   */
  live(): Iterable<LiveRecord>;
  /**
   * The file was compacted: every ref that the table keeps is to be put to `move`, which gives it its new place. Left out by
   * tables that keep none.
   */
  relocate?(move: (ref: RecordRef) => void): void;
  /**
   * Octets of what `live` gives: those of its refs as they lie, and `encoded` for each record. Left out by tables that are seldom
   * large: then it is walked through.
   */
  liveOctets?(encoded: number): number;
}

/**
 * A line is `<crc32 of the JSON, 8 hex digits> <JSON>\n`, the JSON `[table, record, table, record, …]`. JSON escapes
 * control characters, so a newline is always the end of a line, and reading finds its feet again after damage.
 */
const CHECKSUM = 8;
const PREFIX = CHECKSUM + 1;
const SPACE = 0x20;
export const NEWLINE = 0x0a;

/** Longest line, in octets; the longest message takes a tenth of it. */
export const MAX_LINE = 1 << 20;

/** How a line starts, for finding one behind a newline that was damaged. */
export const CHECKSUM_START = /[0-9a-f]{8} \["/g;

const checksum = (json: Uint8Array) => crc32(json).toString(16).padStart(CHECKSUM, '0');

/** The number that the eight digits from there on are; -1 where they are none. */
function readChecksum(line: Uint8Array, begin: number): number {
  let value = 0;
  for (let at = begin; at < begin + CHECKSUM; at++) {
    const digit = DIGITS[line[at] ?? 0] ?? -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** What each octet is as a digit. */
const DIGITS = Int8Array.from({ length: 256 }, (_, octet) => '0123456789abcdef'.indexOf(String.fromCharCode(octet)));

/** The line with its newline. */
export function encodeLine(entries: readonly Entry[]): Buffer {
  const json = JSON.stringify(entries.flatMap((entry) => [entry.table, entry.record]));
  const length = Buffer.byteLength(json);
  const line = Buffer.allocUnsafe(PREFIX + length + 1);
  line.write(json, PREFIX);
  line.write(`${checksum(line.subarray(PREFIX, PREFIX + length))} `, 0, 'latin1');
  line[PREFIX + length] = NEWLINE;
  return line;
}

/** The entries of a line without its newline, which lies between these places; undefined when it is damaged. */
export function decodeLine(octets: Buffer, begin = 0, end = octets.length): readonly Entry[] | undefined {
  if (end - begin <= PREFIX || octets[begin + CHECKSUM] !== SPACE) return undefined;
  const json = octets.subarray(begin + PREFIX, end);
  if (readChecksum(octets, begin) !== crc32(json)) return undefined;
  try {
    return toEntries(JSON.parse(json.toString()));
  } catch {
    return undefined;
  }
}

function toEntries(value: unknown): readonly Entry[] | undefined {
  if (!Array.isArray(value) || value.length % 2 !== 0) return undefined;
  const entries: Entry[] = [];
  for (let i = 0; i < value.length; i += 2) {
    const [table, record]: unknown[] = [value[i], value[i + 1]];
    if (typeof table !== 'string' || !isJsonObject(record)) return undefined;
    entries.push({ table, record });
  }
  return entries;
}

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
