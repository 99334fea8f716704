import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { GatewayError } from '../../base/errors.ts';

/**
 * Makes this process the only one that uses `directory`; the result gives it back. Throws GatewayError store_locked.
 *
 * Node has no flock, and a lock file with a process id goes stale after a crash, lies after the id was given to another
 * process, and leaves a gap between looking and taking. So the lock is a listening socket in Linux' abstract namespace, named
 * after the device and inode of the directory: the kernel gives a name to one process only, at once, and takes it back
 * however the process ends. Nothing is left on disk, it works on a read-only file system, and another path to
 * the same directory is the same lock. It does not reach across network namespaces: two containers with networks of
 * their own must not share a state directory.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  // Kept open: overlayfs, which routers have as root, may number the inode of a directory anew when nobody holds it.
  const handle = await open(directory, 'r');
  try {
    const { dev, ino } = await handle.stat({ bigint: true });
    const server = await listen(`\0sms_gateway/${dev}/${ino}`, directory);
    return async () => {
      await new Promise((resolve) => server.close(resolve));
      await handle.close();
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function listen(name: string, directory: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const locked = error.code === 'EADDRINUSE';
      reject(locked ? new GatewayError('store_locked', `another gateway already uses ${directory}`) : error);
    });
    server.listen(name, () => resolve(server));
  });
}
