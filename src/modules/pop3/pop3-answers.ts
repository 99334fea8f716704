import { GatewayError } from '../../base/errors.ts';

/** Longest status line; RFC 2449 4 says 512. */
const MAX_STATUS = 8 * 1024;
const DOT = 0x2e;
const CRLF = Buffer.from('\r\n');

/** Callbacks of an AnswerReader. */
export interface AnswerEvents {
  /** `+OK`, and the lines behind it where the answer has many, each with CR LF. */
  answered(info: string, content: Buffer): void;
  /** `-ERR`, or a line that is not an answer. */
  refused(text: string): void;
  broken(error: GatewayError): void;
}

/** Limits of an answer of many lines. */
export interface AnswerBudget {
  readonly octets: number;
  readonly lines: number;
}

/** An answer of one line, or of many where there is a budget; `info` once its first line is there. */
interface Expected {
  readonly budget: AnswerBudget | undefined;
  info?: string;
}

/** Smallest piece of memory that grows, octets. */
const FIRST_PIECE = 4 * 1024;

/** Octets in one piece of memory: a buffer for each line or packet would cost many times what it holds. */
class Octets {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get last(): number | undefined {
    return this.#length === 0 ? undefined : this.#buffer[this.#length - 1];
  }

  append(octets: Uint8Array): void {
    const length = this.#length + octets.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_PIECE, length * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#buffer.set(octets, this.#length);
    this.#length = length;
  }

  /** All octets; empty afterwards. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }
}

/** Reads the answers of a POP3 server, RFC 1939 3. */
export class AnswerReader {
  readonly #events: AnswerEvents;
  readonly #framer = new LineFramer();
  #expected: Expected | undefined;
  readonly #content = new Octets();
  #lines = 0;
  #isBroken = false;

  constructor(events: AnswerEvents) {
    this.#events = events;
  }

  /** Whether a line has begun and not ended. */
  get midLine(): boolean {
    return this.#framer.pending > 0;
  }

  /** The next answer has one line, or many within the budget. */
  expect(budget?: AnswerBudget): void {
    this.#framer.expectFirst();
    this.#expected = { budget };
    this.#forget();
  }

  receive(chunk: Buffer): void {
    if (this.#isBroken) return;
    for (const line of this.#framer.push(chunk)) {
      if (this.#expected === undefined) {
        this.#break(new GatewayError('connection_failed', 'the server sent a line that answers no command'));
      } else if (this.#expected.info === undefined) {
        this.#status(line, this.#expected);
      } else {
        this.#take(line, this.#expected);
      }
      // Whoever has broken off reads no further.
      if (this.#isBroken) return;
    }
    const { info, budget } = this.#expected ?? {};
    const room = info === undefined ? MAX_STATUS : (budget?.octets ?? 0) - this.#content.length;
    if (this.#framer.pending > room) this.#tooLong();
  }

  #status(line: Buffer, expected: Expected): void {
    const text = line.toString();
    if (line.length > MAX_STATUS) {
      this.#tooLong();
    } else if (!/^\+OK\b/i.test(text)) {
      this.#expected = undefined;
      this.#events.refused(text.replace(/^-ERR ?/i, '').slice(0, 200));
    } else if (expected.budget !== undefined) {
      expected.info = text.slice(4);
    } else {
      this.#done(text.slice(4));
    }
  }

  #take(line: Buffer, { info = '', budget = { octets: 0, lines: 0 } }: Expected): void {
    if (line.length === 1 && line[0] === DOT) {
      this.#done(info);
      return;
    }
    const content = line[0] === DOT ? line.subarray(1) : line;
    this.#lines += 1;
    if (this.#lines > budget.lines || this.#content.length + content.length + CRLF.length > budget.octets) {
      this.#tooLong();
      return;
    }
    this.#content.append(content);
    this.#content.append(CRLF);
  }

  #done(info: string): void {
    this.#expected = undefined;
    this.#events.answered(info, this.#content.take());
  }

  #tooLong(): void {
    this.#break(new GatewayError('too_large', 'the answer of the server is too long'));
  }

  #break(error: GatewayError): void {
    this.#isBroken = true;
    this.#forget();
    this.#events.broken(error);
  }

  #forget(): void {
    this.#content.take();
    this.#lines = 0;
  }
}

const CR = 0x0d;
const LF = 0x0a;

/**
 * Cuts the octets of a server into lines, RFC 1939 3. Only CR LF ends a line, so that a bare LF in a mail stays. A server
 * whose answer begins with a line that ends in LF alone ends all lines of that answer so.
 */
class LineFramer {
  readonly #begun = new Octets();
  /** Whether the next line is the first of an answer. */
  #first = true;
  #bareLf = false;

  /** Octets of the line that has begun. */
  get pending(): number {
    return this.#begun.length;
  }

  /** The next line is the first of an answer. */
  expectFirst(): void {
    this.#first = true;
  }

  /** The lines that end within the chunk, without CR and LF. */
  *push(chunk: Buffer): Iterable<Buffer> {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      const before = at > from ? chunk[at - 1] : this.#begun.last;
      if (this.#first) this.#bareLf = before !== CR;
      else if (before !== CR && !this.#bareLf) continue;
      this.#first = false;
      const rest = chunk.subarray(from, at);
      from = at + 1;
      yield withoutCr(this.#whole(rest));
    }
    this.#begun.append(chunk.subarray(from));
  }

  /** The line that ends with these octets. */
  #whole(rest: Buffer): Buffer {
    if (this.#begun.length === 0) return rest;
    this.#begun.append(rest);
    return this.#begun.take();
  }
}

const withoutCr = (line: Buffer): Buffer => (line.at(-1) === CR ? line.subarray(0, -1) : line);
