import type { Access } from '../../access/access.ts';
import { AddressList, privateAddresses } from '../../access/address.ts';
import { LoginGuard } from '../../access/login-guard.ts';
import { equalSecrets, StoredPassword } from '../../access/password.ts';
import { isOwnRequest } from '../../access/request-origin.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { PostGetConfig } from '../../config/config.ts';
import type { CgiRequest } from '../host/contract.ts';

/** Published in the manual, and tried by scanners. */
const FACTORY_PASSWORD = 'user_pass';

export interface LoginServices {
  readonly config: PostGetConfig;
  readonly access: Access;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Decides who may use the URLs. */
export class Login {
  readonly #services: LoginServices;
  readonly #password: StoredPassword;
  readonly #allowed: AddressList | undefined;
  readonly #guard: LoginGuard;
  /** Why the factory password has been refused, as the log says it once each. */
  readonly #warned = new Set<string>();
  #refused = 0;

  /** Throws GatewayError `config_invalid`. */
  constructor(services: LoginServices) {
    const { config, access, clock, log } = services;
    this.#services = services;
    this.#password = new StoredPassword(config.password);
    this.#allowed = config.allow_from.length === 0 ? undefined : new AddressList(config.allow_from);
    const rules = { maxFailures: config.max_failures, lockout: config.lockout };
    this.#guard = new LoginGuard({ clock, log, rules, access });
  }

  get refused(): number {
    return this.#refused;
  }

  /** For `status`. */
  usage(): JsonObject {
    return this.#guard.usage();
  }

  get lockedOut(): number {
    return this.#guard.locked;
  }

  /** Whether the factory password is still set; logs a warning. Rejects only when `signal` aborts. */
  async hasFactoryPassword(signal: AbortSignal): Promise<boolean> {
    if (!(await this.#password.matches(FACTORY_PASSWORD, signal))) return false;
    const sends = this.#services.config.factory_sends ? '' : ', and not to send messages';
    this.#services.log.warning(
      `the factory password is still set: only clients with private addresses may use it${sends}; choose one of your own`,
    );
    return true;
  }

  /**
   * Resolves to the client's address when the client may go on. Rejects with `access_denied`; `too_many` while it is
   * locked out or slowed down; `queue_full` when too many logins wait.
   */
  async check({ username, password }: Credentials, request: CgiRequest, signal: AbortSignal): Promise<string> {
    const { config, access, log } = this.#services;
    const address = access.clientOf(request.remoteAddress, request.origin?.forwardedFor) || 'unknown';
    if (this.#allowed !== undefined && !this.#allowed.has(address)) throw this.#refuse();
    const verdict = await this.#guard.attempt({ address, account: username, signal }, async () => {
      // Both are always compared: the time must not show which user name exists.
      const rightPassword = await this.#password.matches(password, signal);
      const right = equalSecrets(username, config.username) && rightPassword;
      return right && (privateAddresses.has(address) || !this.#isFactory(password, address));
    });
    switch (verdict) {
      case 'right':
        if (equalSecrets(password, FACTORY_PASSWORD)) this.#checkFactory(request, address);
        return address;
      case 'wrong':
        log.debug(() => `failed login from ${address}`);
        throw this.#refuse();
      case 'busy':
        throw new GatewayError('queue_full', 'too many logins wait to be checked, try again');
      default:
        this.#refused++;
        throw new GatewayError('too_many', `too many failed logins${whose[verdict]}, try again later`);
    }
  }

  #isFactory(password: string, address: string): boolean {
    if (!equalSecrets(password, FACTORY_PASSWORD)) return false;
    this.#warn(`login from ${address}`, 'it is good for private addresses only');
    return true;
  }

  /** The right password, and no secret. Throws GatewayError `access_denied`. */
  #checkFactory({ script, origin = {}, remoteAddress }: CgiRequest, address: string): void {
    const { config, access } = this.#services;
    const changes = script !== 'sms_list' && script !== 'sms_total';
    const reason = access.isHidden(remoteAddress, origin.viaProxy)
      ? 'it is not good past a proxy that option trusted_proxy does not name'
      : !isOwnRequest(origin, changes)
        ? 'a page of another site may have sent this'
        : script === 'sms_send' && !config.factory_sends
          ? 'it is not good for sending, unless option factory_sends is on'
          : undefined;
    if (reason === undefined) return;
    this.#warn(`${script} from ${address}`, reason);
    throw this.#refuse();
  }

  #warn(what: string, reason: string): void {
    if (this.#warned.has(reason)) return;
    this.#warned.add(reason);
    this.#services.log.warning(`${what} with the factory password refused: ${reason}`);
  }

  #refuse(): GatewayError {
    this.#refused++;
    return new GatewayError('access_denied', 'bad username or password, or not allowed from this address');
  }
}

const whose = { locked_out: ' from this address', slowed: '' } as const;
