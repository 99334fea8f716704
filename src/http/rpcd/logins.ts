import { parseAddress } from '../../access/address.ts';
import { FailedLogins } from '../../access/failed-logins.ts';
import type { WebAccounts } from '../../access/web-accounts.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { type AclGroup, matchesGlob, type Permission, Rights } from './acl.ts';
import type { Session, Sessions } from './sessions.ts';

export interface LoginOptions {
  readonly accounts: WebAccounts;
  readonly groups: readonly AclGroup[];
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface LoginAttempt {
  readonly username: string;
  readonly password: string;
  /** Seconds without a call after which the session ends. */
  readonly timeout: number;
  readonly address: string;
  readonly signal: AbortSignal;
}

export type LoginOutcome =
  | { readonly session: Session }
  | { readonly refused: 'wrong' | 'locked_out' | 'busy' | 'unavailable' };

/** As the other servers have it by default. */
const LOCKOUT = { maxFailures: 10, lockout: 300 } as const;
/** Passwords that wait to be checked. Each check keeps a router busy for a good part of a second. */
const MAX_WAITING = 8;

/** Lets people in: checks who they are, one after the other, and locks out who keeps guessing. */
export class Logins {
  readonly #options: LoginOptions;
  readonly #failed: FailedLogins;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: LoginOptions) {
    this.#options = options;
    this.#failed = new FailedLogins(options.clock, LOCKOUT);
  }

  /** Never rejects. */
  async logIn(attempt: LoginAttempt): Promise<LoginOutcome> {
    if (this.#waiting >= MAX_WAITING) return { refused: 'busy' };
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#check(attempt));
    this.#last = turn;
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #check({ username, password, timeout, address, signal }: LoginAttempt): Promise<LoginOutcome> {
    const { accounts, groups, sessions, log } = this.#options;
    const client = parseAddress(address) ?? address;
    if (signal.aborted) return { refused: 'unavailable' };
    if (this.#failed.isLocked(client)) return { refused: 'locked_out' };
    try {
      const account = await accounts.check(username, password, signal);
      if (account === undefined) {
        if (this.#failed.failed(client))
          log.warning(`too many wrong passwords from ${client}: locked out for ${LOCKOUT.lockout} s`);
        else log.info(`wrong user name or password from ${client}`);
        return { refused: 'wrong' };
      }
      this.#failed.succeeded(client);
      const rights = new Rights(groups, (permission, group) => hasGroup(account, permission, group));
      return { session: sessions.create(account.username, rights, timeout) };
    } catch (error) {
      if (!signal.aborted) log.error(`login failed: ${describeError(error)}`);
      return { refused: 'unavailable' };
    }
  }
}

/** As rpcd reads the lists of a login: `!` takes away, and who may write may read. */
function hasGroup(
  account: { readonly read: readonly string[]; readonly write: readonly string[] },
  permission: Permission,
  group: string,
): boolean {
  const patterns = account[permission];
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesGlob(pattern.slice(1).trim(), group))) return false;
  if (patterns.some((pattern) => !pattern.startsWith('!') && matchesGlob(pattern, group))) return true;
  return permission === 'read' && hasGroup(account, 'write', group);
}
