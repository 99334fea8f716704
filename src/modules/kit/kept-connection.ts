import type { Socket } from 'node:net';
import { deferred } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { AnswerHead } from './answer-head.ts';

/** An open connection is given up when no request has come for so long, ms: servers may have few, and many close after 5 s. */
const IDLE = 4_000;
/** No server gives up a connection that is silent for so short a time, ms. */
export const SOON = 50;
/** A server that closes one sooner than this was not going to keep it, ms. */
const HASTE = 500;
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
  /** How long it is since the server was last known to have done nothing with it, ms. */
  readonly unseen: number;
}

interface Idle extends Pick<OpenConnection, 'socket' | 'isUsed'> {
  readonly server: string;
  /** Resolves when a request can go over it; at once when absent. */
  readonly ready?: Promise<unknown>;
  /** When the server was last known to have done nothing with it, on the monotonic clock. */
  readonly seen: number;
  /** Called when the server does something with it. */
  readonly ended: () => void;
}

/**
 * The connection to one server between two requests, or ahead of one. Holds at most one: a second one that is put in
 * is closed, and so is all that the server says or does while it is idle.
 */
export class KeptConnection {
  readonly #clock: Clock;
  #idle: Idle | undefined;
  #cancel = () => {};
  #trustFrom = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the server is known to close connections that it was to keep. */
  get isUseless(): boolean {
    return this.#clock.monotonic() < this.#trustFrom;
  }

  /** The server has closed one that it was to keep. */
  readonly lost = (): void => {
    this.#trustFrom = this.#clock.monotonic() + DISTRUST;
    this.close();
  };

  /** The open connection to this server; it belongs to the caller from now on. */
  take(url: URL): OpenConnection | undefined {
    const open = this.#idle?.server === url.origin ? this.#idle : undefined;
    if (open === undefined) return undefined;
    this.#release();
    const { socket, isUsed, ready, seen } = open;
    const whenReady = (callback: () => void) => (ready === undefined ? callback() : void ready.then(callback));
    return { socket, isUsed, whenReady, unseen: this.#clock.monotonic() - seen };
  }

  /** Takes over a connection whose last answer has been read to its end, and which nobody listens to. */
  put(url: URL, socket: Socket): void {
    const since = this.#clock.monotonic();
    const ended = () => (this.#clock.monotonic() - since < HASTE ? this.lost() : this.close());
    this.#hold(url, { socket, isUsed: true, ended });
  }

  /**
   * Gets ready for a request that comes at once: opens a connection, or takes a look at the one that is open. `open` calls `ready`
   * when the new one can be used.
   */
  prepare(url: URL, open: (ready: () => void) => Socket): void {
    if (this.#idle?.server === url.origin) {
      this.#look(this.#idle);
      return;
    }
    const ready = deferred();
    this.#hold(url, { socket: open(ready.resolve), ready: ready.promise, isUsed: false, ended: this.close });
  }

  /** What the server has done with it up to now shows before it is ready again. */
  #look(idle: Idle): void {
    if (this.#clock.monotonic() - idle.seen < SOON) return;
    const looked = deferred();
    afterPoll(looked.resolve);
    const ready = idle.ready === undefined ? looked.promise : Promise.all([idle.ready, looked.promise]);
    this.#idle = { ...idle, ready, seen: this.#clock.monotonic() };
  }

  #hold(url: URL, connection: Omit<Idle, 'server' | 'seen'>): void {
    this.close();
    this.#idle = { ...connection, server: url.origin, seen: this.#clock.monotonic() };
    this.#cancel = this.#clock.after(IDLE, this.close);
    for (const event of events) connection.socket.on(event, connection.ended);
  }

  readonly close = (): void => {
    const socket = this.#idle?.socket;
    this.#release();
    if (socket === undefined) return;
    // What fails while it closes concerns nobody.
    socket.on('error', () => {});
    socket.destroy();
  };

  #release(): void {
    this.#cancel();
    for (const event of events) this.#idle?.socket.off(event, this.#idle.ended);
    this.#idle = undefined;
  }
}

/** Calls back when all that has happened to sockets by now is known: behind a whole round of the event loop. */
export const afterPoll = (callback: () => void) => setImmediate(() => setImmediate(callback));

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
