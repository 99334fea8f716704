import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { describeError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { type Route, refusal, sendAnswer, splitTarget, type UpgradeRoute } from './route.ts';
import type { Site } from './site.ts';

const served = /^\/(?:$|(?:admin|ubus|pages|luci-static)(?:\/|$)|(?:rpc|setup|logout)$)/;

/** The site, made when the first request for it comes: on a router hardly anybody looks. */
export class LazySite implements Route, UpgradeRoute {
  readonly #open: () => Promise<Site | undefined>;
  readonly #log: Logger;
  #site: Promise<Site | undefined> | undefined;
  #stopped = false;

  /** `open` resolves to undefined when the pages are not installed. */
  constructor(open: () => Promise<Site | undefined>, log: Logger) {
    this.#open = open;
    this.#log = log;
  }

  matches(path: string): boolean {
    return served.test(path);
  }

  async handle(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const site = await this.#get();
    if (site === undefined) sendAnswer(response, refusal(404, 'the pages are not installed\n'));
    else await site.handle(request, response, signal);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until the WebSocket has taken it over, nobody else listens to it.
    const onError = () => socket.destroy();
    socket.on('error', onError);
    const { path } = splitTarget(request.url ?? '');
    void this.#get()
      .then(async (site) => {
        if (site === undefined || path !== '/rpc') throw new Error(`no WebSocket at ${path}`);
        await site.upgrade(request, socket, head);
      })
      .catch((error: unknown) => {
        this.#log.debug(() => describeError(error));
        socket.destroy();
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const site = await this.#site?.catch(() => undefined);
    await site?.stop();
  }

  #get(): Promise<Site | undefined> {
    if (this.#stopped) return Promise.resolve(undefined);
    this.#site ??= this.#open().catch((error: unknown) => {
      this.#site = undefined;
      throw error;
    });
    return this.#site;
  }
}
