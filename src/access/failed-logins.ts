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
  /** Monotonic ms at which the failures are forgotten. */
  readonly until: number;
  /** Those of the failures that a login to the same account forgives. */
  readonly byAccount: ReadonlyMap<string, number>;
}

/** Clients that are remembered. Among more the one with the fewest failures makes room. */
const CAPACITY = 2048;
/** Accounts that are kept apart for a client, and characters of a name: both come from strangers. */
const MAX_ACCOUNTS = 4;
const MAX_NAME = 64;

/**
 * Counts failed logins by client and locks clients out. An IPv6 client counts by its /64. A login forgives only the
 * failures with its own account: who has one must not try the passwords of another without end.
 */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #rules: LockoutRules;
  readonly #records = new Map<string, Record>();
  /** The clients by their failures, those that failed longest ago first. */
  readonly #levels = new Map<number, Set<string>>();

  constructor(clock: Clock, rules: LockoutRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  isLocked(address: string): boolean {
    const { maxFailures } = this.#rules;
    return maxFailures > 0 && (this.#find(subscriberNetwork(address))?.failures ?? 0) >= maxFailures;
  }

  /** Counts a failed login; true when it locks the client out. */
  failed(address: string, account = ''): boolean {
    const { maxFailures, lockout } = this.#rules;
    if (maxFailures === 0) return false;
    const key = subscriberNetwork(address);
    const name = account.slice(0, MAX_NAME);
    const { failures = 0, byAccount = new Map<string, number>() } = this.#find(key) ?? {};
    const accounts = new Map(byAccount);
    if (accounts.has(name) || accounts.size < MAX_ACCOUNTS) accounts.set(name, (accounts.get(name) ?? 0) + 1);
    const until = this.#clock.monotonic() + lockout * 1000;
    this.#put(key, { failures: failures + 1, until, byAccount: accounts });
    return failures + 1 === maxFailures;
  }

  /** Takes back one failure: the login was counted before it was checked, and was no guess. */
  takeBack(address: string, account = ''): void {
    this.#forgive(address, account, 1);
  }

  /** Forgives the failures with this account. */
  succeeded(address: string, account = ''): void {
    this.#forgive(address, account, Number.POSITIVE_INFINITY);
  }

  /** How many clients are locked out now. */
  get locked(): number {
    const { maxFailures } = this.#rules;
    return [...this.#records.keys()].filter((key) => (this.#find(key)?.failures ?? 0) >= maxFailures).length;
  }

  #forgive(address: string, account: string, most: number): void {
    const key = subscriberNetwork(address);
    const record = this.#find(key);
    const name = account.slice(0, MAX_NAME);
    const own = record?.byAccount.get(name);
    if (record === undefined || own === undefined) return;
    const forgiven = Math.min(own, most);
    const byAccount = new Map(record.byAccount);
    if (own > forgiven) byAccount.set(name, own - forgiven);
    else byAccount.delete(name);
    if (record.failures > forgiven) this.#put(key, { ...record, failures: record.failures - forgiven, byAccount });
    else this.#delete(key);
  }

  #find(key: string): Record | undefined {
    const record = this.#records.get(key);
    if (record === undefined || record.until > this.#clock.monotonic()) return record;
    this.#delete(key);
    return undefined;
  }

  #put(key: string, record: Record): void {
    this.#delete(key);
    if (this.#records.size >= CAPACITY) this.#makeRoom();
    const level = this.#levels.get(record.failures) ?? new Set();
    this.#levels.set(record.failures, level);
    level.add(key);
    this.#records.set(key, record);
  }

  #delete(key: string): void {
    const record = this.#records.get(key);
    if (record === undefined) return;
    this.#records.delete(key);
    const level = this.#levels.get(record.failures);
    level?.delete(key);
    if (level?.size === 0) this.#levels.delete(record.failures);
  }

  /** Forgets a client whose time is over, else the one with the fewest failures, of those the one that failed longest ago. */
  #makeRoom(): void {
    const now = this.#clock.monotonic();
    const oldest = [...this.#levels].map(([failures, keys]) => {
      const [key = ''] = keys;
      return { key, failures, over: (this.#records.get(key)?.until ?? 0) <= now };
    });
    const least = oldest.find(({ over }) => over) ?? oldest.sort((a, b) => a.failures - b.failures)[0];
    if (least !== undefined) this.#delete(least.key);
  }
}
