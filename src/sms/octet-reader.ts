import { SmsError } from './error.ts';

/**
 * How damage is taken. `strict` refuses it; `lenient` reads all that is there of a DELIVER or STATUS-REPORT whose
 * address is whole, and loses the damaged field alone.
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
