import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Access } from '../access/access.ts';
import type { LoginGuard } from '../access/login-guard.ts';
import type { WebAccounts } from '../access/web-accounts.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { EventFeed } from '../rpc/events.ts';
import type { Namespace } from '../rpc/namespace.ts';
import type { Assets } from './pages/assets.ts';
import { Pages } from './pages/pages.ts';
import { type Route, refusal, sendAnswer, splitTarget } from './route.ts';
import type { RpcSocket } from './rpc-socket.ts';
import { readAclFile } from './rpcd/acl.ts';
import { Logins } from './rpcd/logins.ts';
import { sessionObject } from './rpcd/session-object.ts';
import { Sessions } from './rpcd/sessions.ts';
import { UbusDoor, ubusRoute } from './rpcd/ubus.ts';
import { UciObject } from './rpcd/uci-object.ts';
import { type ClientOf, clientsOf } from './same-site.ts';

export interface SiteOptions {
  readonly assets: Assets;
  readonly accounts: WebAccounts;
  readonly access: Access;
  /** Of logins to the accounts. */
  readonly guard: LoginGuard;
  readonly configDirectory: string;
  readonly namespace: Namespace;
  readonly events: EventFeed;
  /** Reads the config again. Never rejects. */
  readonly reload: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The part of the web server that people log in to: pages, `/ubus` and `/rpc`, with what is common to them. */
export class Site {
  readonly #options: SiteOptions;
  readonly #routes: readonly Route[];
  readonly #sessions: Sessions;
  readonly #uci: UciObject;
  readonly #door: UbusDoor;
  readonly #clientOf: ClientOf;
  readonly #removeDoor: () => void;
  #socket: Promise<RpcSocket> | undefined;

  constructor(options: SiteOptions) {
    const { assets, accounts, access, guard, configDirectory: directory, namespace, reload, clock, log } = options;
    const groups = assets.manifest.acl.flatMap(readAclFile);
    const sessions = new Sessions(clock);
    const logins = new Logins({ accounts, groups, sessions, guard, log });
    this.#options = options;
    this.#clientOf = clientsOf(access);
    this.#removeDoor = access.addDoor('pages', () => logins.usage());
    this.#sessions = sessions;
    this.#uci = new UciObject({ directory, reload, clock, log });
    this.#door = new UbusDoor(sessions, namespace, { session: sessionObject(sessions, logins), uci: this.#uci });
    const clientOf = this.#clientOf;
    const { input } = access.memory;
    this.#routes = [
      ubusRoute(this.#door, clientOf, access.memory),
      new Pages({ assets, accounts, logins, sessions, clientOf, log, input }),
    ];
  }

  async handle(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { path } = splitTarget(request.url ?? '');
    const route = this.#routes.find((candidate) => candidate.matches(path));
    if (route !== undefined) await route.handle(request, response, signal);
    else if (path === '/rpc') sendAnswer(response, refusal(426, 'WebSocket only\n'));
    else sendAnswer(response, refusal(404, 'Not Found\n'));
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { access, events, clock, log } = this.#options;
    this.#socket ??= import('./rpc-socket.ts').then(
      ({ RpcSocket }) => new RpcSocket({ door: this.#door, access, clientOf: this.#clientOf, events, clock, log }),
    );
    (await this.#socket).upgrade(request, socket, head);
  }

  async stop(): Promise<void> {
    this.#removeDoor();
    await (await this.#socket)?.stop();
    await this.#uci.stop();
    this.#sessions.stop();
  }
}
