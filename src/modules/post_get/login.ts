import { AddressList, parseAddress, privateAddresses } from '../../access/address.ts';
import { FailedLogins } from '../../access/failed-logins.ts';
import { equalSecrets, StoredPassword } from '../../access/password.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { Mutex } from '../../base/mutex.ts';
import type { PostGetConfig } from '../../config/config.ts';

/** Published in the manual, and tried by scanners. */
const FACTORY_PASSWORD = 'user_pass';

/** Checks the logins of the URLs. */
export class Login {
  readonly #config: PostGetConfig;
  readonly #log: Logger;
  readonly #password: StoredPassword;
  readonly #allowed: AddressList | undefined;
  readonly #failed: FailedLogins;
  #refused = 0;
  #factoryRefused = false;
  /** Checks run one by one: parallel requests give a client no additional tries. */
  readonly #turn = new Mutex();

  /** Throws GatewayError `config_invalid`. */
  constructor(config: PostGetConfig, clock: Clock, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#password = new StoredPassword(config.password);
    this.#allowed = config.allow_from.length === 0 ? undefined : new AddressList(config.allow_from);
    this.#failed = new FailedLogins(clock, { maxFailures: config.max_failures, lockout: config.lockout });
  }

  get refused(): number {
    return this.#refused;
  }

  get lockedOut(): number {
    return this.#failed.locked;
  }

  /** Whether the factory password is still set; logs a warning. Rejects only when `signal` aborts. */
  async hasFactoryPassword(signal: AbortSignal): Promise<boolean> {
    if (!(await this.#password.matches(FACTORY_PASSWORD, signal))) return false;
    this.#log.warning('the factory password is still set: only clients with private addresses may use it');
    return true;
  }

  /** Resolves for a right login. Rejects with `access_denied`, or `too_many` while the client is locked out. */
  async check(username: string, password: string, remoteAddress: string, signal: AbortSignal): Promise<void> {
    const address = parseAddress(remoteAddress) ?? 'unknown';
    await this.#turn.run(() => this.#check(username, password, address, signal));
  }

  async #check(username: string, password: string, address: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#allowed !== undefined && !this.#allowed.has(address)) throw this.#refuse();
    if (this.#failed.isLocked(address)) {
      this.#refused++;
      throw new GatewayError('too_many', 'too many failed logins from this address, try again later');
    }
    // Both are always compared: the time must not show which user name exists.
    const rightPassword = await this.#password.matches(password, signal);
    const right = equalSecrets(username, this.#config.username) && rightPassword;
    if (right && this.#mayUse(password, address)) {
      this.#failed.succeeded(address);
      return;
    }
    this.#log.debug(() => `failed login from ${address}`);
    if (this.#failed.failed(address)) {
      const { max_failures, lockout } = this.#config;
      this.#log.warning(`${max_failures} failed logins from ${address}: locked out for ${lockout} s`);
    }
    throw this.#refuse();
  }

  #mayUse(password: string, address: string): boolean {
    if (!equalSecrets(password, FACTORY_PASSWORD) || privateAddresses.has(address)) return true;
    if (!this.#factoryRefused) {
      this.#factoryRefused = true;
      this.#log.warning(`login from ${address} refused: the factory password is accepted from private addresses only`);
    }
    return false;
  }

  #refuse(): GatewayError {
    this.#refused++;
    return new GatewayError('access_denied', 'bad username or password, or not allowed from this address');
  }
}
