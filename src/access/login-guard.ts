import type { Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import { KeyedMutex } from '../base/mutex.ts';
import { counted } from '../base/printable.ts';
import type { Access } from './access.ts';
import { privateAddresses, subscriberNetwork } from './address.ts';
import { budgets } from './budgets.ts';
import { FailedLogins, type LockoutRules } from './failed-logins.ts';

export interface LoginGuardOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly rules: LockoutRules;
  readonly access: Pick<Access, 'known' | 'memory'>;
}

export interface LoginAttempt {
  /** Of the client, as `parseAddress` gives it. */
  readonly address: string;
  /** The account that was named, be there one or not: a stranger chooses it. */
  readonly account: string;
  /** Aborts when the client has gone. A check that has begun counts as failed then. */
  readonly signal?: AbortSignal;
}

/** `slowed`: too many guesses come from elsewhere. `busy`: too many logins wait to be checked, or a
 * stranger comes while memory is short. */
export type LoginVerdict = 'right' | 'wrong' | 'locked_out' | 'slowed' | 'busy';

const { logins } = budgets;

/** Where no option says otherwise. */
export const usualLockout: LockoutRules = { maxFailures: logins.failures.limit, lockout: 300 };

/**
 * Who may try to log in at a door, and when. Guesses are counted before they are checked, so that a client that breaks
 * off is counted too, and in four ways: by address (of IPv6 by /64), which locks out; by account and in all, which slow
 * down everybody who has not logged in to the account from there before. Private and public addresses are slowed apart:
 * the Internet keeps nobody at home from logging in.
 */
export class LoginGuard {
  readonly #options: LoginGuardOptions;
  readonly #failed: FailedLogins;
  readonly #accounts = new Map<string, Leak>();
  readonly #realms: Readonly<Record<Realm, Leak>>;
  readonly #byAddress = new KeyedMutex();
  readonly #waitingAt = new Map<string, number>();
  readonly #lanes = { known: new Lane(logins.checksKnown.limit), strange: new Lane(logins.checksStrange.limit) };
  /** Monotonic ms of the last line in the log about each. */
  readonly #warnedAt = new Map<Realm, number>();
  #waiting = 0;

  constructor(options: LoginGuardOptions) {
    const { clock, rules } = options;
    this.#options = options;
    this.#failed = new FailedLogins(clock, rules);
    const { burst, refill } = { burst: logins.guessesBurst.limit, refill: logins.guessesRate.limit };
    this.#realms = { private: new Leak(clock, burst, refill), public: new Leak(clock, burst, refill) };
  }

  /** Whether the client is locked out: a door may close it out before it has said a word. */
  isLocked(address: string): boolean {
    return this.#failed.isLocked(address);
  }

  /** How many clients are locked out now. */
  get locked(): number {
    return this.#failed.locked;
  }

  /** For `status`. */
  usage(): JsonObject {
    const slowed = [...this.#accounts.values()].filter((leak) => leak.full).length;
    return { locked_out: this.locked, slowed_accounts: slowed, waiting: this.#waiting };
  }

  /**
   * Runs `check`, which resolves to whether the login is right, when the client may try now. Those of one address run
   * one after the other, those of different addresses beside each other. Rejects as `check` does.
   */
  async attempt(attempt: LoginAttempt, check: () => Promise<boolean> | boolean): Promise<LoginVerdict> {
    const network = subscriberNetwork(attempt.address);
    const refused = this.#refusal(attempt);
    if (refused !== undefined) return refused;
    const here = this.#waitingAt.get(network) ?? 0;
    if (this.#options.access.memory.isScarce() && !this.#isKnown(attempt)) return 'busy';
    if (here >= logins.waitingAddress.limit || this.#waiting >= logins.waiting.limit) return 'busy';
    this.#waitingAt.set(network, here + 1);
    this.#waiting += 1;
    try {
      const lane = this.#isKnown(attempt) ? this.#lanes.known : this.#lanes.strange;
      return await this.#byAddress.run(network, () => lane.run(() => this.#check(attempt, check)));
    } finally {
      this.#waiting -= 1;
      const left = (this.#waitingAt.get(network) ?? 1) - 1;
      if (left > 0) this.#waitingAt.set(network, left);
      else this.#waitingAt.delete(network);
    }
  }

  async #check(attempt: LoginAttempt, check: () => Promise<boolean> | boolean): Promise<LoginVerdict> {
    const { address, account, signal } = attempt;
    // Not begun: it teaches nothing and costs nothing.
    signal?.throwIfAborted();
    const refused = this.#refusal(attempt);
    if (refused !== undefined) return refused;
    const known = this.#isKnown(attempt);
    const lockedNow = this.#count(attempt, known);
    let right: boolean;
    try {
      right = await check();
    } catch (error) {
      // What broke here is no guess; a client that broke off may have been one.
      if (signal?.aborted !== true) this.#uncount(attempt, known);
      throw error;
    }
    if (!right) {
      if (lockedNow) this.#warnOfLockout(address);
      return 'wrong';
    }
    this.#uncount(attempt, known);
    this.#failed.succeeded(address, account);
    this.#options.access.known.add(address, account);
    return 'right';
  }

  /** Why the client may not try now. */
  #refusal(attempt: LoginAttempt): 'locked_out' | 'slowed' | undefined {
    const { address, account } = attempt;
    if (this.#failed.isLocked(address)) return 'locked_out';
    if (this.#isKnown(attempt)) return undefined;
    const realm = realmOf(address);
    const all = this.#realms[realm].full;
    if (!all && this.#accounts.get(accountKey(realm, account))?.full !== true) return undefined;
    this.#warnOfSlowing(realm, all);
    return 'slowed';
  }

  #isKnown({ address, account }: LoginAttempt): boolean {
    return this.#options.access.known.has(address, account);
  }

  /** Counts the attempt as failed; true when that locks the client out. */
  #count({ address, account }: LoginAttempt, known: boolean): boolean {
    if (!known) {
      const realm = realmOf(address);
      this.#realms[realm].add(1);
      this.#leakOf(accountKey(realm, account)).add(1);
    }
    return this.#failed.failed(address, account);
  }

  #uncount({ address, account }: LoginAttempt, known: boolean): void {
    this.#failed.takeBack(address, account);
    if (known) return;
    const realm = realmOf(address);
    this.#realms[realm].add(-1);
    this.#accounts.get(accountKey(realm, account))?.add(-1);
  }

  /** Of accounts beyond the limit the one with the fewest guesses is forgotten. */
  #leakOf(key: string): Leak {
    const found = this.#accounts.get(key);
    if (found !== undefined) return found;
    if (this.#accounts.size >= logins.accounts.limit) {
      const [least] = [...this.#accounts].sort(([, a], [, b]) => a.level - b.level);
      if (least !== undefined) this.#accounts.delete(least[0]);
    }
    const leak = new Leak(this.#options.clock, logins.accountBurst.limit, logins.accountRate.limit);
    this.#accounts.set(key, leak);
    return leak;
  }

  #warnOfSlowing(realm: Realm, all: boolean): void {
    const { clock, log } = this.#options;
    const now = clock.monotonic();
    if (now < (this.#warnedAt.get(realm) ?? Number.NEGATIVE_INFINITY) + WARN_AGAIN_MS) return;
    this.#warnedAt.set(realm, now);
    const whose = all ? '' : ' to one account';
    log.warning(
      `too many wrong logins${whose} from ${realm} addresses: those are slowed down, except where a login succeeded before`,
    );
  }

  #warnOfLockout(address: string): void {
    const { log, rules } = this.#options;
    log.warning(`${counted(rules.maxFailures, 'failed login')} from ${address}: locked out for ${rules.lockout} s`);
  }
}

type Realm = 'private' | 'public';

const realmOf = (address: string): Realm => (privateAddresses.has(address) ? 'private' : 'public');

/** ms until the log says again that guesses are slowed down. */
const WARN_AGAIN_MS = 600_000;
/** Characters of a name that count: a stranger chooses it. */
const MAX_NAME = 64;
const accountKey = (realm: Realm, account: string): string => `${realm} ${account.slice(0, MAX_NAME)}`;

/** A count that goes down with time. */
class Leak {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #perMinute: number;
  #level = 0;
  #at: number;

  /** It is full at `most`, and loses `perMinute` in a minute. */
  constructor(clock: Clock, most: number, perMinute: number) {
    this.#clock = clock;
    this.#most = most;
    this.#perMinute = perMinute;
    this.#at = clock.monotonic();
  }

  get level(): number {
    const now = this.#clock.monotonic();
    this.#level = Math.max(0, this.#level - ((now - this.#at) / 60_000) * this.#perMinute);
    this.#at = now;
    return this.#level;
  }

  /** No whole one fits. */
  get full(): boolean {
    return this.level > this.#most - 1;
  }

  add(count: number): void {
    this.#level = Math.max(0, this.level + count);
  }
}

/** Checks that run beside each other, others wait in the order in which they came. */
class Lane {
  readonly #waiters: (() => void)[] = [];
  #free: number;

  constructor(width: number) {
    this.#free = width;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiters.push(resolve));
    try {
      return await work();
    } finally {
      // Handed over: nobody who comes meanwhile may slip in between.
      const next = this.#waiters.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
