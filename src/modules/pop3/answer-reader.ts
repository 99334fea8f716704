import { GatewayError } from '../../base/errors.ts';
import { LineFramer } from './line-framer.ts';

/** Longest status line; RFC 2449 4 says 512. */
const MAX_STATUS = 8 * 1024;
const DOT = 0x2e;
const CRLF = Buffer.from('\r\n');

/** What becomes of the octets that a server sends. */
export interface AnswerEvents {
  /** `+OK`, and the lines behind it where there are to be many. */
  answered(info: string, lines: readonly Buffer[]): void;
  /** `-ERR`, or a line that is no answer at all. */
  refused(text: string): void;
  broken(error: GatewayError): void;
}

/** An answer of one line, or of many with up to `limit` octets; `info` once its first line is there. */
interface Expected {
  readonly lines: 'one' | 'many';
  readonly limit: number;
  info?: string;
}

/** Puts together the answers of a POP3 server, RFC 1939 3. */
export class AnswerReader {
  readonly #events: AnswerEvents;
  readonly #framer = new LineFramer();
  #expected: Expected | undefined;
  #lines: Buffer[] = [];
  #length = 0;

  constructor(events: AnswerEvents) {
    this.#events = events;
  }

  /** Whether a line has begun that is not over. */
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
        this.#events.broken(new GatewayError('connection_failed', 'the server said what nobody asked for'));
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
    this.#events.broken(new GatewayError('too_large', 'the server sent more than it should'));
  }
}
