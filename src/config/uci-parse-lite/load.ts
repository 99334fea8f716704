import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { UciPackage } from './package-model.ts';
import { limits, parsePackage } from './parse.ts';
import { UciError } from './uci-error.ts';

/**
 * Loads a package from its config directory; undefined when it has no file. Staged changes are not looked at.
 * Throws UciError for a file that cannot be read or parsed.
 */
export async function loadPackage(directory: string, name: string): Promise<UciPackage | undefined> {
  const file = join(directory, name);
  const bytes = await readBounded(file);
  return bytes === undefined ? undefined : parsePackage(name, bytes, file);
}

async function readBounded(file: string): Promise<Buffer | undefined> {
  try {
    return await readRegular(file);
  } catch (error) {
    if (error instanceof UciError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new UciError(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      file,
      cause: error,
    });
  }
}

async function readRegular(file: string): Promise<Buffer> {
  // Without O_NONBLOCK a FIFO in this place would hold the open for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new UciError('not a regular file', { file });
    if (info.size > limits.bytes) throw new UciError(`file of more than ${limits.bytes} bytes`, { file });
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
