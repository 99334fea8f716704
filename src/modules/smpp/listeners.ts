import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { parseAddress } from '../../access/address.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { type Admission, MAX_UNWANTED } from './admission.ts';

export interface ListenersOptions {
  /** All addresses when absent. */
  readonly host: string | undefined;
  readonly plainPort: number | undefined;
  readonly tls: { readonly port: number; readonly context: SecureContext } | undefined;
  readonly admission: Admission;
  readonly maxConnections: number;
  readonly log: Logger;
  /** A client has come. */
  connected(socket: Socket, address: string, unwanted: boolean): void;
}

/** The TCP ports of the server. */
export class Listeners {
  readonly #options: ListenersOptions;
  #servers: readonly Server[] = [];

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Resolves when all accept connections. Throws GatewayError connection_failed. */
  async start(): Promise<void> {
    const { plainPort, tls } = this.#options;
    try {
      if (plainPort !== undefined) await this.#listen(plainPort, (socket) => socket);
      // The handshake is a matter of the session: one that does not come to its end does not bind in time.
      if (tls !== undefined) {
        const { context: secureContext } = tls;
        await this.#listen(tls.port, (socket) => new TLSSocket(socket, { isServer: true, secureContext }));
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Takes no more connections. Resolves when those that there are have ended. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#servers.map(async (server) => {
        const closed = once(server, 'close');
        server.close();
        await closed;
      }),
    );
    this.#servers = [];
  }

  async #listen(port: number, open: (socket: Socket) => Socket): Promise<void> {
    const { host, maxConnections, log } = this.#options;
    const server = createServer((socket) => this.#accept(socket, open));
    server.maxConnections = maxConnections + MAX_UNWANTED;
    try {
      server.listen({ port, ...(host !== undefined && { host }) });
      await once(server, 'listening');
    } catch (error) {
      throw new GatewayError('connection_failed', `cannot listen on port ${port}`, { cause: error });
    }
    server.on('error', (error) => log.error(`port ${port}: ${describeError(error)}`));
    this.#servers = [...this.#servers, server];
  }

  #accept(socket: Socket, open: (socket: Socket) => Socket): void {
    const { admission, connected } = this.#options;
    const address = parseAddress(socket.remoteAddress ?? '');
    const as = address === undefined ? undefined : admission.enter(address);
    if (address === undefined || as === undefined) {
      socket.destroy();
      return;
    }
    socket.once('close', () => admission.leave(address, as));
    connected(open(socket), address, as === 'unwanted');
  }
}
