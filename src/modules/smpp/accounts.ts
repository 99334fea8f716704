import { AddressList, privateAddresses } from '../../access/address.ts';
import { StoredPassword, secretChoice } from '../../access/password.ts';
import type { Clock } from '../../base/clock.ts';
import type { SmppAccountConfig, SmppConfig } from '../../config/config.ts';
import type { InboxMessage } from '../../store/message.ts';
import type { DefaultAlphabet } from './content.ts';
import type { LongMessages } from './incoming.ts';
import { SmppError, status } from './status.ts';

/** The rights of an account, and the messages it receives. */
export interface Account {
  readonly name: string;
  readonly password: StoredPassword;
  readonly allowed: AddressList | undefined;
  readonly maxSessions: number;
  /** Limits what all its sessions submit. */
  readonly throttle: Throttle;
  /** Requests that a session may have open. */
  readonly window: number;
  /** Messages and receipts that may wait for an answer, over all its sessions. */
  readonly deliverWindow: number;
  readonly alphabet: DefaultAlphabet;
  readonly longMessages: LongMessages;
  /** Accepted values of system_type; empty for any. */
  readonly systemTypes: ReadonlySet<string>;
  /** The modem of its messages; undefined for any. */
  readonly modem: string | undefined;
  receives(message: Pick<InboxMessage, 'modem' | 'number'>): boolean;
}

export interface SmppSections {
  readonly smpp: SmppConfig;
  readonly accounts: readonly SmppAccountConfig[];
}

/** Published in the manual, and tried by scanners. */
const FACTORY_PASSWORD = 'admin01';

/** Wrong credentials: somebody may be guessing. */
export type Guess = typeof status.RINVSYSID | typeof status.RINVPASWD;

interface Credentials {
  readonly system_id: string;
  readonly password: string;
  readonly system_type: string;
}

/** The accounts of the config. */
export class Accounts {
  readonly #byName: ReadonlyMap<string, Account>;
  /** Names of accounts that are in the config and switched off. */
  readonly #disabled: ReadonlySet<string>;

  /** Throws GatewayError config_invalid for a password hash that costs too much. */
  constructor({ smpp, accounts }: SmppSections, clock: Clock) {
    const own = accountOf({ ...smpp, allow_from: [] }, smpp, clock); // the listener checks that list
    const enabled = accounts.filter((account) => account.enabled).map((account) => accountOf(account, smpp, clock));
    this.#byName = new Map([own, ...enabled].map((account) => [account.name, account]));
    this.#disabled = new Set(accounts.filter((account) => !account.enabled).map(({ username }) => username));
  }

  [Symbol.iterator](): Iterator<Account> {
    return this.#byName.values();
  }

  /** Undefined for a name that is not in the config, and for an account that is switched off. */
  find(name: string): Account | undefined {
    return this.#byName.get(name);
  }

  /** Whether the config has an account of this name, also a switched-off one. */
  knows(name: string): boolean {
    return this.#byName.has(name) || this.#disabled.has(name);
  }

  /** Whether an account has the factory password. Rejects only when `signal` aborts. */
  async hasFactoryPassword(signal: AbortSignal): Promise<boolean> {
    for (const { password } of this) if (await password.matches(FACTORY_PASSWORD, signal)) return true;
    return false;
  }

  /**
   * The account of these credentials; the status of the refusal when they are wrong. Throws SmppError when they are right,
   * but the account is not for this client. Rejects when `signal` aborts.
   */
  async login(credentials: Credentials, address: string, signal: AbortSignal): Promise<Account | Guess> {
    const { system_id, password, system_type } = credentials;
    const account = this.#byName.get(system_id);
    // Compared also without an account: the time of the answer must not show which names exist.
    const all = [...this];
    const compared = account ?? all[secretChoice(system_id, all.length)];
    const right = await compared?.password.matches(password, signal);
    if (account === undefined) return status.RINVSYSID;
    if (right !== true) return status.RINVPASWD;
    if (password === FACTORY_PASSWORD && !privateAddresses.has(address)) throw new SmppError(status.RBINDFAIL);
    if (account.allowed?.has(address) === false) throw new SmppError(status.RBINDFAIL);
    if (account.systemTypes.size > 0 && !account.systemTypes.has(system_type)) {
      throw new SmppError(status.RINVSYSTYP);
    }
    return account;
  }
}

type AccountOptions = Omit<SmppAccountConfig, 'section'>;

function accountOf(options: AccountOptions, smpp: SmppConfig, clock: Clock): Account {
  const { receive, receive_modem, sender_prefix } = options;
  return {
    name: options.username,
    password: new StoredPassword(options.password),
    allowed: options.allow_from.length === 0 ? undefined : new AddressList(options.allow_from),
    maxSessions: options.max_sessions,
    throttle: new Throttle(clock, options.rate),
    window: options.window,
    deliverWindow: options.deliver_window,
    alphabet: options.default_alphabet ?? smpp.default_alphabet,
    longMessages: options.long_messages ?? smpp.long_messages,
    systemTypes: new Set(options.system_type),
    modem: options.modem,
    receives: ({ modem, number }) =>
      receive &&
      (receive_modem.length === 0 || receive_modem.includes(modem)) &&
      (sender_prefix.length === 0 || sender_prefix.some((prefix) => beginsWith(number, prefix))),
  };
}

/** A prefix without + also matches numbers with it. */
function beginsWith(number: string, prefix: string): boolean {
  return number.startsWith(prefix) || (number.startsWith('+') && number.slice(1).startsWith(prefix));
}

/** Limits messages to `rate` a second, with bursts of up to `rate`. */
class Throttle {
  readonly #clock: Clock;
  readonly #rate: number;
  #tokens: number;
  #filled: number;

  /** `rate` in messages a second; 0 for no limit. */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = rate;
    this.#filled = clock.monotonic();
  }

  /** Whether a message may pass now, or `count` that belong together. */
  take(count = 1): boolean {
    if (this.#rate === 0) return true;
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#filled) / 1000) * this.#rate);
    this.#filled = now;
    if (this.#tokens < 1) return false;
    // A batch larger than the tokens passes, and later messages wait for its tokens.
    this.#tokens -= count;
    return true;
  }
}
