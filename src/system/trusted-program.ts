import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const GROUP_OR_OTHERS_WRITE = 0o022;
const OTHERS_WRITE = 0o002;
/** In such a folder only its owner can replace a file. */
const STICKY = 0o1000;

/**
 * Why a program must not run; undefined when it may. It may when nobody but root and this process' account can change it: it
 * belongs to one of them, no other may write to it, and nobody else can put another file in its place.
 */
export async function distrust(path: string): Promise<string | undefined> {
  const trusted = new Set([0, process.getuid?.() ?? 0]);
  try {
    // What a link points to is what runs.
    const program = await realpath(path);
    const file = await stat(program);
    if (!file.isFile()) return `${path} is no file`;
    if (!trusted.has(file.uid))
      return `${path} belongs to user ${file.uid}, and must belong to root or the gateway's own`;
    if ((file.mode & GROUP_OR_OTHERS_WRITE) !== 0) {
      return `other users can write to ${path} (mode ${octal(file.mode)}), and must not: chmod go-w`;
    }
    for (let folder = dirname(program); ; folder = dirname(folder)) {
      const { uid, mode } = await stat(folder);
      const open = (mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0;
      if (open) return `other users can replace ${path}: ${folder} has mode ${octal(mode)}`;
      if (!trusted.has(uid)) return `user ${uid} can replace ${path}: ${folder} belongs to that user`;
      if (folder === dirname(folder)) break;
    }
    await access(program, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no program ${path}`;
    return code === 'EACCES' ? `${path} must not be run by the gateway's user` : `${path} cannot be looked at: ${code}`;
  }
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
