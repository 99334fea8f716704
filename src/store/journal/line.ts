import { crc32 } from 'node:zlib';
import { isJsonObject } from '../../base/json.ts';
import type { Entry } from './table.ts';

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

/** The entries of a line without its newline, or undefined when it is damaged. */
export function decodeLine(line: Buffer): readonly Entry[] | undefined {
  if (line.length <= PREFIX || line[CHECKSUM] !== SPACE) return undefined;
  const json = line.subarray(PREFIX);
  if (line.toString('latin1', 0, CHECKSUM) !== checksum(json)) return undefined;
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
