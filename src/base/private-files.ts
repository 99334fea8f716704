import { chmod, chown, lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from './errors.ts';

/* Files that only the gateway may change or read: who can write them forges messages or takes over the gateway. */

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
/** Shared by all users, as /tmp is. */
const STICKY = 0o1000;

interface Facts {
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
}

/**
 * Sees to it that a directory belongs to this process' account and that nobody else may enter it. Gives a line for the log
 * for each thing that was put right. Throws GatewayError store_unavailable when another account owns it, or when others can
 * write to it and it holds more than files that `isOurs` knows: a mode that suits them is not ours to change.
 */
export async function guardDirectory(path: string, isOurs: (name: string) => boolean): Promise<readonly string[]> {
  const stats = await lstatOrTarget(path);
  if (!stats.isDirectory()) throw new GatewayError('store_unavailable', `${path} is no directory`);
  const facts = { path, uid: stats.uid, mode: stats.mode & 0o7777 };
  const lines = await guardOwner(facts);
  if ((facts.mode & OTHERS) === 0) return lines;
  const foreign = (await readdir(path)).find((name) => !isOurs(name));
  const shared = (facts.mode & STICKY) !== 0 ? 'users share it' : foreign && `it also holds ${foreign}`;
  if (shared === undefined) return [...lines, await narrow(facts, 0o700)];
  if ((facts.mode & OTHERS_WRITE) === 0) {
    return [...lines, `${path} has mode ${octal(facts.mode)}: other users may look into it, and ${shared}`];
  }
  throw new GatewayError(
    'store_unavailable',
    `other users can write to ${path} (mode ${octal(facts.mode)}), and ${shared}: wanted a directory of the gateway's own, mode 0700`,
  );
}

/**
 * As `guardDirectory`, for one file; nothing to say of one that is missing. Throws GatewayError store_unavailable when it is no
 * plain file: a link may lead anywhere.
 */
export async function guardFile(path: string): Promise<readonly string[]> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return [];
  if (!stats.isFile()) throw new GatewayError('store_unavailable', `${path} is no plain file`);
  const facts = { path, uid: stats.uid, mode: stats.mode & 0o7777 };
  const lines = await guardOwner(facts);
  return (facts.mode & OTHERS) === 0 ? lines : [...lines, await narrow(facts, 0o600)];
}

/**
 * A sentence for a file of the owner's that accounts other than root and this process' can change, or read where it holds
 * something `secret`, such as `the passwords`; undefined when all is well, or nothing can be said. Its mode is not ours to
 * change: others may need to read it.
 */
export async function exposureOf(path: string, secret: string | undefined): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  const mode = `mode ${octal(stats.mode & 0o777)}, wanted 0600, or 0640 with a group of the gateway's own`;
  const own = process.geteuid?.();
  if ((stats.mode & 0o002) !== 0) return `all users can change ${path}: ${mode}`;
  if (own !== undefined && stats.uid !== own && stats.uid !== 0) {
    return `${path} belongs to user ${stats.uid}, who can change it: wanted user ${own} or root`;
  }
  if (secret !== undefined && (stats.mode & 0o004) !== 0) return `all users can read ${secret} in ${path}: ${mode}`;
  return undefined;
}

async function lstatOrTarget(path: string) {
  // A directory may well be a link to the disk that has room: what counts is where it leads.
  return lstat(join(path, '.'));
}

/** Root takes over what another account has; any other account can only say so. */
async function guardOwner({ path, uid }: Facts): Promise<readonly string[]> {
  const own = process.geteuid?.();
  if (own === undefined || uid === own || uid === 0) return [];
  if (own !== 0) {
    throw new GatewayError('store_unavailable', `${path} belongs to user ${uid}, wanted user ${own} or root`);
  }
  await chown(path, own, process.getegid?.() ?? 0);
  return [`${path} belonged to user ${uid}, now it is root's`];
}

async function narrow({ path, mode }: Facts, wanted: number): Promise<string> {
  const what = (mode & OTHERS_WRITE) !== 0 ? 'change' : 'read';
  const before = `${path} had mode ${octal(mode)}, so that other users could ${what} it`;
  try {
    await chmod(path, mode & wanted);
    const after = (await lstat(path)).mode & OTHERS;
    return after === 0 ? `${before}; now it has ${octal(mode & wanted)}` : `${before}; this file system keeps no modes`;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return `${before}, and the mode cannot be changed (${code})`;
  }
}

const octal = (mode: number) => `0${mode.toString(8)}`;
