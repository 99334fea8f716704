import { GatewayError } from '../../base/errors.ts';
import { isMissing, isReadOnly } from './file-error.ts';
import type { FileSystem } from './file-system.ts';
import { type Format, HEADER, upgradeEntry } from './format.ts';
import { JournalFile } from './journal-file.ts';
import { type Range, scan } from './scan.ts';
import type { Entry } from './table.ts';

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

/** Opens and reads the journal at `path`; undefined when there is none. */
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
      version ??= versionOf(entries, format);
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

function versionOf(entries: readonly Entry[], format: Format): number | undefined {
  const version = entries.find((entry) => entry.table === HEADER)?.record.version;
  if (typeof version !== 'number') return undefined;
  if (version <= format.version) return version;
  // Never touched: the program that wrote it can still read it.
  throw new GatewayError(
    'store_unavailable',
    `the journal is of version ${version}, this program reads up to ${format.version}`,
  );
}
