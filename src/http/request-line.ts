import type { Socket } from 'node:net';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Writes octets above 0x7F in request lines as `%XX`: curl and wget send a URL as it was typed, uhttpd hands it on, and
 * Node's parser would answer with an empty 400. Everything else passes as it is.
 */
export class RequestLine {
  #inLine = true;
  #begun = false;

  /** The request under way has come to its end: a line follows. */
  next(): void {
    this.#inLine = true;
    this.#begun = false;
  }

  escape(chunk: Buffer): Buffer {
    if (!this.#inLine) return chunk;
    const end = this.#endIn(chunk);
    const line = chunk.subarray(0, end);
    if (line.every((octet) => octet < 0x80)) return chunk;
    const escaped = line.toString('latin1').replace(/[\x80-\xff]/g, (octet) => `%${octet.charCodeAt(0).toString(16)}`);
    return Buffer.concat([Buffer.from(escaped, 'latin1'), chunk.subarray(end)]);
  }

  /** Where the line ends in the chunk. Empty lines in front of it do not count (RFC 9112 2.2). */
  #endIn(chunk: Buffer): number {
    for (const [at, octet] of chunk.entries()) {
      if (octet === LF && this.#begun) {
        this.#inLine = false;
        return at;
      }
      if (octet !== LF && octet !== CR) this.#begun = true;
    }
    return chunk.length;
  }
}

/**
 * Octets that the parser gets at a time. It makes a request of each that lies in them, also where the first has ended the
 * connection: of 64 KiB a thousand and more.
 */
const PIECE = 2_048;

/** To be called when the HTTP server has taken the connection. */
export function escapeRequestLines(socket: Socket): RequestLine {
  const line = new RequestLine();
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding) => {
    if (!(chunk instanceof Buffer)) return push(chunk, encoding);
    const octets = line.escape(chunk);
    let more = true;
    for (let at = 0; at < octets.length && !socket.destroyed; at += PIECE) more = push(octets.subarray(at, at + PIECE));
    return more;
  };
  // Node's server reads around `push`, from the handle itself, until somebody listens to the socket.
  const listener = () => undefined;
  socket.on('data', listener).off('data', listener);
  return line;
}
