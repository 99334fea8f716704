import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { describeError, GatewayError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Route, splitTarget } from './route.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** ms. A slow client holds a connection no longer than this, in each phase of a request. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 20_000;
/** ms without traffic. An answer takes up to 50 s (option send_timeout). */
const IDLE_TIMEOUT = 65_000;
const KEEP_ALIVE = 5_000;
const CHECK_INTERVAL = 2_000;
const MAX_CONNECTIONS = 64;
/** Octets. An SMS sent by GET fits, which under uhttpd it does up to 4 KB only. */
const MAX_HEADERS = 16_384;
/** ms for answers under way when the server stops. */
const STOP_GRACE = 2_000;

/** The built-in web server, a stand-in for uhttpd where there is none. Plain HTTP. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  /** Of the requests under way: aborts each when its client goes or the server stops. */
  readonly #pending = new Map<ServerResponse, AbortController>();
  #stopping = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        connectionsCheckingInterval: CHECK_INTERVAL,
        keepAliveTimeout: KEEP_ALIVE,
        maxHeaderSize: MAX_HEADERS,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.timeout = IDLE_TIMEOUT;
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

  /** Takes no more connections, gives answers under way a moment, then ends every connection. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#stopping = true;
    for (const [response, request] of this.#pending) {
      closeAfter(response);
      request.abort(new GatewayError('stopping', 'the web server is stopping'));
    }
    this.#server.closeIdleConnections();
    const cancel = this.#options.clock.after(STOP_GRACE, () => this.#server.closeAllConnections());
    await closed;
    cancel();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    this.#pending.set(response, gone);
    response.once('close', () => {
      this.#pending.delete(response);
      gone.abort(new GatewayError('stopping', 'the client has gone'));
    });
    if (this.#stopping) closeAfter(response);
    response.on('error', () => undefined); // a client that went away; `close` tells of it
    const { path } = splitTarget(request.url ?? '');
    const route = this.#options.routes.find((candidate) => candidate.matches(path));
    try {
      if (route === undefined) plain(response, 404, 'Not Found\n');
      else await route.handle(request, response, gone.signal);
    } catch (error) {
      if (!gone.signal.aborted) this.#options.log.error(`${path} failed: ${describeError(error)}`);
      plain(response, 503, 'ERROR\n');
    }
  }
}

/** A connection that is kept alive would hold up the stop. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

function plain(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  response.writeHead(status, { 'Content-Type': 'text/plain;charset=utf-8', Connection: 'close' }).end(text);
}
