import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { JournalFile } from './journal-file.ts';
import type { Range } from './scan.ts';

/** For a person with an editor; nothing reads it. */
export const QUARANTINE = 'journal.corrupt';

/** Damage beyond this is not kept: the side file must not fill a router's flash. */
const MAX_QUARANTINE = 1 << 20;

/** Copies damaged lines to the side file, durable when it resolves. Gives the octets that it had no room for. */
export async function quarantine(
  fs: FileSystem,
  directory: string,
  source: JournalFile,
  ranges: readonly Range[],
): Promise<number> {
  const path = join(directory, QUARANTINE);
  const file = new JournalFile(await fs.open(path, 'write').catch(() => fs.open(path, 'create')));
  try {
    let size = await file.size();
    let dropped = 0;
    for (const { offset, length } of ranges) {
      const room = Math.max(0, Math.min(length, MAX_QUARANTINE - size));
      const data = Buffer.alloc(room);
      await file.write(data.subarray(0, await source.salvageInto(data, offset)), size);
      size += room;
      dropped += length - room;
    }
    await file.datasync();
    await fs.syncDirectory(directory);
    return dropped;
  } finally {
    await file.retire();
  }
}
