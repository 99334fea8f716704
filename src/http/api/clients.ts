import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Access } from '../../access/access.ts';
import { AddressList, subscriberNetwork } from '../../access/address.ts';
import { budgets } from '../../access/budgets.ts';
import { LoginGuard, type LoginVerdict, usualLockout } from '../../access/login-guard.ts';
import { originFields } from '../../access/request-origin.ts';
import { findToken } from '../../access/tokens.ts';
import type { WebAccounts } from '../../access/web-accounts.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { Config, TokenConfig } from '../../config/config.ts';
import type { Scope } from '../../config/schema/token.ts';
import type { CgiLogin } from '../../modules/host/contract.ts';
import { hasGroup } from '../rpcd/logins.ts';
import { type ClientOf, clientsOf, fromOtherSite } from '../same-site.ts';

/** Who has come in, and what he may do. */
export interface ApiClient {
  /** What his messages are filed under. */
  readonly source: string;
  /** Of an account that many may have: the network of the client, which has a share of the queue. */
  readonly share?: string;
  /** For the log: `token grafana from 192.0.2.7`. */
  readonly who: string;
  /** Messages that he may send on a day; 0 for any number. */
  readonly dailyLimit: number;
  may(scope: Scope): boolean;
}

export interface ClientsOptions {
  readonly config: () => Pick<Config, 'tokens' | 'post_get'>;
  /** The instant at which the clock of the router shows this time; both ms as Date.UTC gives them. */
  readonly instantOf: (local: number) => Promise<number>;
  readonly accounts: WebAccounts;
  /** Of logins to the accounts, shared with the pages. */
  readonly guard: LoginGuard;
  /** Checks a login to the account of Post/Get; rejects when it is wrong. */
  readonly postGet: (login: CgiLogin, signal: AbortSignal) => Promise<void>;
  readonly access: Access;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Session {
  readonly client: ApiClient;
  /** Monotonic ms. */
  readonly until: number;
}

/** Seconds that a login by `/api/login` holds, as RutOS has it. */
export const SESSION_S = 299;
/** Group of rights in the access rules of LuCI. */
const GROUP = 'luci-app-sms-gateway';

/** Lets clients in, by a token or by user name and password. */
export class ApiClients {
  readonly #options: ClientsOptions;
  /** Of tokens: one that was taken away may be tried for ever, and must not lock out who logs in to the pages. */
  readonly #tokenGuard: LoginGuard;
  readonly #clientOf: ClientOf;
  readonly #sessions = new Map<string, Session>();

  constructor(options: ClientsOptions) {
    const { access, clock, log } = options;
    this.#options = options;
    this.#clientOf = clientsOf(access);
    this.#tokenGuard = new LoginGuard({ clock, log, access, rules: usualLockout });
  }

  /** For `status`. */
  usage(): JsonObject {
    return { ...this.#tokenGuard.usage(), sessions: this.#sessions.size };
  }

  /** By the field Authorization. Rejects with login_required, access_denied, too_many, queue_full. */
  async fromRequest(request: IncomingMessage, signal: AbortSignal): Promise<ApiClient> {
    const [, scheme = '', value = ''] = /^\s*(\S+)\s+(\S+)\s*$/.exec(request.headers.authorization ?? '') ?? [];
    switch (scheme.toLowerCase()) {
      case 'bearer':
        return this.byToken(value, request, signal);
      case 'basic': {
        const [, username = '', password = ''] =
          /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString('utf8')) ?? [];
        return this.byPassword(username, password, request, signal);
      }
      default:
        throw new GatewayError(
          'login_required',
          'wanted the field Authorization, with Bearer and a token or with Basic',
        );
    }
  }

  /** By a token of the config, or of a login. A right one is never locked out: nobody can guess it. */
  async byToken(text: string, request: IncomingMessage, signal: AbortSignal): Promise<ApiClient> {
    const address = this.#addressOf(request);
    const session = this.#sessions.get(text);
    if (session !== undefined && session.until > this.#options.clock.monotonic()) return session.client;
    this.#sessions.delete(text);
    const { clock, access } = this.#options;
    const token = findToken(this.#options.config().tokens, text);
    if (token === undefined) {
      const verdict = await this.#tokenGuard.attempt({ address, account: 'token', signal }, () => false);
      throw this.#refused(verdict, 'token', address);
    }
    if (!token.enabled) throw new GatewayError('login_required', `token ${token.name} is switched off`);
    const end = token.expires === undefined ? undefined : await this.#endOf(token.expires);
    if (end !== undefined && clock.now() >= end) {
      throw new GatewayError('login_required', `token ${token.name} has expired on ${token.expires}`);
    }
    if (token.allow_from.length > 0 && !new AddressList(token.allow_from).has(address)) {
      throw new GatewayError('access_denied', `token ${token.name} is not allowed from ${address}`);
    }
    access.known.add(address, 'token');
    return tokenClient(token, address);
  }

  /** By an account of the pages, or that of Post/Get where it has the name. */
  async byPassword(
    username: string,
    password: string,
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<ApiClient> {
    const { config, accounts, guard, postGet } = this.#options;
    // A browser adds the password that it remembers to requests of any page, and any page can make it guess.
    if (fromOtherSite(request)) throw new GatewayError('access_denied', 'a page of another site has sent this');
    const address = this.#addressOf(request);
    const { post_get } = config();
    if (post_get.enabled && username === post_get.username) {
      const origin = originFields(request.headers);
      const remoteAddress = request.socket.remoteAddress ?? '';
      await postGet({ username, password, remoteAddress, origin }, signal).catch((error: unknown) => {
        const wrong = error instanceof GatewayError && error.code === 'access_denied';
        throw wrong ? new GatewayError('login_required', error.message) : error;
      });
      const client = clientOf('cgi', `${username} from ${address}`, ['send', 'read', 'delete']);
      return { ...client, share: subscriberNetwork(address) };
    }
    let scopes: readonly Scope[] | undefined;
    const verdict = await guard.attempt({ address, account: username, signal }, async () => {
      const account = await accounts.check(username, password, signal);
      if (account === undefined) return false;
      scopes = [
        ...(hasGroup(account, 'read', GROUP) ? (['read'] as const) : []),
        ...(hasGroup(account, 'write', GROUP) ? (['admin'] as const) : []),
      ];
      return true;
    });
    if (scopes === undefined) throw this.#refused(verdict, 'user name or password', address);
    return clientOf(`account:${username}`, `${username} from ${address}`, scopes);
  }

  /** A token that stands for the client for SESSION_S seconds. */
  open(client: ApiClient): string {
    const token = randomBytes(16).toString('hex');
    const now = this.#options.clock.monotonic();
    for (const [old, { until }] of this.#sessions) if (until <= now) this.#sessions.delete(old);
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= budgets.http.apiSessions.limit) this.#sessions.delete(oldest);
    this.#sessions.set(token, { client, until: now + SESSION_S * 1000 });
    return token;
  }

  /** The instant of a `date` of the config. */
  #endOf(date: string): Promise<number> {
    return this.#options.instantOf(Date.parse(`${date.replace(' ', 'T')}Z`));
  }

  #addressOf(request: IncomingMessage): string {
    return this.#clientOf(request) || 'unknown';
  }

  #refused(verdict: LoginVerdict, what: string, address: string): GatewayError {
    if (verdict === 'busy') return new GatewayError('queue_full', 'too many logins wait to be checked, try again');
    if (verdict === 'locked_out' || verdict === 'slowed') {
      return new GatewayError('too_many', 'too many failed logins, try again later');
    }
    this.#options.log.info(`wrong ${what} from ${address}`);
    return new GatewayError('login_required', `wrong ${what}`);
  }
}

const tokenClient = ({ name, scope, daily_limit }: TokenConfig, address: string): ApiClient =>
  clientOf(`token:${name}`, `token ${name} from ${address}`, scope, daily_limit);

const clientOf = (source: string, who: string, scopes: readonly Scope[], dailyLimit = 0): ApiClient => ({
  source,
  who,
  dailyLimit,
  may: (scope) => scopes.includes(scope) || scopes.includes('admin'),
});
