import { budgets, limitsOf } from '../../access/budgets.ts';
import type { Clock } from '../../base/clock.ts';

const limits = limitsOf(budgets.mqtt);

/** Control packet types, MQTT 5.0 2.1.2. */
const PUBLISH = 3;
/** PUBACK, PUBREC and PUBCOMP. */
const ACKNOWLEDGEMENTS: readonly number[] = [4, 5, 7];
const WINDOW_MS = 1_000;
/** Acknowledgements that are owed at once: two for each publication under way. What is refused gets fewer than it was to. */
const MAX_OWED = 2 * limits.inFlight;
/** Octets that a Remaining Length has at most, MQTT 5.0 1.5.5. */
const MAX_LENGTH_OCTETS = 4;

/**
 * Watches what a broker sends before anything of it is kept: the package collects a packet whole before it looks at its
 * size. Knows fixed headers only.
 */
export class PacketGuard {
  readonly #clock: Clock;
  /** Octets of the packet under way that are still to come. */
  #left = 0;
  /** The first octet of a fixed header whose length is still being read. */
  #type: number | undefined;
  #length = 0;
  #lengthOctets = 0;
  #windowStart = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  /** Acknowledgements that the broker owes. */
  #owed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A publication is on its way, which the broker acknowledges as many times as its QoS says (MQTT 5.0 4.3). */
  published(qos: 0 | 1 | 2): void {
    this.#owed = Math.min(this.#owed + qos, MAX_OWED);
  }

  /** What is wrong with the stream, a sentence; undefined while nothing is. */
  check(chunk: Uint8Array): string | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      const fault = this.#header(chunk[at] ?? 0);
      if (fault !== undefined) return fault;
      at += 1;
    }
    return undefined;
  }

  #header(octet: number): string | undefined {
    if (this.#type === undefined) {
      this.#type = octet;
      this.#length = 0;
      this.#lengthOctets = 0;
      return undefined;
    }
    this.#length += (octet & 0x7f) * 128 ** this.#lengthOctets;
    this.#lengthOctets += 1;
    if ((octet & 0x80) !== 0) {
      return this.#lengthOctets < MAX_LENGTH_OCTETS ? undefined : 'the broker sends what is no MQTT';
    }
    const type = this.#type;
    this.#type = undefined;
    this.#left = this.#length;
    return this.#judge(type, this.#length);
  }

  #judge(first: number, length: number): string | undefined {
    if (length + 1 + this.#lengthOctets > limits.packet) {
      return `the broker sends a packet of ${length} octets, at most ${limits.packet} are taken`;
    }
    const type = first >> 4;
    // Publications are slowed down by those that take them, and what acknowledges ours by us; nothing slows down the rest.
    if (type === PUBLISH) {
      return (first & 0x06) > 0x02 ? 'the broker publishes with a QoS that was not subscribed' : undefined;
    }
    if (ACKNOWLEDGEMENTS.includes(type) && this.#owed > 0) {
      this.#owed -= 1;
      return undefined;
    }
    if (type === 0) return 'the broker sends what is no MQTT';
    const now = this.#clock.monotonic();
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now;
      this.#inWindow = 0;
    }
    this.#inWindow += 1;
    return this.#inWindow > limits.answers
      ? `the broker sends more than ${limits.answers} packets a second`
      : undefined;
  }
}
