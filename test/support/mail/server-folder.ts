import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Whom the mail servers of the tests run as: whoever runs the tests, but `nobody` instead of root. */
export function serverUser(): {
  readonly name: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
} {
  const { uid, gid, username } = userInfo();
  if (uid === 0) return { name: 'nobody', group: 'nogroup', uid: 65_534, gid: 65_534 };
  return { name: username, group: execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim(), uid, gid };
}

/** A folder for a server: with a short path, as unix sockets need it, and outside of a home that `nobody` cannot enter. */
export const serverFolder = (): string => mkdtempSync(join(tmpdir(), 'smsgw-'));

/** Gives the folder with all that is in it to the server's user. */
export function handOver(folder: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = serverUser();
  chownSync(folder, uid, gid);
  if (!statSync(folder).isDirectory()) return;
  for (const name of readdirSync(folder)) handOver(join(folder, name));
}

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });
