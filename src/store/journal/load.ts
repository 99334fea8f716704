import { GatewayError } from '../../base/errors.ts';
import { type FileSystem, isMissing, isReadOnly } from './file-system.ts';
import {
  CHECKSUM_START,
  decodeLine,
  type Entry,
  type Format,
  HEADER,
  MAX_LINE,
  NEWLINE,
  upgradeEntry,
} from './format.ts';
import { JournalFile } from './journal-file.ts';

export interface LoadedFile {
  readonly file: JournalFile;
  readonly version: number;
  /** End of the last whole line, octets. */
  readonly size: number;
  /** Octets of a torn line after it. */
  readonly torn: number;
  readonly damaged: readonly Range[];
  readonly writable: boolean;
  /** Whether the header was there. Without it the file is taken to be of the present version. */
  readonly complete: boolean;
}

/** Takes over one sound line. Answers false when it makes no sense. */
export type ApplyLine = (entries: readonly Entry[], offset: number, length: number) => boolean;

/** Opens and reads the journal at `path`; undefined when there is no file. */
export async function loadFile(
  fs: FileSystem,
  path: string,
  format: Format,
  apply: ApplyLine,
): Promise<LoadedFile | undefined> {
  const opened = await openFile(fs, path);
  if (opened === undefined) return undefined;
  const { file, writable } = opened;
  let version: number | undefined;
  try {
    const result = await scan(file, (entries, offset, length) => {
      version ??= versionOf(entries, format, path);
      const from = version ?? format.version;
      return apply(
        from === format.version ? entries : entries.map((e) => upgradeEntry(format, from, e)),
        offset,
        length,
      );
    });
    const loaded = { file, writable, version: version ?? format.version, complete: version !== undefined };
    if (loaded.complete || result.torn === 0) return { ...loaded, ...result };
    // Not a journal, or nothing is left of it: whatever it is, it is not thrown away.
    const { size, torn } = result;
    return { ...loaded, size: size + torn, torn: 0, damaged: [...result.damaged, { offset: size, length: torn }] };
  } catch (error) {
    await file.retire();
    throw error;
  }
}

async function openFile(fs: FileSystem, path: string): Promise<{ file: JournalFile; writable: boolean } | undefined> {
  try {
    return { file: new JournalFile(await fs.open(path, 'write')), writable: true };
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (!isReadOnly(error)) throw error;
    return { file: new JournalFile(await fs.open(path, 'read')), writable: false };
  }
}

function versionOf(entries: readonly Entry[], format: Format, path: string): number | undefined {
  const version = entries.find((entry) => entry.table === HEADER)?.record.version;
  if (typeof version !== 'number') return undefined;
  if (version <= format.version) return version;
  // Never touched: the program that wrote it can still read it.
  throw new GatewayError(
    'store_unavailable',
    `the journal is of version ${version}, this program reads up to ${format.version}: install the version that wrote it again, ` +
      `or move ${path} away and begin without its messages`,
  );
}

export interface Range {
  readonly offset: number;
  readonly length: number;
}

export interface ScanResult {
  /** End of the last whole line. */
  readonly size: number;
  /** Octets after it: a line that was being written when the power went. */
  readonly torn: number;
  /** Damaged lines. */
  readonly damaged: readonly Range[];
}

const BLOCK = 256 * 1024;

/** Called with each sound line; `length` counts its newline. Answers false when it cannot make sense of it. */
type LineCallback = (entries: readonly Entry[], offset: number, length: number) => boolean;

/** Reads a journal file from front to end. Damage costs the lines it lies in and no others. */
async function scan(file: JournalFile, onLine: LineCallback): Promise<ScanResult> {
  const damaged: Range[] = [];
  // One piece of memory for all: with a new one for each block the collector would run for them alone.
  const memory = Buffer.allocUnsafe(MAX_LINE + BLOCK);
  let carry = memory.subarray(0, 0);
  let offset = 0;
  // Octets from `offset` that are no line: too long without a newline, and let go.
  let skipped = 0;
  for (;;) {
    memory.set(carry);
    const begin = carry.length;
    const count = await file.salvageInto(memory.subarray(begin, begin + BLOCK), offset + skipped + begin);
    carry = memory.subarray(0, begin);
    if (count === 0) break;
    const data = memory.subarray(0, begin + count);
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
      const length = skipped + end + 1 - start;
      const found = skipped > 0 ? [{ offset, length }] : takeLine(data, start, end, offset, onLine);
      if (found.length > 0) damaged.push(...found);
      skipped = 0;
      offset += length;
      start = end + 1;
    }
    carry = data.subarray(start);
    if (carry.length > MAX_LINE) {
      skipped += carry.length;
      carry = memory.subarray(0, 0);
    }
  }
  const last = decodeLine(carry.subarray(0, -1));
  if (skipped > 0 || last === undefined || !onLine(last, offset, carry.length)) {
    return { size: offset, torn: skipped + carry.length, damaged };
  }
  // Whole but for its newline, which something hit.
  const size = offset + carry.length;
  return { size, torn: 0, damaged: [...damaged, { offset: size - 1, length: 1 }] };
}

const SOUND: readonly Range[] = [];

/** Hands the line between these places on, which lies at `offset` of the file; answers the damaged pieces of it. */
function takeLine(data: Buffer, begin: number, end: number, offset: number, onLine: LineCallback): readonly Range[] {
  const length = end + 1 - begin;
  const entries = decodeLine(data, begin, end);
  if (entries !== undefined) return onLine(entries, offset, length) ? SOUND : [{ offset, length }];
  // Where a newline was hit, two sound lines stand with one wrong octet in between.
  for (const { index } of data.toString('latin1', begin, end).matchAll(CHECKSUM_START)) {
    const second = begin + index;
    if (index === 0 || decodeLine(data, second, end) === undefined) continue;
    return [
      ...takeLine(data, begin, second - 1, offset, onLine),
      { offset: offset + index - 1, length: 1 },
      ...takeLine(data, second, end, offset + index, onLine),
    ];
  }
  return [{ offset, length }];
}
