import type { Socket } from 'node:net';
import { deferred } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { AnswerHead } from './answer-head.ts';

/** An open connection is given up when no request has come for so long, ms: some servers can have but one. */
const IDLE = 1_000;
/** A server that closes one sooner than this was not going to keep it, ms. */
const HASTE = 200;
/** After a server closed one that it was to keep, it is asked to close each for so long, ms. */
const DISTRUST = 3_600_000;
/** Octets of a line that only says how long the next chunk is, with its extensions. */
const MAX_CHUNK_LINE = 256;

/** What a server does with a connection over which nothing is asked: it is of no more use. */
const events = ['data', 'end', 'error', 'close'] as const;

/** An open connection, or one on its way. */
export interface OpenConnection {
  readonly socket: Socket;
  /** Calls back when a request can go over it, perhaps at once: with TLS the server is verified then. To be called once. */
  readonly whenReady: (callback: () => void) => void;
  /** Whether requests have gone over it: the server may take the last one for the end of it. */
  readonly isUsed: boolean;
  /** How long nothing was asked over it, ms. */
  readonly idle: number;
  /** The keeper listens to it no more: to be called in the turn in which it was taken, when its new owner does. */
  readonly letGo: () => void;
}

interface Idle extends Omit<OpenConnection, 'idle' | 'letGo'> {
  readonly url: URL;
  /** On the monotonic clock. */
  readonly since: number;
  /** Called when the server does something with it. */
  readonly ended: () => void;
  /** Ends the wait for a request. */
  readonly cancel: () => void;
}

/**
 * The connection to one server between two requests, or ahead of one. Holds at most one: a second one that is put in
 * is closed, and so is all that the server says or does while it is idle.
 */
export class KeptConnection {
  readonly #clock: Clock;
  #idle: Idle | undefined;
  #trustFrom = Number.NEGATIVE_INFINITY;
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the server is known to close connections that it was to keep. */
  get isUseless(): boolean {
    return this.#clock.monotonic() < this.#trustFrom;
  }

  /** The server has closed one that it was to keep, after so many ms without a request. */
  lost(idle: number): void {
    if (idle < HASTE) this.#trustFrom = this.#clock.monotonic() + DISTRUST;
    this.close();
  }

  /** The open connection to this server. It belongs to the caller, who is to call `letGo` in this turn. */
  take(url: URL): OpenConnection | undefined {
    const open = this.#idle;
    if (open === undefined || !isSameOrigin(open.url, url)) return undefined;
    this.#idle = undefined;
    const { socket, whenReady, isUsed, since } = open;
    const idle = this.#clock.monotonic() - since;
    return { socket, whenReady, isUsed, idle, letGo: () => this.#letGo(open) };
  }

  /** Takes over a connection whose last answer has been read to its end, and which nobody listens to. */
  put(url: URL, socket: Socket): void {
    const since = this.#clock.monotonic();
    const ended = () => this.lost(this.#clock.monotonic() - since);
    this.#hold(url, { socket, whenReady: (callback) => callback(), isUsed: true, ended });
  }

  /** Opens a connection for the request that comes next, unless one is open. `open` calls `ready` when it can be used. */
  openAhead(url: URL, open: (ready: () => void) => Socket): void {
    if (this.#isOver || (this.#idle !== undefined && isSameOrigin(this.#idle.url, url))) return;
    const ready = deferred();
    const whenReady = (callback: () => void) => void ready.promise.then(callback);
    this.#hold(url, { socket: open(ready.resolve), whenReady, isUsed: false, ended: this.close });
  }

  /** Closes it, and each that is put in from now on: its owner stops. */
  end(): void {
    this.#isOver = true;
    this.close();
  }

  #hold(url: URL, connection: Omit<Idle, 'url' | 'since' | 'cancel'>): void {
    this.close();
    if (this.#isOver) {
      destroy(connection.socket);
      return;
    }
    const since = this.#clock.monotonic();
    this.#idle = { ...connection, url, since, cancel: this.#clock.after(IDLE, this.close) };
    for (const event of events) connection.socket.on(event, connection.ended);
  }

  readonly close = (): void => {
    const open = this.#idle;
    if (open === undefined) return;
    this.#idle = undefined;
    this.#letGo(open);
    destroy(open.socket);
  };

  #letGo({ socket, ended, cancel }: Idle): void {
    cancel();
    for (const event of events) socket.off(event, ended);
  }
}

/** Mostly it is the same object, and Node need not put the origin together. */
const isSameOrigin = (a: URL, b: URL): boolean => a === b || a.origin === b.origin;

function destroy(socket: Socket): void {
  // What fails while it closes concerns nobody.
  socket.on('error', () => {});
  socket.destroy();
}

/** Where the body of an answer ends (RFC 9112 6.3), so that the connection can take another request. */
export class AnswerBody {
  /** Octets to come of the body or of the present chunk, its line end included; undefined where a chunk's length is to come. */
  #left: number | undefined;
  readonly #chunked: boolean;
  #line = '';
  /** Behind the last chunk: trailer lines up to an empty one. */
  #trailer = false;
  #state: 'open' | 'ended' | 'unknown' = 'open';

  constructor({ length, chunked }: NonNullable<AnswerHead['framing']>) {
    this.#chunked = chunked;
    if (!chunked) this.#left = length;
    if (this.#left === 0) this.#state = 'ended';
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** The next octets. Those that come behind the end, or make no sense, leave it without an end. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.#state === 'open') {
      if (this.#left === undefined) {
        this.#character(String.fromCharCode(chunk[at] ?? 0));
        at += 1;
        continue;
      }
      const count = Math.min(this.#left, chunk.length - at);
      at += count;
      this.#left -= count;
      if (this.#left > 0) return;
      if (this.#chunked) this.#left = undefined;
      else this.#state = 'ended';
    }
    if (at < chunk.length) this.#state = 'unknown';
  }

  #character(character: string): void {
    if (character !== '\n') {
      this.#line += character;
      if (this.#line.length > MAX_CHUNK_LINE) this.#state = 'unknown';
      return;
    }
    const line = this.#line.replace(/\r$/, '');
    this.#line = '';
    if (this.#trailer) {
      if (line === '') this.#state = 'ended';
      return;
    }
    const size = /^([0-9a-f]{1,7})\s*(?:;.*)?$/i.exec(line)?.[1];
    if (size === undefined) this.#state = 'unknown';
    else if (Number.parseInt(size, 16) === 0) this.#trailer = true;
    // The CR LF behind the chunk counts.
    else this.#left = Number.parseInt(size, 16) + 2;
  }
}
