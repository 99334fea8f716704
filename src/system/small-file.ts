import { open } from 'node:fs/promises';

/** More than any of the files of /proc, /sys and /etc has that are read here. */
const MAX_OCTETS = 64 * 1024;

/** The text of a small file without white space and NULs around it; undefined when it cannot be read or says nothing. */
export async function readSmallFile(path: string): Promise<string | undefined> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_OCTETS), 0, MAX_OCTETS, 0);
      // Strings of the device tree end with NUL.
      const text = buffer.toString('utf8', 0, bytesRead).replaceAll('\0', ' ').trim();
      return text === '' ? undefined : text;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
