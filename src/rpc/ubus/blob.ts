import { GatewayError } from '../../base/errors.ts';
import { limits } from './limits.ts';

/**
 * libubox blob.h. On the wire: u32 = extended flag | 7-bit id | 24-bit length of header and data; the data; zeros up to
 * a multiple of 4. All integers are big-endian.
 */
export interface Attribute {
  readonly id: number;
  /** Set on attributes that carry a name, those of blobmsg. */
  readonly extended: boolean;
  readonly data: Buffer;
}

export const ATTRIBUTE_HEADER = 4;
const EXTENDED = 0x80000000;

/** What a length becomes with its padding. */
export const padded = (length: number): number => (length + 3) & ~3;

export const malformed = (what: string): GatewayError => new GatewayError('parse_error', `ubus message: ${what}`);

/** The attributes that lie one after the other in `data`. Throws GatewayError parse_error. */
export function* attributesOf(data: Buffer): Generator<Attribute> {
  for (let at = 0; at < data.length; ) {
    if (data.length - at < ATTRIBUTE_HEADER) throw malformed('the header of an attribute is cut off');
    const header = data.readUInt32BE(at);
    const { id, length } = splitHeader(header);
    const end = at + padded(length);
    if (length < ATTRIBUTE_HEADER || end > data.length) {
      throw malformed(`an attribute of ${length} octets, ${data.length - at} are there`);
    }
    yield { id, extended: header >= EXTENDED, data: data.subarray(at + ATTRIBUTE_HEADER, at + length) };
    at = end;
  }
}

/** Length counts the header, not the padding. */
export function splitHeader(header: number): { readonly id: number; readonly length: number } {
  return { id: (header >>> 24) & 0x7f, length: header & 0xffffff };
}

/** Writes attributes. Every method throws GatewayError too_large beyond the size of a ubus message. */
export class BlobWriter {
  #buffer = Buffer.allocUnsafe(256);
  #end = 0;

  /** What has been written. */
  get octets(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  /** An attribute that holds what `body` writes. */
  attribute(id: number, extended: boolean, body: () => void): void {
    const start = this.#end;
    this.uint(0, 4);
    body();
    const length = this.#end - start;
    this.#buffer.writeUInt32BE((extended ? EXTENDED : 0) + id * 2 ** 24 + length, start);
    this.align();
  }

  bytes(data: Uint8Array): void {
    const at = this.#take(data.length);
    this.#buffer.set(data, at);
  }

  uint(value: number, size: 1 | 2 | 4): void {
    const at = this.#take(size);
    this.#buffer.writeUIntBE(value, at, size);
  }

  int64(value: number): void {
    const at = this.#take(8);
    this.#buffer.writeBigInt64BE(BigInt(value), at);
  }

  double(value: number): void {
    const at = this.#take(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  /** Zeros up to the next multiple of 4. */
  align(): void {
    const padding = padded(this.#end) - this.#end;
    const at = this.#take(padding);
    this.#buffer.fill(0, at, at + padding);
  }

  #take(size: number): number {
    const at = this.#end;
    const end = at + size;
    if (end > limits.messageLength) {
      throw new GatewayError('too_large', `a ubus message has at most ${limits.messageLength} octets`);
    }
    if (end > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.min(limits.messageLength, end * 2));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    this.#end = end;
    return at;
  }
}
