import { GatewayError } from '../base/errors.ts';
import { commitPackage, loadPackage, UciPackage, type UciSection } from '../config/uci-parse-lite/index.ts';
import { MAX_PASSWORD, parseCryptHash } from './crypt.ts';
import { hashPassword, StoredPassword, secretChoice } from './password.ts';

/** The package in which rpcd keeps its logins: both web servers have the same accounts. */
const PACKAGE = 'rpcd';
/** Characters. */
const MIN_PASSWORD = 8;
/** Name of the first account. */
export const FIRST_ACCOUNT = 'admin';

/** An account, and the groups of rights that it has; see `rpcd` for the patterns. */
export interface WebAccount {
  readonly username: string;
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** The password of a system account, for logins that refer to it as `$p$root`. */
export type SystemPassword = (user: string) => Promise<string | undefined>;

/** The accounts of the web server: the `login` sections of /etc/config/rpcd. Read again at each use, which is rare. */
export class WebAccounts {
  readonly #directory: string;
  readonly #systemPassword: SystemPassword;

  constructor(directory: string, systemPassword: SystemPassword) {
    this.#directory = directory;
    this.#systemPassword = systemPassword;
  }

  /** Whether there is an account that somebody can log in to. Throws UciError. */
  async any(): Promise<boolean> {
    for (const section of await this.#sections()) {
      if (section.username !== '' && (await this.#stored(section)) !== undefined) return true;
    }
    return false;
  }

  /** The account with this name and password; undefined when they are wrong. Throws UciError; rejects when `signal` aborts. */
  async check(username: string, password: string, signal?: AbortSignal): Promise<WebAccount | undefined> {
    let compared = false;
    const others: string[] = [];
    for (const section of await this.#sections()) {
      const stored = await this.#stored(section);
      if (stored === undefined) continue;
      if (section.username !== username) {
        others.push(stored);
        continue;
      }
      compared = true;
      if (await new StoredPassword(stored).matches(password, signal)) return section;
    }
    // Neither a quick answer nor a slow one must reveal that a name is unknown.
    if (!compared) await new StoredPassword(decoyFor(username, others)).matches(password, signal);
    return undefined;
  }

  /**
   * Sets the password of an account; creates the account, with all rights, when it does not exist. Throws GatewayError
   * `invalid_argument` for an unusable name or password, `wrong_state` for a password in /etc/shadow; UciError.
   */
  async setPassword(username: string, password: string): Promise<void> {
    checkName(username);
    checkPassword(password);
    const uci = (await loadPackage(this.#directory, PACKAGE)) ?? new UciPackage(PACKAGE);
    const found = loginSections(uci).find((section) => single(section, 'username') === username);
    if (found !== undefined && single(found, 'password').startsWith('$p$')) {
      throw new GatewayError('wrong_state', `${username} has the password of a system account: change it with passwd`);
    }
    const section = found ?? uci.add('login');
    section.set('username', username);
    section.set('password', await hashPassword(password));
    if (found === undefined) {
      section.set('read', ['*']);
      section.set('write', ['*']);
    }
    await commitPackage(this.#directory, uci);
  }

  async #sections(): Promise<readonly (WebAccount & { readonly password: string })[]> {
    const uci = await loadPackage(this.#directory, PACKAGE);
    if (uci === undefined) return [];
    return loginSections(uci).map((section) => ({
      username: single(section, 'username'),
      password: single(section, 'password'),
      read: list(section, 'read'),
      write: list(section, 'write'),
    }));
  }

  /** rpcd accepts any password for an account without one. Here nobody can log in to it. */
  async #stored({ password }: { readonly password: string }): Promise<string | undefined> {
    const stored = password.startsWith('$p$') ? await this.#systemPassword(password.slice(3)) : password;
    return stored === undefined || !stored.startsWith('$') ? undefined : stored;
  }
}

/** A hash that no password matches. Checking it takes as long as a hash that `setPassword` makes. */
const UNKNOWN = `$6$nobody$${'.'.repeat(86)}`;

/** A hash that no password matches and that takes as long as that of an account, always the same one for a name. */
function decoyFor(username: string, stored: readonly string[]): string {
  const like = stored[secretChoice(username, stored.length)] ?? UNKNOWN;
  return parseCryptHash(like) === undefined
    ? UNKNOWN
    : like.replace(/[^$]+$/, (checksum) => '.'.repeat(checksum.length));
}

const loginSections = (uci: UciPackage): readonly UciSection[] => uci.sections.filter(({ type }) => type === 'login');

function single({ options }: UciSection, option: string): string {
  const value = options.get(option)?.value;
  return typeof value === 'string' ? value : '';
}

/** rpcd looks at lists only. */
function list({ options }: UciSection, option: string): readonly string[] {
  const value = options.get(option)?.value;
  return typeof value === 'string' || value === undefined ? [] : value;
}

function checkName(username: string): void {
  if (/^[A-Za-z0-9_.@-]{1,64}$/.test(username)) return;
  throw new GatewayError('invalid_argument', 'a user name has 1 to 64 of the characters A-Z a-z 0-9 _ . @ -');
}

function checkPassword(password: string): void {
  if (password.length >= MIN_PASSWORD && Buffer.byteLength(password) <= MAX_PASSWORD && !password.includes('\0'))
    return;
  throw new GatewayError(
    'invalid_argument',
    `a password has at least ${MIN_PASSWORD} characters, and at most ${MAX_PASSWORD} octets`,
  );
}
