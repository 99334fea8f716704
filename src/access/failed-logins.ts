import type { Clock } from '../base/clock.ts';
import { subscriberNetwork } from './address.ts';

export interface LockoutRules {
  /** Failed logins in a row after which a client is locked out; 0 for never. */
  readonly maxFailures: number;
  /** Seconds that it stays locked out. Failures further apart than that do not add up. */
  readonly lockout: number;
}

interface Record {
  readonly failures: number;
  /** Monotonic ms at which all is forgotten. */
  readonly until: number;
}

/** Clients that are remembered; the one that failed longest ago makes room. */
const CAPACITY = 1024;

/** Counts failed logins by client and says who is locked out. An IPv6 client counts by its /64. */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #rules: LockoutRules;
  readonly #records = new Map<string, Record>();

  constructor(clock: Clock, rules: LockoutRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  isLocked(address: string): boolean {
    const { maxFailures } = this.#rules;
    return maxFailures > 0 && this.#failures(subscriberNetwork(address)) >= maxFailures;
  }

  /** Takes note of a failed login; true when the client is locked out by it. */
  failed(address: string): boolean {
    const { maxFailures, lockout } = this.#rules;
    if (maxFailures === 0) return false;
    const key = subscriberNetwork(address);
    const failures = this.#failures(key) + 1;
    this.#records.delete(key); // so that the map stays ordered by the time of the last failure
    this.#records.set(key, { failures, until: this.#clock.monotonic() + lockout * 1000 });
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= CAPACITY) break;
      this.#records.delete(oldest);
    }
    return failures === maxFailures;
  }

  succeeded(address: string): void {
    this.#records.delete(subscriberNetwork(address));
  }

  /** How many clients are locked out now. */
  get locked(): number {
    return [...this.#records.keys()].filter((key) => this.#failures(key) >= this.#rules.maxFailures).length;
  }

  #failures(key: string): number {
    const record = this.#records.get(key);
    if (record === undefined) return 0;
    if (record.until > this.#clock.monotonic()) return record.failures;
    this.#records.delete(key);
    return 0;
  }
}
