import { constants, type Stats } from 'node:fs';
import { access, lstat, readlink, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const GROUP_OR_OTHERS_WRITE = 0o022;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;
/** In such a folder only its owner can replace a file. */
const STICKY = 0o1000;

/** Links that a path may lead through, as in the kernel. */
const MAX_LINKS = 40;

/**
 * Why a program must not run; undefined when it may. It may when nobody but root and this process' account can change it: it
 * belongs to one of them, no other may write to it, and nobody else can put another file in its place, nor in the place of
 * a folder or a link on the way to it.
 */
export async function distrust(path: string): Promise<string | undefined> {
  const trusted = new Set([0, process.getuid?.() ?? 0]);
  try {
    const { program, fault } = await follow(path, trusted);
    if (fault !== undefined) return fault;
    const file = await stat(program);
    if (!file.isFile()) return `${path} is no file`;
    if (!trusted.has(file.uid))
      return `${path} belongs to user ${file.uid}, and must belong to root or the gateway's own`;
    if ((file.mode & GROUP_OR_OTHERS_WRITE) !== 0) {
      return `other users can write to ${path} (mode ${octal(file.mode)}), and must not: chmod go-w`;
    }
    await access(program, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no program ${path}`;
    return code === 'EACCES' ? `${path} must not be run by the gateway's user` : `${path} cannot be looked at: ${code}`;
  }
}

/** Where a path leads to, with what is wrong on the way. */
async function follow(
  path: string,
  trusted: ReadonlySet<number>,
): Promise<{ readonly program: string; readonly fault?: string }> {
  let names = resolve(path)
    .split('/')
    .filter((name) => name !== '');
  let at = '/';
  let links = 0;
  for (;;) {
    const fault = replaceable(path, at, await lstat(at), trusted);
    if (fault !== undefined) return { program: at, fault };
    const [name, ...rest] = names;
    if (name === undefined) return { program: at };
    const next = join(at, name);
    const entry = await lstat(next);
    if (entry.isSymbolicLink()) {
      links += 1;
      if (links > MAX_LINKS) return { program: next, fault: `${path} leads through more than ${MAX_LINKS} links` };
      if (!trusted.has(entry.uid)) {
        return { program: next, fault: `user ${entry.uid} can replace ${path}: the link ${next} belongs to that user` };
      }
      names = [
        ...resolve(at, await readlink(next))
          .split('/')
          .filter((each) => each !== ''),
        ...rest,
      ];
      at = '/';
    } else if (rest.length === 0) return { program: next };
    else {
      at = next;
      names = rest;
    }
  }
}

/** Whether others can put another entry into the folder in the place of one; a sentence. */
function replaceable(
  path: string,
  folder: string,
  { uid, gid, mode }: Stats,
  trusted: ReadonlySet<number>,
): string | undefined {
  if (!trusted.has(uid)) return `user ${uid} can replace ${path}: ${folder} belongs to that user`;
  if ((mode & STICKY) !== 0) return undefined;
  if ((mode & OTHERS_WRITE) !== 0) return `other users can replace ${path}: ${folder} has mode ${octal(mode)}`;
  // The group of root has no other members.
  if ((mode & GROUP_WRITE) === 0 || gid === 0) return undefined;
  return `group ${gid} can replace ${path}: it may write to ${folder} (mode ${octal(mode)}), chmod g-w`;
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
