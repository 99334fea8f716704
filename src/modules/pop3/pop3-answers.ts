import { GatewayError } from '../../base/errors.ts';

/** Longest status line; RFC 2449 4 says 512. */
const MAX_STATUS = 8 * 1024;
const DOT = 0x2e;
const CRLF = Buffer.from('\r\n');

/** Callbacks of an AnswerReader. */
export interface AnswerEvents {
  /** `+OK`, and the lines behind it where the answer has many. */
  answered(info: string, lines: readonly Buffer[]): void;
  /** `-ERR`, or a line that is not an answer. */
  refused(text: string): void;
  broken(error: GatewayError): void;
}

/** An answer of one line, or of many with up to `limit` octets; `info` once its first line is there. */
interface Expected {
  readonly lines: 'one' | 'many';
  readonly limit: number;
  info?: string;
}

/** Reads the answers of a POP3 server, RFC 1939 3. */
export class AnswerReader {
  readonly #events: AnswerEvents;
  readonly #framer = new LineFramer();
  #expected: Expected | undefined;
  #lines: Buffer[] = [];
  #length = 0;

  constructor(events: AnswerEvents) {
    this.#events = events;
  }

  /** Whether a line has begun and not ended. */
  get midLine(): boolean {
    return this.#framer.pending > 0;
  }

  /** The next answer has one line, or many with `limit` octets together. */
  expect(lines: 'one' | 'many', limit: number): void {
    this.#framer.expectFirst();
    this.#expected = { lines, limit };
    this.#lines = [];
    this.#length = 0;
  }

  receive(chunk: Buffer): void {
    for (const line of this.#framer.push(chunk)) {
      if (this.#expected === undefined) {
        this.#events.broken(new GatewayError('connection_failed', 'the server sent a line that answers no command'));
      } else if (this.#expected.info === undefined) {
        this.#status(line, this.#expected);
      } else {
        this.#content(line, this.#expected);
      }
    }
    const { info, limit = 0 } = this.#expected ?? {};
    if (this.#framer.pending > (info === undefined ? MAX_STATUS : limit - this.#length)) this.#tooLong();
  }

  #status(line: Buffer, expected: Expected): void {
    const text = line.toString();
    if (!/^\+OK\b/i.test(text)) {
      this.#expected = undefined;
      this.#events.refused(text.replace(/^-ERR ?/i, '').slice(0, 200));
    } else if (expected.lines === 'many') {
      expected.info = text.slice(4);
    } else {
      this.#done(text.slice(4));
    }
  }

  #content(line: Buffer, { info = '', limit }: Expected): void {
    if (line.length === 1 && line[0] === DOT) {
      this.#done(info);
      return;
    }
    const content = line[0] === DOT ? line.subarray(1) : line;
    this.#length += content.length + CRLF.length;
    if (this.#length > limit) this.#tooLong();
    else this.#lines.push(content, CRLF);
  }

  #done(info: string): void {
    this.#expected = undefined;
    this.#events.answered(info, this.#lines);
  }

  #tooLong(): void {
    this.#lines = [];
    this.#events.broken(new GatewayError('too_large', 'the answer of the server is too long'));
  }
}

const CR = 0x0d;
const LF = 0x0a;

/**
 * Cuts the octets of a server into lines, RFC 1939 3. Only CR LF ends a line, so that a bare LF in a mail stays. A server
 * whose answer begins with a line that ends in LF alone ends all lines of that answer so.
 */
export class LineFramer {
  readonly #pieces: Buffer[] = [];
  #length = 0;
  /** Whether the next line is the first of an answer. */
  #first = true;
  #bareLf = false;

  /** Octets of the line that has begun. */
  get pending(): number {
    return this.#length;
  }

  /** The next line is the first of an answer. */
  expectFirst(): void {
    this.#first = true;
  }

  /** The lines that end within the chunk, without CR and LF. */
  *push(chunk: Buffer): Iterable<Buffer> {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      const before = at > from ? chunk[at - 1] : this.#pieces.at(-1)?.at(-1);
      if (this.#first) this.#bareLf = before !== CR;
      else if (before !== CR && !this.#bareLf) continue;
      this.#first = false;
      this.#keep(chunk.subarray(from, at));
      from = at + 1;
      const line = this.#take();
      yield before === CR ? line.subarray(0, -1) : line;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  #take(): Buffer {
    const [first, ...more] = this.#pieces;
    const line = first !== undefined && more.length === 0 ? first : Buffer.concat(this.#pieces);
    this.#pieces.length = 0;
    this.#length = 0;
    return line;
  }
}
