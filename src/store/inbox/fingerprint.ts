import { createHash } from 'node:crypto';

/** TP-MMS, TS 23.040 9.2.3.2: the network may clear it when it repeats a message. */
const MORE_MESSAGES = 0x04;
const OCTETS = 9;

/**
 * Equal for one part that is read twice. Of the PDU all but the service centre's address counts, so sender, time stamp,
 * reference and sequence do; and the modem, for two SIMs may get the same text in the same second.
 */
export function fingerprint(modem: string, pdu: Uint8Array): string {
  const rest = pdu.subarray(1 + (pdu[0] ?? 0));
  // Where there is nothing behind the address it is no PDU at all, and only the whole tells it from others.
  const tpdu = Uint8Array.from(rest.length > 0 ? rest : pdu);
  if (tpdu[0] !== undefined) tpdu[0] &= ~MORE_MESSAGES;
  return createHash('sha256').update(`${modem}\n`).update(tpdu).digest().toString('base64url', 0, OCTETS);
}

/**
 * The parts seen last, so that one which the modem did not delete is known again, though its message was read
 * and deleted by a person meanwhile. Bounded by number, not by time: routers boot with any clock.
 */
export class Fingerprints {
  readonly #limit: number;
  readonly #prints = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(print: string): boolean {
    return this.#prints.has(print);
  }

  /** Seen now: becomes the newest. */
  add(print: string): void {
    this.#prints.delete(print);
    this.#prints.add(print);
    if (this.#prints.size <= this.#limit) return;
    for (const oldest of this.#prints) {
      this.#prints.delete(oldest);
      return;
    }
  }

  /** Oldest first. */
  [Symbol.iterator](): Iterator<string> {
    return this.#prints.values();
  }
}
