import { isDeepStrictEqual } from 'node:util';
import type { Access } from '../access/access.ts';
import { type CertificateFiles, ServerCertificate } from '../access/server-certificate.ts';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Route, UpgradeRoute } from './route.ts';
import { HttpServer } from './server.ts';

export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

/** What one server serves, until `stop`. */
export interface Served {
  readonly routes: readonly (Route | (Route & UpgradeRoute))[];
  readonly stop: () => Promise<void>;
}

export interface WebServerOptions {
  readonly address: HttpAddress;
  readonly open: () => Served;
  readonly access: Access;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Running {
  readonly server: HttpServer;
  readonly served: Served;
  readonly certificate: ServerCertificate | undefined;
}

/**
 * The built-in web server with its certificate. Other files, or HTTPS in place of HTTP, are another server; it takes the
 * place of the one before once its certificate is good, so that a wrong path shuts nobody out.
 */
export class WebServer {
  readonly #options: WebServerOptions;
  #running: Running | undefined;
  /** One that has not been good yet. */
  #awaited: ServerCertificate | undefined;
  #removeDoor = () => {};
  #stopped = false;
  /** Changes, one after the other. */
  #changes: Promise<void> = Promise.resolve();

  constructor(options: WebServerOptions) {
    this.#options = options;
  }

  /**
   * Serves HTTPS where there are files, and then never in clear: without a good certificate nobody gets in before there is
   * one. Throws GatewayError `connection_failed`.
   */
  async start(files: CertificateFiles | undefined): Promise<void> {
    await this.#serve(await this.#open(files));
  }

  /** Takes up other files. Throws GatewayError `connection_failed`. */
  change(files: CertificateFiles | undefined): Promise<void> {
    return this.#inOrder(() => this.#change(files));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#inOrder(async () => {
      this.#forgetAwaited();
      await this.#end();
    });
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const result = this.#changes.then(work);
    this.#changes = result.catch(() => undefined);
    return result;
  }

  async #change(files: CertificateFiles | undefined): Promise<void> {
    const current = this.#awaited ?? this.#running?.certificate;
    if (this.#stopped || isDeepStrictEqual(current?.files, files)) return;
    this.#forgetAwaited();
    const { certificate: inUse } = this.#running ?? {};
    if (this.#running !== undefined && isDeepStrictEqual(inUse?.files, files)) return this.#show(inUse);
    const certificate = await this.#open(files);
    if (certificate === undefined || certificate.context !== undefined) return this.#replace(certificate);
    this.#awaited = certificate;
    this.#show(certificate);
    certificate.use(() => {
      const { log } = this.#options;
      this.#inOrder(async () => {
        if (this.#stopped || this.#awaited !== certificate) return;
        this.#awaited = undefined;
        await this.#replace(certificate);
      }).catch((error: unknown) => log.error(describeError(error)));
    });
  }

  async #open(files: CertificateFiles | undefined): Promise<ServerCertificate | undefined> {
    if (files === undefined) return undefined;
    const certificate = new ServerCertificate({ files, clock: this.#options.clock, log: this.#options.log });
    await certificate.start();
    return certificate;
  }

  async #replace(certificate: ServerCertificate | undefined): Promise<void> {
    await this.#end();
    if (this.#stopped) certificate?.stop();
    else await this.#serve(certificate);
  }

  async #serve(certificate: ServerCertificate | undefined): Promise<void> {
    const { address, open, access, clock, log } = this.#options;
    const served = open();
    const tls = certificate !== undefined;
    const server = new HttpServer({ ...address, routes: served.routes, access, clock, log, tls });
    this.#running = { server, served, certificate };
    certificate?.use((options) => server.certify(options));
    this.#show(certificate);
    const { port } = await server.start();
    log.info(`serving ${tls ? 'https' : 'http'}://${address.host}:${port}`);
  }

  /** In `status`, among the doors. */
  #show(certificate: ServerCertificate | undefined): void {
    this.#removeDoor();
    this.#removeDoor =
      certificate === undefined ? () => {} : this.#options.access.addDoor('https', () => certificate.status());
  }

  #forgetAwaited(): void {
    this.#awaited?.stop();
    this.#awaited = undefined;
  }

  async #end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#show(undefined);
    running?.certificate?.stop();
    await running?.served.stop();
    await running?.server.stop();
  }
}
