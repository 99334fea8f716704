import { SmsError } from './error.ts';

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
