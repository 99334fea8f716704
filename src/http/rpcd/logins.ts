import { parseAddress } from '../../access/address.ts';
import type { LoginGuard } from '../../access/login-guard.ts';
import type { WebAccount, WebAccounts } from '../../access/web-accounts.ts';
import { describeError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import { type AclGroup, matchesGlob, type Permission, Rights } from './acl.ts';
import type { Session, Sessions } from './sessions.ts';

export interface LoginOptions {
  readonly accounts: WebAccounts;
  readonly groups: readonly AclGroup[];
  readonly sessions: Sessions;
  /** Shared with other doors to the same accounts. */
  readonly guard: LoginGuard;
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
  | { readonly refused: 'wrong' | 'locked_out' | 'slowed' | 'busy' | 'unavailable' };

/** Lets people in: checks who they are, and locks out who keeps guessing. */
export class Logins {
  readonly #options: LoginOptions;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /** For `status`. */
  usage(): JsonObject {
    return this.#options.guard.usage();
  }

  /** Never rejects. */
  async logIn({ username, password, timeout, address, signal }: LoginAttempt): Promise<LoginOutcome> {
    const { accounts, groups, sessions, guard, log } = this.#options;
    const client = parseAddress(address) ?? address;
    let account: WebAccount | undefined;
    try {
      const verdict = await guard.attempt({ address: client, account: username, signal }, async () => {
        account = await accounts.check(username, password, signal);
        return account !== undefined;
      });
      if (verdict === 'wrong') log.info(`wrong user name or password from ${client}`);
      if (account === undefined) return { refused: verdict === 'right' ? 'wrong' : verdict };
    } catch (error) {
      if (!signal.aborted) log.error(`login failed: ${describeError(error)}`);
      return { refused: 'unavailable' };
    }
    const { read, write } = account;
    const rights = new Rights(groups, (permission, group) => hasGroup({ read, write }, permission, group));
    return { session: sessions.create(account.username, rights, timeout) };
  }
}

/** As rpcd reads the lists of a login: `!` takes away, and who may write may read. */
export function hasGroup(
  account: { readonly read: readonly string[]; readonly write: readonly string[] },
  permission: Permission,
  group: string,
): boolean {
  const patterns = account[permission];
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesGlob(pattern.slice(1).trim(), group))) return false;
  if (patterns.some((pattern) => !pattern.startsWith('!') && matchesGlob(pattern, group))) return true;
  return permission === 'read' && hasGroup(account, 'write', group);
}
