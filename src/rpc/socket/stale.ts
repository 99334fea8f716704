import { lstat, unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { GatewayError } from '../../base/errors.ts';

/** Connecting to a unix socket succeeds or fails at once, save when the other side is stuck, ms. */
const PROBE_MS = 1_000;

/** Makes way for a socket: removes the file of one that nobody answers on. Throws GatewayError connection_failed. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new GatewayError('connection_failed', `cannot look at ${path}: ${error.code}`);
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw new GatewayError('connection_failed', `${path} is in the way and is no socket`);
  if (await isAnswered(path)) throw new GatewayError('connection_failed', `another process answers on ${path}`);
  await unlink(path);
}

/** Only a refused connection proves that nobody listens. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const settle = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(PROBE_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code !== 'ECONNREFUSED'));
  });
}
