import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { budgets, limitsOf } from '../../access/budgets.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { decodeLine, LineReader } from '../../base/line-reader.ts';
import type { Logger } from '../../base/log.ts';
import { AnswerRoom, type InputMemory, type InputShare } from '../../base/memory-pool.ts';
import { type EventFeed, Subscriptions } from '../events.ts';
import { errorText, eventText, type JsonRpc, type RpcSession } from '../json-rpc.ts';

/** What a connection may cost. */
export const limits = limitsOf(budgets.unixSocket);

export interface ConnectionServices {
  readonly rpc: JsonRpc;
  readonly events: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
  /** What all connections of all doors may hold of what has come. */
  readonly input: InputMemory;
  /** Whether one more connection may subscribe to events. */
  readonly maySubscribe: () => boolean;
}

/** One client on the unix socket: a line in, a line out. */
export class ClientConnection {
  /** Resolves when the socket is closed and nothing of the connection is left. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #services: ConnectionServices;
  readonly #reader = new LineReader(limits.lineLength);
  readonly #input: InputShare;
  readonly #abort = new AbortController();
  readonly #session: RpcSession;
  readonly #cancelTimers: Record<'drain' | 'linger' | 'close', () => void> = { drain() {}, linger() {}, close() {} };
  #inFlight = 0;
  /** A line was started in this turn of the event loop: the next waits for the other connections. */
  #givesWay = false;
  /** Octets of the lines that are being answered. */
  #asked = 0;
  #spoke = false;
  #lastUsed: number;
  /** Whether further lines are answered: no more after the end of input, or after `close`. */
  #state: 'open' | 'ended' | 'ignored' = 'open';

  constructor(socket: Socket, services: ConnectionServices) {
    this.#socket = socket;
    this.#services = services;
    this.#input = services.input.open(() => this.#drop());
    const subscriptions = new Subscriptions(services.maySubscribe);
    this.#lastUsed = services.clock.monotonic();
    this.#session = { caller: { transport: 'unix', signal: this.#abort.signal }, subscriptions };
    // Each call in flight may listen, and each member of a batch.
    setMaxListeners(0, this.#abort.signal);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#release();
        resolve();
      });
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#end());
    socket.on('drain', () => this.#drained());
    // A client that is gone: `close` follows.
    socket.on('error', () => {});
    services.events.on(this, (name, payload) => {
      if (subscriptions.covers(name)) this.#sendEvent(eventText(name, payload));
    });
  }

  /** Monotonic ms since when the client has wanted nothing; undefined while it waits for an answer or for events. */
  get idleSince(): number | undefined {
    const waits = this.#inFlight > 0 || this.subscribes;
    return waits || this.#state === 'ignored' ? undefined : this.#lastUsed;
  }

  /** Whether it has ever asked for anything. */
  get hasSpoken(): boolean {
    return this.#spoke;
  }

  get subscribes(): boolean {
    return this.#session.subscriptions.patterns.length > 0;
  }

  /** Gives up the calls in flight, sends what they answer, and closes. */
  close(): void {
    if (this.#state !== 'ignored') this.#refuseInput();
    this.#finishIfIdle();
  }

  #refuseInput(): void {
    this.#state = 'ignored';
    this.#reader.clear();
    this.#input.close();
    this.#abort.abort(new GatewayError('stopping', 'the connection is closing'));
    this.#cancelTimers.close = this.#services.clock.after(limits.closeMs, () => this.#socket.destroy());
    // Reading on and throwing away: unread input would reset the connection before the client has read the answers.
    this.#socket.resume();
  }

  #receive(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#reader.push(chunk);
    this.#pump();
    this.#weigh();
  }

  /** The client has closed its side: what it asked for is still answered, for a while. */
  #end(): void {
    if (this.#state === 'open') {
      this.#state = 'ended';
      this.#cancelTimers.linger = this.#services.clock.after(limits.lingerMs, () => this.close());
    }
    this.#pump();
  }

  #weigh(): void {
    if (this.#state !== 'ignored') this.#input.set(this.#reader.held + this.#asked);
  }

  /** Other connections need the memory that this one holds most of. */
  #drop(): void {
    const held = this.#reader.held + this.#asked;
    this.#services.log.warning(`a client that holds ${held} octets of requests is closed: others need the memory`);
    this.#write(
      errorText(new GatewayError('too_many', 'too much input at once over all connections, try again later')),
    );
    this.#refuseInput();
    this.#finishIfIdle();
  }

  /** Starts the next line that may run, and reads on only when all have been started. */
  #pump(): void {
    const line = this.#mayStart() ? this.#nextLine() : undefined;
    if (line !== undefined) {
      this.#giveWay();
      void this.#answer(line);
    }
    if (this.#state === 'open') {
      if (this.#mayStart()) this.#socket.resume();
      else this.#socket.pause();
    }
    this.#finishIfIdle();
  }

  /** A line a turn: a client with a thousand of them would keep all others waiting until the last is answered. */
  #giveWay(): void {
    this.#givesWay = true;
    setImmediate(() => {
      this.#givesWay = false;
      this.#pump();
    });
  }

  #mayStart(): boolean {
    if (this.#givesWay || this.#socket.writableNeedDrain) return false;
    return this.#state !== 'ignored' && this.#inFlight < limits.inFlight;
  }

  #nextLine(): Buffer | undefined {
    try {
      return this.#reader.next() ?? (this.#state === 'ended' ? this.#reader.rest() : undefined);
    } catch (error) {
      this.#write(errorText(toGatewayError(error)));
      this.#refuseInput();
      return undefined;
    }
  }

  async #answer(line: Buffer): Promise<void> {
    this.#inFlight++;
    this.#asked += line.length;
    this.#spoke = true;
    this.#lastUsed = this.#services.clock.monotonic();
    const room = new AnswerRoom();
    const { caller, subscriptions } = this.#session;
    const text = decodeLine(line);
    const answer = await (text === undefined
      ? errorText(new GatewayError('parse_error', 'the line is not UTF-8'))
      : this.#services.rpc.answer(text, { caller: { ...caller, room }, subscriptions }));
    this.#inFlight--;
    this.#asked -= line.length;
    this.#lastUsed = this.#services.clock.monotonic();
    const left = () => room.release();
    if (answer === undefined) left();
    else this.#write(answer, left);
    this.#pump();
    this.#weigh();
  }

  #finishIfIdle(): void {
    if (this.#state === 'open' || this.#inFlight > 0 || this.#givesWay || this.#socket.writableNeedDrain) return;
    this.#socket.end();
  }

  /** Sends an event. Events pile up without end when nobody reads them; answers cannot, as no more lines are started. */
  #sendEvent(event: string): void {
    if (this.#socket.writableLength <= limits.unreadOutput) this.#write(event);
    else this.#cutOff(`leaves ${limits.unreadOutput} octets unread`);
  }

  /** `left` is called when the text has left, or cannot any more. */
  #write(text: string, left: () => void = () => {}): void {
    if (!this.#socket.writable) {
      left();
      return;
    }
    const waits = this.#socket.writableNeedDrain;
    if (this.#socket.write(`${text}\n`, left) || waits) return;
    this.#cancelTimers.drain = this.#services.clock.after(limits.drainMs, () =>
      this.#cutOff(`has read nothing for ${limits.drainMs / 1000} s`),
    );
  }

  #drained(): void {
    this.#cancelTimers.drain();
    this.#pump();
  }

  #cutOff(what: string): void {
    this.#services.log.warning(`a client ${what}, closing its connection`);
    this.#socket.destroy();
  }

  #release(): void {
    this.#state = 'ignored';
    this.#input.close();
    this.#abort.abort(new GatewayError('stopping', 'the caller is gone'));
    this.#services.events.off(this);
    for (const cancel of Object.values(this.#cancelTimers)) cancel();
  }
}
