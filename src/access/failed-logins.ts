import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/lru-map.ts';
import { subscriberNetwork } from './address.ts';

export interface LockoutRules {
  /** Failed logins in a row after which a client is locked out; 0 for never. */
  readonly maxFailures: number;
  /** Seconds that it stays locked out. Failures further apart than that do not add up. */
  readonly lockout: number;
}

interface Record {
  readonly failures: number;
  /** Monotonic ms at which the failures are forgotten. */
  readonly until: number;
}

/** Clients that are remembered; the one whose last failure is oldest makes room. */
const CAPACITY = 1024;

/** Counts failed logins by client and locks clients out. An IPv6 client counts by its /64. */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #rules: LockoutRules;
  readonly #records = new LruMap<string, Record>(CAPACITY);

  constructor(clock: Clock, rules: LockoutRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  isLocked(address: string): boolean {
    const { maxFailures } = this.#rules;
    return maxFailures > 0 && this.#failures(subscriberNetwork(address)) >= maxFailures;
  }

  /** Counts a failed login; true when it locks the client out. */
  failed(address: string): boolean {
    const { maxFailures, lockout } = this.#rules;
    if (maxFailures === 0) return false;
    const key = subscriberNetwork(address);
    const failures = this.#failures(key) + 1;
    this.#records.set(key, { failures, until: this.#clock.monotonic() + lockout * 1000 });
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
