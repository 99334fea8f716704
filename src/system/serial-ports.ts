import { constants } from 'node:fs';
import { access, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { readSmallFile } from './small-file.ts';

/** Ports of USB modems; a router's own serial console is not one. */
const candidate = /^tty(?:USB|ACM)(\d{1,3})$/;
/** More ports than this are no modem's. */
const MAX_CANDIDATES = 16;

/** Names of ports that stay the same whichever way modems are plugged in. */
const BY_ID = '/dev/serial/by-id';
/** More names than these help nobody. */
const MAX_NAMES = 4;
/** The group may read and write. */
const GROUP_MAY = 0o060;

/** The ports by the names of their modems, `/dev/serial/by-id/usb-…`. `root` stands in front of all paths that are looked at. */
export async function portNames(root = ''): Promise<readonly string[]> {
  const names = await readdir(root + BY_ID).catch(() => []);
  return names.sort().map((name) => join(BY_ID, name));
}

/** Paths of the USB serial ports that have hardware behind them, in the order of their numbers. */
export async function usbPorts(sysfs = '/sys/class/tty', dev = '/dev'): Promise<readonly string[]> {
  const number = (name: string) => Number(candidate.exec(name)?.[1]);
  const names = (await readdir(sysfs).catch(() => [])).filter((name) => candidate.test(name));
  const real = await Promise.all(names.map((name) => readdir(join(sysfs, name, 'device')).catch(() => undefined)));
  return names
    .filter((_, i) => real[i] !== undefined)
    .sort((a, b) => number(a) - number(b) || (a < b ? -1 : 1))
    .slice(0, MAX_CANDIDATES)
    .map((name) => join(dev, name));
}

/**
 * Why this user cannot open a device file, and what to do about it: a sentence with its path; undefined when nothing that can
 * be seen from outside is in the way.
 */
export async function portFault(path: string, root = ''): Promise<string | undefined> {
  const missing = await missingPort(path, root);
  if (missing !== undefined) return missing;
  try {
    await access(root + path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    return code === 'EACCES' || code === 'EPERM'
      ? `cannot open ${path}, permission denied: ${await howToJoin(root + path, root)}`
      : undefined;
  }
}

/** Why a path is no port for any user, as `portFault`. */
export async function missingPort(path: string, root = ''): Promise<string | undefined> {
  try {
    return (await stat(root + path)).isCharacterDevice() ? undefined : `${path} is no serial port`;
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? `${path} does not exist${await whatThereIs(root)}` : undefined;
  }
}

/** Processes that have the device open, `name (pid)`; of other users only those that this one may look into. */
export async function holdersOf(path: string, root = ''): Promise<readonly string[]> {
  const device = await realpath(root + path).catch(() => undefined);
  if (device === undefined) return [];
  const pids = (await readdir(`${root}/proc`).catch(() => [])).filter((name) => /^[0-9]+$/.test(name));
  const holders: string[] = [];
  for (const pid of pids) {
    const folder = `${root}/proc/${pid}/fd`;
    const descriptors = await readdir(folder).catch(() => []);
    for (const descriptor of descriptors) {
      if ((await readlink(join(folder, descriptor)).catch(() => '')) !== device) continue;
      holders.push(`${(await readSmallFile(`${root}/proc/${pid}/comm`)) ?? 'a process'} (${pid})`);
      break;
    }
  }
  return holders;
}

async function whatThereIs(root: string): Promise<string> {
  const names = await portNames(root);
  if (names.length === 0) return `, and ${BY_ID} is empty: is the modem plugged in, are its drivers loaded?`;
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more in ${BY_ID}` : '';
  return `; there is: ${names.slice(0, MAX_NAMES).join(', ')}${more}`;
}

async function howToJoin(path: string, root: string): Promise<string> {
  const user = userName();
  const { gid, mode } = (await stat(path).catch(() => undefined)) ?? { gid: 0, mode: 0 };
  if ((mode & GROUP_MAY) !== GROUP_MAY) {
    return `it has mode 0${(mode & 0o777).toString(8)}, wanted 0660 with a group that user ${user} is in`;
  }
  const group = await groupName(gid, root);
  if (group === undefined) return `it belongs to group ${gid}, which user ${user} is not in`;
  return `put user ${user} in its group ${group} (usermod -aG ${group} ${user}), and start the gateway again`;
}

/** Name of a group; undefined when /etc/group has none of that number. */
async function groupName(id: number, root: string): Promise<string | undefined> {
  const lines = ((await readSmallFile(`${root}/etc/group`)) ?? '').split('\n').map((line) => line.split(':'));
  return lines.find(([, , number]) => number === String(id))?.[0];
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // The account of a container may have no name.
    return String(process.getuid?.() ?? 'this user');
  }
}
