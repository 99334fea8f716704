import { once } from 'node:events';
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { Access } from '../access/access.ts';
import { parseAddress } from '../access/address.ts';
import { budgets, limitsOf } from '../access/budgets.ts';
import { Slots } from '../access/slots.ts';
import type { Clock } from '../base/clock.ts';
import { describeError, GatewayError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { escapeRequestLines, type RequestLine } from './request-line.ts';
import { type Route, refusal, sendAnswer, splitTarget, type UpgradeRoute } from './route.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Shared with the other doors; its own when absent. */
  readonly access?: Access;
  readonly limits?: Partial<HttpLimits>;
  /** HTTPS only, with the certificate that `certify` is given; no connection succeeds before. */
  readonly tls?: boolean;
}

/** What clients may cost. Times in ms. */
export interface HttpLimits {
  /** From the connection to the end of the request's headers, and of its body. */
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  /** Without traffic. An answer takes up to 50 s (option send_timeout). */
  readonly idleTimeout: number;
  readonly keepAliveTimeout: number;
  /** How often the first two are looked after. */
  readonly checkInterval: number;
  readonly connections: number;
  readonly connectionsAddress: number;
  /** Of `connections`, for this machine and for who has logged in. */
  readonly reserve: number;
  /** Octets. An SMS sent by GET fits, which under uhttpd it does up to 4 KB only. */
  readonly headers: number;
  /** For answers under way when the server stops. */
  readonly stopGrace: number;
}

/** ms that a connection stays open beyond what is announced. */
const GRACE = 900;

const defaults: HttpLimits = { ...limitsOf(budgets.http), checkInterval: 2_000, stopGrace: 2_000 };

interface Pending {
  readonly response: ServerResponse;
  /** Aborts when the client goes or the server stops. */
  readonly gone: AbortController;
}

/** The built-in web server, for boxes without uhttpd. HTTP or HTTPS, without pipelining. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #limits: HttpLimits;
  readonly #server: Server;
  /** Connections whose TLS handshake is not over, by the address and port of the client. */
  readonly #handshakes = new Map<string, (secure: Socket) => void>();
  /** The request under way on each connection. */
  readonly #pending = new Map<Socket, Pending>();
  /** What watches over the request lines of each connection. */
  readonly #lines = new WeakMap<Socket, RequestLine>();
  readonly #slots: Slots;
  readonly #removeDoor: () => void;
  /** Connections that speak another protocol now: whoever took them over limits them. */
  readonly #upgraded = new WeakSet<Duplex>();
  #certify: (certificate: SecureContextOptions) => void = () => {};
  #stopping = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#limits = { ...defaults, ...options.limits };
    const { headersTimeout, requestTimeout, keepAliveTimeout, checkInterval, headers } = this.#limits;
    const serverOptions = {
      headersTimeout,
      requestTimeout,
      // Node announces whole seconds: who keeps to them sends nothing into a connection that is being closed.
      keepAliveTimeout: keepAliveTimeout + GRACE,
      connectionsCheckingInterval: checkInterval,
      maxHeaderSize: headers,
    };
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    if (options.tls === true) {
      const server = createTlsServer({ ...serverOptions, handshakeTimeout: headersTimeout }, serve);
      server.on('secureConnection', (socket) => this.#handshakes.get(endpoint(socket))?.(socket));
      server.on('tlsClientError', (error, socket) => {
        options.log.debug(() => `TLS: ${describeError(error)}`);
        socket.destroy();
      });
      this.#certify = (certificate) => server.setSecureContext(certificate);
      this.#server = server;
    } else {
      this.#server = createPlainServer(serverOptions, serve);
    }
    const { connections: total, connectionsAddress: perAddress, reserve } = this.#limits;
    const access = options.access ?? new Access();
    this.#slots = new Slots({ total, perAddress, reserve, known: access.known, isProxy: access.isProxy });
    this.#removeDoor = access.addDoor('http', () => ({ ...this.#slots.usage() }));
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.timeout = this.#limits.idleTimeout;
  }

  /** Resolves to the address once it accepts connections. Throws GatewayError `connection_failed`. */
  async start(): Promise<AddressInfo> {
    const { host, port, log } = this.#options;
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (error) {
      throw new GatewayError('connection_failed', `cannot serve HTTP on ${host} port ${port}`, { cause: error });
    }
    this.#server.on('error', (error) => log.error(`web server: ${describeError(error)}`));
    return this.#server.address() as AddressInfo;
  }

  /** Further connections use this certificate. */
  certify(certificate: SecureContextOptions): void {
    this.#certify(certificate);
  }

  /** Takes no more connections, gives answers under way a moment, then ends every connection. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#removeDoor();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#stopping = true;
    for (const { response, gone } of this.#pending.values()) {
      closeAfter(response);
      gone.abort(new GatewayError('stopping', 'the web server is stopping'));
    }
    this.#closeWhenDone();
    const cancel = this.#options.clock.after(this.#limits.stopGrace, () => this.#server.closeAllConnections());
    await closed;
    cancel();
  }

  #accept(socket: Socket): void {
    // The one that requests come from: TLS makes another of it.
    let speaking = socket;
    const silent = () => this.#pending.get(speaking)?.response.req.complete !== true && !this.#upgraded.has(speaking);
    const leave = this.#slots.enter(parseAddress(socket.remoteAddress ?? '') ?? '', {
      get silent() {
        return silent();
      },
      trusted: false,
      close: () => socket.destroy(),
    });
    if (leave === undefined) {
      socket.destroy();
      return;
    }
    socket.once('close', leave);
    if (this.#options.tls !== true) {
      this.#lines.set(socket, escapeRequestLines(socket));
      return;
    }
    const client = endpoint(socket);
    socket.once('close', () => this.#handshakes.delete(client));
    this.#handshakes.set(client, (secure) => {
      this.#handshakes.delete(client);
      speaking = secure;
      this.#lines.set(secure, escapeRequestLines(secure));
    });
  }

  #closeWhenDone(): void {
    if (this.#stopping && this.#pending.size === 0) this.#server.closeAllConnections();
  }

  /** A client that asks for another protocol. One that nobody speaks here ends the connection. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path } = splitTarget(request.url ?? '');
    const route = this.#options.routes.find((candidate) => candidate.matches(path));
    if (route !== undefined && canUpgrade(route) && !this.#stopping) {
      this.#upgraded.add(socket);
      route.upgrade(request, socket, head);
      return;
    }
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    // Node would read on and keep what comes for as long as the answer takes. Nobody pipelines but to fill the memory.
    if (this.#pending.has(socket)) socket.destroy();
    if (socket.destroyed) return;
    const gone = new AbortController();
    this.#pending.set(socket, { response, gone });
    response.once('close', () => {
      this.#pending.delete(socket);
      if (request.complete) this.#lines.get(socket)?.next();
      gone.abort(new GatewayError('stopping', 'the client has gone'));
      this.#closeWhenDone();
    });
    if (this.#stopping) closeAfter(response);
    response.on('error', () => undefined); // a client that went away; `close` follows
    const { path } = splitTarget(request.url ?? '');
    const route = this.#options.routes.find((candidate) => candidate.matches(path));
    try {
      if (route === undefined) sendAnswer(response, refusal(404, 'Not Found\n'));
      else await route.handle(request, response, gone.signal);
    } catch (error) {
      if (!gone.signal.aborted) this.#options.log.error(`${path} failed: ${describeError(error)}`);
      sendAnswer(response, refusal(503));
    }
  }
}

const endpoint = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`;

const canUpgrade = (route: Route): route is Route & UpgradeRoute => 'upgrade' in route;

/** A connection that is kept alive would hold up the stop. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
