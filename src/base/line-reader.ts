import { isUtf8 } from 'node:buffer';
import { GatewayError } from './errors.ts';

const NEWLINE = 0x0a;
/** Octets that an idle reader holds. */
const SMALL = 4096;

/** Cuts a byte stream into lines, however it comes in chunks. Holds little more than one line. */
export class LineReader {
  readonly #maxLength: number;
  #buffer = Buffer.alloc(SMALL);
  /** The unread octets are #buffer[#start, #end); up to #scanned there is no newline. */
  #start = 0;
  #scanned = 0;
  #end = 0;

  /** `maxLength` in octets, the newline not counted. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Octets that it takes, as far as they are more than an idle one takes. */
  get held(): number {
    return this.#buffer.length > SMALL ? this.#buffer.length : 0;
  }

  /** Lets go of everything. */
  clear(): void {
    this.#start = this.#end;
    this.#shrink();
  }

  push(chunk: Uint8Array): void {
    const unread = this.#end - this.#start;
    if (this.#end + chunk.length > this.#buffer.length) {
      const needed = unread + chunk.length;
      const target = needed > this.#buffer.length ? Buffer.allocUnsafe(needed * 2) : this.#buffer;
      this.#buffer.copy(target, 0, this.#start, this.#end);
      this.#buffer = target;
      this.#scanned -= this.#start;
      this.#start = 0;
      this.#end = unread;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole line, or undefined. Throws GatewayError too_large, after which the stream cannot be followed. */
  next(): Buffer | undefined {
    const at = this.#buffer.subarray(0, this.#end).indexOf(NEWLINE, this.#scanned);
    const end = at === -1 ? this.#end : at;
    if (end - this.#start > this.#maxLength) {
      throw new GatewayError('too_large', `a line has at most ${this.#maxLength} octets`);
    }
    if (at === -1) {
      this.#scanned = this.#end;
      return undefined;
    }
    const line = Buffer.from(this.#buffer.subarray(this.#start, at));
    this.#start = at + 1;
    this.#scanned = this.#start;
    if (this.#start === this.#end) this.#shrink();
    return line;
  }

  /** A connection lives long, and long lines are rare. */
  #shrink(): void {
    if (this.#buffer.length > SMALL) this.#buffer = Buffer.alloc(SMALL);
    this.#start = 0;
    this.#scanned = 0;
    this.#end = 0;
  }

  /** What came after the last newline, once the stream has ended. */
  rest(): Buffer | undefined {
    if (this.#start === this.#end) return undefined;
    const line = Buffer.from(this.#buffer.subarray(this.#start, this.#end));
    this.#start = this.#end;
    this.#scanned = this.#end;
    return line;
  }
}

/** The text of a line; undefined when it is not UTF-8. Not TextDecoder: its `fatal` needs Intl. */
export const decodeLine = (line: Buffer): string | undefined => (isUtf8(line) ? line.toString('utf8') : undefined);
