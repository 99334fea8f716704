import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayError } from '../../base/errors.ts';

/** How each holder's socket begins; a random part follows, so that no name comes twice. */
const PREFIX = 'lock.';
/** Two that start at the same moment see each other, and both step back this often. */
const TRIES = 4;
const STEP_BACK_MS = 50;
/** A file system that has no sockets, FAT for one. */
const noSockets: ReadonlySet<string> = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS']);

/**
 * Makes this process the only one that uses `directory`; the result gives it back. Throws GatewayError store_locked, or
 * the error of the file call.
 *
 * Node has no flock, and a file with a process id lies after a crash and across containers. A socket in Linux' abstract
 * namespace goes with its process, but any user of the machine can bind its name first. So the lock is a listening
 * unix socket inside the directory: only who may write there can make one, and the kernel says whether its
 * process lives, since a connection to a dead one is refused. Each process binds a name of its own and then looks at the
 * others: names of the dead are removed, which is safe as no name comes twice, and one that lives means that the directory
 * is taken. Of two that start at once at least one sees the other, as each binds before it looks. A crash leaves a dead
 * name, which the next start removes. It holds across network and process namespaces, so also between containers.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  // Kept open: its path by number is short enough for a socket's name, however deep the directory lies.
  const handle = await open(directory, 'r');
  try {
    const server = await takeInTurn({ directory, handle });
    return async () => {
      await close(server);
      await handle.close();
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The directory, by its path and by an open descriptor. */
interface Place {
  readonly directory: string;
  readonly handle: FileHandle;
}

async function takeInTurn(place: Place): Promise<Server> {
  for (let left = TRIES; ; left--) {
    const name = `${PREFIX}${randomBytes(8).toString('hex')}`;
    const server = await bind(place, name);
    const other = await otherHolder(place, name).catch(async (error: unknown) => {
      await close(server);
      throw error;
    });
    if (other === undefined) return server;
    await close(server);
    if (left === 1)
      throw new GatewayError('store_locked', `another gateway already uses ${place.directory} (${other})`);
    await pause(STEP_BACK_MS * (1 + Math.random()));
  }
}

/** unix(7): sun_path has 108 octets. */
const MAX_PATH = 107;

/** The path of a name in the directory. By the descriptor only where it must be: not every jail has /proc. */
function pathOf({ directory, handle }: Place, name: string): string {
  const path = join(directory, name);
  return Buffer.byteLength(path) <= MAX_PATH ? path : join(`/proc/self/fd/${handle.fd}`, name);
}

async function bind(place: Place, name: string): Promise<Server> {
  const { directory, handle } = place;
  try {
    return await listen(pathOf(place, name));
  } catch (error) {
    if (!noSockets.has(codeOf(error))) throw error;
    const { dev, ino } = await handle.stat({ bigint: true });
    // Who has such a disk has no owners and modes on it either.
    return listen(`\0sms_gateway/${dev}/${ino}`).catch((taken: unknown) => {
      if (codeOf(taken) !== 'EADDRINUSE') throw taken;
      throw new GatewayError('store_locked', `another gateway already uses ${directory}`);
    });
  }
}

/** The name of another process that lives, or undefined. Removes those of the dead. */
async function otherHolder(place: Place, own: string): Promise<string | undefined> {
  const names = (await readdir(place.directory)).filter((name) => /^lock\.[0-9a-f]{16}$/.test(name));
  for (const name of names.filter((other) => other !== own)) {
    const path = pathOf(place, name);
    if (await lives(path)) return name;
    await rm(path, { force: true });
  }
  return undefined;
}

/** In doubt it lives: of two gateways on one journal both lose messages. */
function lives(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const answer = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => answer(true));
    // A connection to a unix socket waits for nobody: it is made, or fails, at once.
    socket.on('error', (error) => answer(!['ECONNREFUSED', 'ENOENT'].includes(codeOf(error))));
  });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      // Descriptors may run out while it accepts: the lock holds as long as it listens.
      server.on('error', () => {});
      resolve(server);
    });
  });
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
