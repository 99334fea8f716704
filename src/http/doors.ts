import type { Access } from '../access/access.ts';
import { AddressList } from '../access/address.ts';
import type { LoginGuard } from '../access/login-guard.ts';
import type { CertificateFiles } from '../access/server-certificate.ts';
import type { SystemPassword, WebAccounts } from '../access/web-accounts.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Config } from '../config/config.ts';
import type { EventFeed } from '../rpc/events.ts';
import type { Metrics } from '../rpc/metrics.ts';
import type { Namespace } from '../rpc/namespace.ts';
import type { Api, OpenApiOptions } from './api/api.ts';
import { type CgiEntry, cgiBin } from './cgi-bin.ts';
import { LazySite } from './lazy-site.ts';
import { monitoring } from './monitoring.ts';
import type { Route } from './route.ts';
import { clientsOf } from './same-site.ts';
import type { Site } from './site.ts';
import { type HttpAddress, type Served, WebServer } from './web-server.ts';

/** What the doors need of the gateway. */
export interface WebDoorsOptions {
  readonly address: HttpAddress;
  /** Where the files of the pages lie, and the config with the accounts. */
  readonly pagesDirectory: string;
  readonly configDirectory: string;
  /** The config in force. */
  readonly config: () => Config;
  readonly access: Access;
  readonly namespace: Namespace;
  readonly events: EventFeed;
  readonly metrics: Metrics;
  readonly cgi: CgiEntry;
  readonly api: Pick<OpenApiOptions, 'submissions' | 'instantOf' | 'postGet'>;
  readonly systemPassword: SystemPassword;
  /** Reads the config again. Never rejects. */
  readonly reload: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The built-in web server with all that it serves. What few ask for is loaded when the first request for it comes. */
export class WebDoors {
  readonly #options: WebDoorsOptions;
  readonly #server: WebServer;
  #guard: LoginGuard | undefined;

  constructor(options: WebDoorsOptions) {
    const { address, access, clock, log } = options;
    this.#options = options;
    this.#server = new WebServer({ address, open: () => this.#open(), access, clock, log });
  }

  /** Throws GatewayError connection_failed. */
  start(): Promise<void> {
    return this.#server.start(this.#certificateFiles());
  }

  /** Takes up another certificate of the config in force. Throws GatewayError connection_failed. */
  configure(): Promise<void> {
    return this.#server.change(this.#certificateFiles());
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** What the built-in web server needs for TLS; undefined without a certificate. */
  #certificateFiles(): CertificateFiles | undefined {
    const { http_cert: cert, http_key: key = cert } = this.#options.config().gateway;
    return cert === undefined || key === undefined ? undefined : { cert, key };
  }

  #open(): Served {
    const { config, access, metrics, cgi, clock, log } = this.#options;
    const site = new LazySite(() => this.#openSite(), log);
    const routes = [
      cgiBin(cgi, clock, access.memory),
      monitoring(metrics, () => new AddressList(config().gateway.monitor_from), clientsOf(access)),
      lazyApi(
        () => config().gateway.api,
        () => this.#openApi(),
      ),
      site,
    ];
    return { routes, stop: () => site.stop() };
  }

  /** Pages, `/ubus` and `/rpc`; undefined where they are not installed. */
  async #openSite(): Promise<Site | undefined> {
    const { Assets } = await import('./pages/assets.ts');
    const { Site } = await import('./site.ts');
    const { pagesDirectory, log } = this.#options;
    const assets = await Assets.open(pagesDirectory);
    if (assets === undefined) {
      log.warning(`no pages in ${pagesDirectory}: only the cgi-bin URLs are served`);
      return undefined;
    }
    return new Site({ ...this.#options, assets, ...(await this.#logins()) });
  }

  /** `/api/v1` and its aliases. */
  async #openApi(): Promise<Api> {
    const { openApi } = await import('./api/api.ts');
    return openApi({ ...this.#options, ...this.#options.api, ...(await this.#logins()) });
  }

  /** The accounts of the pages, and one count of the guesses at them for all doors. */
  async #logins(): Promise<{ readonly accounts: WebAccounts; readonly guard: LoginGuard }> {
    const { WebAccounts } = await import('../access/web-accounts.ts');
    const { LoginGuard, usualLockout } = await import('../access/login-guard.ts');
    const { configDirectory, systemPassword, access, clock, log } = this.#options;
    this.#guard ??= new LoginGuard({ clock, log, access, rules: usualLockout });
    return { accounts: new WebAccounts(configDirectory, systemPassword), guard: this.#guard };
  }
}

const apiPaths = /^\/(?:api|jsonrpc|index\.php\/(?:api|jsonrpc))\//;

/** The REST interface, loaded when the first request for it comes. */
function lazyApi(isOn: () => boolean, open: () => Promise<Api>): Route {
  let api: Promise<Api> | undefined;
  return {
    matches: (path) => apiPaths.test(path) && isOn(),
    async handle(request, response, signal) {
      api ??= open().catch((error: unknown) => {
        api = undefined;
        throw error;
      });
      await (await api).handle(request, response, signal);
    },
  };
}
