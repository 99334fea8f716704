import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type AddressList, parseAddress } from '../../access/address.ts';
import { budgets, limitsOf } from '../../access/budgets.ts';
import { type KnownClients, type SlotHolder, Slots } from '../../access/slots.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';

export interface ListenersOptions {
  /** All addresses when absent. */
  readonly host: string | undefined;
  readonly plainPort: number | undefined;
  /** `context` gives what new connections use. */
  readonly tls: { readonly port: number; readonly context: () => SecureContext | undefined } | undefined;
  readonly admission: Admission;
  readonly log: Logger;
  /** A client has connected. */
  connected(socket: Socket, address: string, unwanted: boolean): { readonly binding: object | undefined };
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
        await this.#listen(tls.port, (socket) => {
          const secureContext = tls.context();
          return new TLSSocket(socket, { isServer: true, ...(secureContext !== undefined && { secureContext }) });
        });
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
    const { host, log } = this.#options;
    const server = createServer((socket) => this.#accept(socket, open));
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
    if (address === undefined) {
      socket.destroy();
      return;
    }
    let session: { readonly binding: object | undefined } | undefined;
    const holder: SlotHolder = {
      get silent() {
        return session?.binding === undefined;
      },
      get trusted() {
        return session?.binding !== undefined;
      },
      close: () => socket.destroy(),
    };
    const { as, leave } = admission.enter(address, holder);
    socket.once('close', leave);
    session = connected(open(socket), address, as === 'unwanted');
  }
}

export interface AdmissionRules {
  /** Connections in all, and from one client address (of IPv6, one /64). */
  readonly maxSessions: number;
  readonly maxPerAddress: number;
  readonly known: KnownClients;
  /** Undefined for all. */
  readonly allowed: AddressList | undefined;
  isLocked(address: string): boolean;
}

const { unwanted: MAX_UNWANTED, reserve: MAX_RESERVE } = limitsOf(budgets.smpp);

interface Admitted {
  readonly as: 'welcome' | 'unwanted';
  /** Must follow when the connection ends. */
  leave(): void;
}

/** Gives places to connections. Those beyond the limits stay until their bind, so that it is answered with an error. */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #slots: Slots;
  /** In the order in which they came. */
  readonly #unwanted = new Set<SlotHolder>();

  constructor(rules: AdmissionRules) {
    const { maxSessions: total, maxPerAddress: perAddress, known } = rules;
    this.#rules = rules;
    const reserve = Math.min(MAX_RESERVE, Math.floor(total / 4));
    this.#slots = new Slots({ total, perAddress, reserve, known });
  }

  /** For `status`. */
  usage(): JsonObject {
    return { ...this.#slots.usage(), unwanted: this.#unwanted.size };
  }

  enter(address: string, holder: SlotHolder): Admitted {
    const { allowed, isLocked } = this.#rules;
    const mayBind = allowed?.has(address) !== false && !isLocked(address);
    const leave = mayBind ? this.#slots.enter(address, holder) : undefined;
    if (leave !== undefined) return { as: 'welcome', leave };
    for (const oldest of this.#unwanted) {
      if (this.#unwanted.size < MAX_UNWANTED) break;
      this.#unwanted.delete(oldest);
      oldest.close();
    }
    this.#unwanted.add(holder);
    return { as: 'unwanted', leave: () => this.#unwanted.delete(holder) };
  }
}
