import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Access } from '../access/access.ts';
import { budgets, limitsOf } from '../access/budgets.ts';
import { type SlotHolder, Slots } from '../access/slots.ts';
import type { Clock } from '../base/clock.ts';
import { type ErrorCode, GatewayError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import { AnswerRoom, type InputShare } from '../base/memory-pool.ts';
import type { EventFeed } from '../rpc/events.ts';
import { Subscriptions } from '../rpc/events.ts';
import { eventText, JsonRpc, type RpcSession } from '../rpc/json-rpc.ts';
import type { Listing } from '../rpc/namespace.ts';
import { cookieSession } from './pages/pages.ts';
import type { UpgradeRoute } from './route.ts';
import type { Session } from './rpcd/sessions.ts';
import { ubusStatus } from './rpcd/status.ts';
import type { UbusDoor } from './rpcd/ubus.ts';
import { type ClientOf, fromOtherSite } from './same-site.ts';

/** What a connection may cost. */
export const limits = limitsOf(budgets.webSocket);

/** Close codes, RFC 6455 7.4. */
const closing = { goingAway: 1001, wrongData: 1003, tooSlow: 1008, tryAgain: 1013, notLoggedIn: 4001 } as const;

export interface RpcSocketOptions {
  readonly door: UbusDoor;
  readonly access: Access;
  readonly clientOf: ClientOf;
  readonly events: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
}

/** `/rpc`: the namespace over WebSocket, for the pages and for other programs. JSON-RPC 2.0, one JSON text a message. */
export class RpcSocket implements UpgradeRoute {
  readonly #options: RpcSocketOptions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: limits.message, perMessageDeflate: false });
  readonly #connections = new Set<Connection>();
  readonly #slots: Slots;
  readonly #removeDoor: () => void;

  constructor(options: RpcSocketOptions) {
    const { connections: total, reserve } = limits;
    const { known, isProxy } = options.access;
    this.#options = options;
    this.#slots = new Slots({ total, perAddress: total, reserve, known, isProxy });
    this.#removeDoor = options.access.addDoor('websocket', () => ({ ...this.#slots.usage() }));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const fault = this.#fault(request);
    if (fault !== undefined) {
      refuse(socket, fault);
      return;
    }
    const id = bearer(request) ?? cookieSession(request);
    const session = id === undefined ? undefined : this.#options.door.session(id);
    const address = this.#options.clientOf(request);
    // The place is taken before the handshake is over; until then only the socket is there to be closed.
    let connection: Connection | undefined;
    const holder: SlotHolder = {
      get silent() {
        return connection === undefined ? session === undefined : !connection.loggedIn;
      },
      get trusted() {
        return connection?.loggedIn ?? session !== undefined;
      },
      close: () => (connection === undefined ? socket.destroy() : connection.close(closing.tryAgain, 'no room')),
    };
    const leave = this.#slots.enter(address, holder);
    if (leave === undefined) {
      refuse(socket, '503 Service Unavailable');
      return;
    }
    socket.once('close', leave);
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const opened = new Connection(webSocket, address, session, this.#options);
      connection = opened;
      this.#connections.add(opened);
      void opened.closed.then(() => this.#connections.delete(opened));
    });
  }

  /** Why a request is refused, as an HTTP status. */
  #fault(request: IncomingMessage): string | undefined {
    const token = bearer(request);
    if (fromOtherSite(request)) return '403 Forbidden';
    // A cookie that has ended leaves the way of a login over the socket; a token is all that its holder has.
    if (token !== undefined && this.#options.door.session(token) === undefined) return '401 Unauthorized';
    return undefined;
  }

  /** Ends every call and connection; resolves when all have. */
  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.close(closing.goingAway, 'the gateway is stopping');
    await Promise.all([...this.#connections].map(({ closed }) => closed));
    this.#removeDoor();
    this.#server.close();
  }
}

const bearer = ({ headers }: IncomingMessage): string | undefined =>
  /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

/** An event shows what this method shows. */
function mayHear(session: Session, event: string): boolean {
  const [kind] = event.split('.');
  const [object, method] =
    kind === 'sms' ? ['message', 'list'] : kind === 'modem' || kind === 'module' ? [kind, 'list'] : ['', 'status'];
  return session.rights.mayCall(object === '' ? 'sms_gateway' : `sms_gateway.${object}`, method ?? '');
}

/** Statuses of session and uci, as errors of the catalogue. */
const statusErrors: Readonly<Record<number, ErrorCode>> = {
  [ubusStatus.invalidArgument]: 'invalid_argument',
  [ubusStatus.methodNotFound]: 'method_not_found',
  [ubusStatus.notFound]: 'object_not_found',
  [ubusStatus.noData]: 'wrong_state',
  [ubusStatus.permissionDenied]: 'access_denied',
};

class Connection {
  /** Resolves when the socket is closed and nothing of the connection is left. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #address: string;
  readonly #options: RpcSocketOptions;
  readonly #rpc: JsonRpc;
  readonly #abort = new AbortController();
  readonly #rpcSession: RpcSession;
  readonly #onSessionEnd = () => this.close(closing.notLoggedIn, 'the session has ended');
  #session: Session | undefined;
  readonly #input: InputShare;
  #inFlight = 0;
  /** Characters of the messages that are being answered. */
  #asked = 0;
  #alive = true;
  #cancelLogin = () => {};
  #cancelPing = () => {};
  #cancelClose = () => {};

  constructor(socket: WebSocket, address: string, session: Session | undefined, options: RpcSocketOptions) {
    this.#socket = socket;
    this.#address = address;
    this.#options = options;
    this.#input = options.access.memory.input.open(() => this.close(closing.tryAgain, 'too much input at once'));
    this.#rpc = new JsonRpc({
      list: (pattern) => this.#list(pattern),
      call: (object, method, args, { room }) => this.#call(object, method, args, room),
    });
    const subscriptions = new Subscriptions();
    setMaxListeners(0, this.#abort.signal);
    this.#rpcSession = { caller: { transport: 'websocket', signal: this.#abort.signal }, subscriptions };
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#release();
        resolve();
      });
    });
    // Whatever is wrong with the connection, `close` follows.
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.close(closing.wrongData, 'text only');
      else void this.#answer(String(data));
    });
    socket.on('pong', () => {
      this.#alive = true;
      // Who only listens to events is there as well.
      if (this.#session !== undefined) options.door.session(this.#session.id);
    });
    options.events.on(this, (name, payload) => {
      if (subscriptions.covers(name) && this.#current !== undefined && mayHear(this.#current, name)) {
        this.#send(eventText(name, payload));
      }
    });
    if (session === undefined) {
      this.#cancelLogin = options.clock.after(limits.loginMs, () => this.close(closing.notLoggedIn, 'no login came'));
    } else this.#enter(session);
    this.#ping();
  }

  close(code: number, reason: string): void {
    this.#abort.abort(new GatewayError('stopping', 'the connection is closing'));
    this.#socket.close(code, reason);
    this.#cancelClose();
    this.#cancelClose = this.#options.clock.after(limits.closeMs, () => this.#socket.terminate());
  }

  get loggedIn(): boolean {
    return this.#current !== undefined;
  }

  get #current(): Session | undefined {
    return this.#session?.ended.aborted === false ? this.#session : undefined;
  }

  #enter(session: Session): void {
    this.#cancelLogin();
    this.#session?.ended.removeEventListener('abort', this.#onSessionEnd);
    this.#session = session;
    session.ended.addEventListener('abort', this.#onSessionEnd, { once: true });
  }

  async #answer(text: string): Promise<void> {
    if (this.#abort.signal.aborted) return;
    this.#inFlight++;
    if (this.#inFlight >= limits.inFlight) this.#socket.pause();
    this.#weigh(text.length);
    const room = new AnswerRoom();
    const { caller, subscriptions } = this.#rpcSession;
    const answer = await this.#rpc.answer(text, { caller: { ...caller, room }, subscriptions });
    this.#inFlight--;
    this.#weigh(-text.length);
    const left = () => room.release();
    if (answer === undefined) left();
    else this.#send(answer, left);
    if (this.#socket.isPaused) this.#socket.resume();
  }

  #weigh(more: number): void {
    this.#asked += more;
    this.#input.set(this.#asked);
  }

  #list(pattern: string | undefined): Listing {
    this.#mustBeIn();
    return this.#options.door.namespace.list(pattern);
  }

  async #call(object: string, method: string, args: JsonObject, room: AnswerRoom | undefined): Promise<JsonObject> {
    const { door } = this.#options;
    const isLogin = object === 'session' && method === 'login';
    const session = isLogin ? this.#current : this.#mustBeIn();
    if (session !== undefined && !session.rights.mayCall(object, method)) {
      throw new GatewayError('access_denied', `${session.username} may not call ${object} ${method}`);
    }
    const caller = {
      address: this.#address,
      transport: 'websocket',
      signal: this.#abort.signal,
      ...(room && { room }),
    } as const;
    const [status, data = {}] = await door.call(object, method, args, session, caller);
    if (status !== ubusStatus.ok) {
      const word = typeof data['message'] === 'string' ? data['message'] : `status ${status}`;
      throw new GatewayError(statusErrors[status] ?? 'internal', `${object} ${method}: ${word}`);
    }
    const id = isLogin ? data['ubus_rpc_session'] : undefined;
    const entered = typeof id === 'string' ? door.session(id) : undefined;
    if (entered !== undefined) this.#enter(entered);
    return data;
  }

  /** The session, which counts as used now. */
  #mustBeIn(): Session {
    const session = this.#session === undefined ? undefined : this.#options.door.session(this.#session.id);
    if (session !== undefined) return session;
    throw new GatewayError('access_denied', 'not logged in: call session login with username and password first');
  }

  /** `left` is called when the text has left, or cannot any more. */
  #send(text: string, left: () => void = () => {}): void {
    if (this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount <= limits.unread) {
      this.#socket.send(text, left);
      return;
    }
    left();
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#options.log.warning(`a WebSocket client leaves ${limits.unread} octets unread, closing its connection`);
    this.close(closing.tooSlow, 'reads too slowly');
  }

  #ping(): void {
    this.#cancelPing = this.#options.clock.after(limits.pingMs, () => {
      if (!this.#alive) return this.#socket.terminate();
      this.#alive = false;
      this.#socket.ping();
      this.#ping();
    });
  }

  #release(): void {
    this.#input.close();
    this.#abort.abort(new GatewayError('stopping', 'the caller is gone'));
    this.#options.events.off(this);
    this.#session?.ended.removeEventListener('abort', this.#onSessionEnd);
    this.#cancelLogin();
    this.#cancelPing();
    this.#cancelClose();
  }
}
