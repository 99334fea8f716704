import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type AddressList, parseAddress, subscriberNetwork } from '../../access/address.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';

export interface ListenersOptions {
  /** All addresses when absent. */
  readonly host: string | undefined;
  readonly plainPort: number | undefined;
  readonly tls: { readonly port: number; readonly context: SecureContext } | undefined;
  readonly admission: Admission;
  readonly maxConnections: number;
  readonly log: Logger;
  /** A client has connected. */
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
      // The session's bind timer also limits the handshake.
      if (tls !== undefined) {
        const { context: secureContext } = tls;
        await this.#listen(tls.port, (socket) => new TLSSocket(socket, { isServer: true, secureContext }));
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Accepts no more connections. Resolves when the open ones have ended. */
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

export interface AdmissionRules {
  /** Connections in all, and from one client address (of IPv6, one /64). */
  readonly maxSessions: number;
  readonly maxPerAddress: number;
  /** Undefined for all. */
  readonly allowed: AddressList | undefined;
  isLocked(address: string): boolean;
}

/** Connections beyond the limits that are kept until their bind, so that it is answered with an error. */
export const MAX_UNWANTED = 16;

/** Counts connections, bound or not. */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #perNetwork = new Map<string, number>();
  #welcome = 0;
  #unwanted = 0;

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
  }

  /**
   * Whether a new connection may bind; undefined when it must be closed at once. Otherwise `leave` must follow when it
   * ends.
   */
  enter(address: string): 'welcome' | 'unwanted' | undefined {
    const network = subscriberNetwork(address);
    const present = this.#perNetwork.get(network) ?? 0;
    if (this.#mayBind(address, present)) {
      this.#welcome += 1;
      this.#perNetwork.set(network, present + 1);
      return 'welcome';
    }
    if (this.#unwanted >= MAX_UNWANTED) return undefined;
    this.#unwanted += 1;
    return 'unwanted';
  }

  leave(address: string, as: 'welcome' | 'unwanted'): void {
    if (as === 'unwanted') {
      this.#unwanted -= 1;
      return;
    }
    this.#welcome -= 1;
    const network = subscriberNetwork(address);
    const left = (this.#perNetwork.get(network) ?? 1) - 1;
    if (left > 0) this.#perNetwork.set(network, left);
    else this.#perNetwork.delete(network);
  }

  #mayBind(address: string, present: number): boolean {
    const { maxSessions, maxPerAddress, allowed } = this.#rules;
    if (this.#welcome >= maxSessions || present >= maxPerAddress) return false;
    return allowed?.has(address) !== false && !this.#rules.isLocked(address);
  }
}
