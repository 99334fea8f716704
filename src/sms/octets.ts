import { SmsError } from './error.ts';

/** Two upper-case digits an octet, as AT commands carry PDUs. */
export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex').toUpperCase();
}

/**
 * The text of UTF-16 units, in one piece of memory. A text that is added up by characters is kept as a tree of them, and
 * takes thirty times the memory until somebody reads it.
 */
export function textOfUnits(units: Uint16Array): string {
  return Buffer.from(units.buffer, units.byteOffset, units.byteLength).toString('utf16le');
}

/** The octets of a hexadecimal text in either case. Throws SmsError `invalid` for any other text. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0) throw new SmsError('invalid', `odd number of hexadecimal digits (${hex.length})`);
  const octets = new Uint8Array(hex.length / 2);
  for (let at = 0; at < octets.length; at++) {
    const high = digit(hex.charCodeAt(2 * at));
    const low = digit(hex.charCodeAt(2 * at + 1));
    if (high < 0 || low < 0) throw new SmsError('invalid', `not a hexadecimal octet at digit ${2 * at}`);
    octets[at] = (high << 4) | low;
  }
  return octets;
}

function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * How damaged octets are read. `strict` refuses them; `lenient` reads as much as possible of a DELIVER or STATUS-REPORT
 * whose address is whole, and loses only the damaged field.
 */
export type Reading = 'strict' | 'lenient';

/** Reads octets from front to back; throws SmsError `truncated`, naming the field, when they run out. */
export class OctetReader {
  readonly reading: Reading;
  readonly #octets: Uint8Array;
  #position = 0;

  constructor(octets: Uint8Array, reading: Reading = 'strict') {
    this.reading = reading;
    this.#octets = octets;
  }

  get remaining(): number {
    return this.#octets.length - this.#position;
  }

  /** The next octet, which stays to be read. */
  peek(): number | undefined {
    return this.#octets[this.#position];
  }

  octet(field: string): number {
    const octet = this.#octets[this.#position];
    if (octet === undefined) throw new SmsError('truncated', `${field} is missing`);
    this.#position++;
    return octet;
  }

  /** A view, not a copy. */
  octets(count: number, field: string): Uint8Array {
    if (count > this.remaining) {
      throw new SmsError('truncated', `${field} has ${this.remaining} octets of ${count}`);
    }
    const start = this.#position;
    this.#position += count;
    return this.#octets.subarray(start, this.#position);
  }
}

/** The user data limits of TS 23.040 9.2.3.24 leave no TPDU longer than this. */
export const MAX_TPDU_OCTETS = 164;

/** Collects octets up to a limit; throws SmsError `too_long` beyond it. */
export class OctetWriter {
  readonly #octets: Uint8Array;
  #length = 0;

  constructor(limit: number = MAX_TPDU_OCTETS) {
    this.#octets = new Uint8Array(limit);
  }

  octet(value: number): void {
    this.#checkRoom(1);
    this.#octets[this.#length++] = value;
  }

  octets(values: Uint8Array): void {
    this.#checkRoom(values.length);
    this.#octets.set(values, this.#length);
    this.#length += values.length;
  }

  /** What was written: a view, so that the writer is not to be used afterwards. */
  finish(): Uint8Array {
    return this.#octets.subarray(0, this.#length);
  }

  #checkRoom(count: number): void {
    if (this.#length + count > this.#octets.length) {
      throw new SmsError('too_long', `longer than ${this.#octets.length} octets`);
    }
  }
}
