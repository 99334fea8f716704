import { SmsError } from './error.ts';

/** TS 23.040 9.2.3.24: user data limits leave no TPDU longer than this. */
const CAPACITY = 164;

/** Collects the octets of one TPDU. */
export class OctetWriter {
  readonly #octets = new Uint8Array(CAPACITY);
  #length = 0;

  octet(value: number): void {
    if (this.#length >= CAPACITY) throw new SmsError('too_long', `TPDU is longer than ${CAPACITY} octets`);
    this.#octets[this.#length++] = value;
  }

  octets(values: Uint8Array): void {
    if (this.#length + values.length > CAPACITY) {
      throw new SmsError('too_long', `TPDU is longer than ${CAPACITY} octets`);
    }
    this.#octets.set(values, this.#length);
    this.#length += values.length;
  }

  toOctets(): Uint8Array {
    return this.#octets.slice(0, this.#length);
  }
}
