import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { Memory } from '../../access/memory.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { EventFeed } from '../events.ts';
import { type Callable, errorText, JsonRpc } from '../json-rpc.ts';
import { ClientConnection, type ConnectionServices, limits } from './connection.ts';

export interface UnixSocketOptions {
  readonly path: string;
  /** Permissions of the socket file, such as 0o660. */
  readonly mode: number;
  readonly namespace: Callable;
  readonly events: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
  /** Shared with the other doors; its own when absent. */
  readonly memory?: Memory;
}

/** unix(7): sun_path has 108 octets. A longer path would be cut off without a word. */
const MAX_PATH = 107;

/** How often a client waits for the place of a silent one, `silentMs` each, before it is refused. */
const PATIENCE = 10;

/** When a client that was refused may try again, ms. */
const RETRY_MS = 300;

/** The namespace on a unix socket: JSON-RPC 2.0, one JSON text a line. */
export class UnixSocketServer {
  readonly #options: UnixSocketOptions;
  readonly #services: ConnectionServices;
  readonly #connections = new Set<ClientConnection>();
  /** Those that had to make room. */
  readonly #leaving = new Set<ClientConnection>();
  /** Those that got no place, until they have seen it. */
  readonly #refused = new Set<Socket>();
  /** End those that wait for a place. */
  readonly #waiting = new Set<() => void>();
  readonly #server: Server;

  constructor(options: UnixSocketOptions) {
    const { namespace, events, clock, log, memory = new Memory(clock) } = options;
    this.#options = options;
    const maySubscribe = () => this.#subscribers() < limits.subscribers;
    this.#services = { rpc: new JsonRpc(namespace), events, clock, log, input: memory.input, maySubscribe };
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Resolves when it accepts connections. Throws GatewayError connection_failed when another process answers there. */
  async start(): Promise<void> {
    const { path, mode, log } = this.#options;
    if (Buffer.byteLength(path) > MAX_PATH) {
      throw new GatewayError('connection_failed', `the path of a unix socket has at most ${MAX_PATH} octets: ${path}`);
    }
    await removeStaleSocket(path);
    // The file is made before listen returns, and must never be open to more than its mode says.
    const umask = process.umask(0o777 & ~mode);
    try {
      this.#server.listen(path);
    } finally {
      process.umask(umask);
    }
    await once(this.#server, 'listening').catch((error: NodeJS.ErrnoException) => {
      // libuv says EACCES for a missing directory, too.
      const reason = error.code === 'EACCES' ? 'no such directory, or no permission' : error.message;
      throw new GatewayError('connection_failed', `cannot listen on ${path}: ${reason}`);
    });
    this.#server.on('error', (error) => log.error(`unix socket: ${error.message}`));
  }

  /** Changes the permissions of the socket file. Connections stay. Throws GatewayError connection_failed. */
  async setMode(mode: number): Promise<void> {
    await chmod(this.#options.path, mode).catch((error: NodeJS.ErrnoException) => {
      throw new GatewayError('connection_failed', `cannot set the permissions of the socket: ${error.message}`);
    });
  }

  /** Ends every call and connection; resolves when all have. */
  async stop(): Promise<void> {
    // Also removes the socket file.
    this.#server.close();
    for (const end of this.#waiting) end();
    this.#waiting.clear();
    for (const socket of this.#refused) socket.destroy();
    for (const connection of this.#connections) connection.close();
    await Promise.all([...this.#connections, ...this.#leaving].map((connection) => connection.closed));
  }

  #accept(socket: Socket, patience = PATIENCE): void {
    if (socket.destroyed) return;
    if (this.#connections.size >= limits.connections && !this.#makeRoom()) {
      const silent = [...this.#connections].some(({ hasSpoken, idleSince }) => !hasSpoken && idleSince !== undefined);
      if (silent && patience > 0 && this.#waiting.size < limits.waiting) this.#wait(socket, patience);
      else this.#refuse(socket);
      return;
    }
    const connection = new ClientConnection(socket, this.#services);
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  /** Somebody who came before may turn out to have nothing to say. */
  #wait(socket: Socket, patience: number): void {
    const onError = () => undefined;
    socket.on('error', onError);
    const cancel = this.#options.clock.after(limits.silentMs, () => {
      this.#waiting.delete(end);
      socket.off('error', onError);
      this.#accept(socket, patience - 1);
    });
    const end = () => {
      cancel();
      socket.destroy();
    };
    this.#waiting.add(end);
  }

  /** For `status`. */
  usage(): JsonObject {
    return { used: this.#connections.size, limit: limits.connections, subscribers: this.#subscribers() };
  }

  #subscribers(): number {
    return [...this.#connections].filter(({ subscribes }) => subscribes).length;
  }

  /** Closes a connection that has never asked for anything, else the one that has been idle longest, if that is long. */
  #makeRoom(): boolean {
    const now = this.#options.clock.monotonic();
    let longest: ClientConnection | undefined;
    for (const connection of this.#connections) {
      const { idleSince, hasSpoken } = connection;
      if (idleSince === undefined || now - idleSince < (hasSpoken ? limits.idleMs : limits.silentMs)) continue;
      if (longest === undefined || rank(connection) < rank(longest)) longest = connection;
    }
    // Its place is free at once: a client that does not close its side would hold it for a while.
    if (longest === undefined) return false;
    const leaving = longest;
    this.#connections.delete(leaving);
    this.#leaving.add(leaving);
    void leaving.closed.then(() => this.#leaving.delete(leaving));
    leaving.close();
    return true;
  }

  #refuse(socket: Socket): void {
    // With a time to try again, since nothing of it was read: no request can have been accepted.
    const error = new GatewayError('too_many', `at most ${limits.connections} connections`, { retryAfter: RETRY_MS });
    socket.on('error', () => {});
    if (this.#refused.size >= limits.waiting) {
      socket.end(`${errorText(error)}\n`, () => socket.destroy());
      return;
    }
    // What it sends is thrown away, and not left: that would reset the connection, and it would not see why.
    this.#refused.add(socket);
    const cancel = this.#options.clock.after(limits.closeMs, () => socket.destroy());
    socket.once('close', () => {
      cancel();
      this.#refused.delete(socket);
    });
    socket.resume().end(`${errorText(error)}\n`);
  }
}

/** Silent connections come before those that have spoken, and each kind in the order of their idleness. */
const rank = ({ hasSpoken, idleSince = 0 }: ClientConnection): number =>
  (hasSpoken ? Number.MAX_SAFE_INTEGER / 2 : 0) + idleSince;

/** Connecting to a unix socket succeeds or fails at once, save when the other side is stuck, ms. */
const PROBE_MS = 1_000;

/** Makes way for a socket: removes the file of one that nobody answers on. Throws GatewayError connection_failed. */
async function removeStaleSocket(path: string): Promise<void> {
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
