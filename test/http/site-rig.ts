import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { Test } from 'tap';
import { Access } from '../../src/access/access.ts';
import { LoginGuard, usualLockout } from '../../src/access/login-guard.ts';
import { WebAccounts } from '../../src/access/web-accounts.ts';
import { Bus } from '../../src/base/bus.ts';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import { LazySite } from '../../src/http/lazy-site.ts';
import { Assets } from '../../src/http/pages/assets.ts';
import { HttpServer } from '../../src/http/server.ts';
import { Site } from '../../src/http/site.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import { EventFeed } from '../../src/rpc/events.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { testFolder } from '../support/folder.ts';

export const PASSWORD = 'a good password';
const NOBODY = '0'.repeat(32);

const config = `
config post_get 'post_get'
	option enabled '0'
	option username 'user1'
	option password 'user_pass'

config group
	option name 'friends'
	list tel '0037060000001'
`;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A web server with the site, on folders of the test's own. */
export class SiteRig {
  readonly log: string[] = [];
  readonly calls: string[] = [];
  readonly access = new Access();
  readonly bus: Bus<GatewayEvents>;
  readonly folder: string;
  reloads = 0;
  port = 0;
  #next = 1;

  private constructor(folder: string) {
    this.folder = folder;
    this.bus = new Bus<GatewayEvents>(createLogger({ level: 'debug', write: (line) => void this.log.push(line) }));
  }

  static async start(t: Test, clock: Clock = systemClock): Promise<SiteRig> {
    const rig = new SiteRig(testFolder(t));
    mkdirSync(`${rig.folder}/config`);
    mkdirSync(`${rig.folder}/www/pages`, { recursive: true });
    writeFileSync(`${rig.folder}/config/sms_gateway`, config);
    rig.#writeAssets();
    const log = createLogger({ level: 'debug', write: (line) => void rig.log.push(line) });
    const events = new EventFeed(rig.bus);
    const accounts = rig.accounts;
    const open = async () => {
      const assets = await Assets.open(`${rig.folder}/www`);
      if (assets === undefined) return undefined;
      const reload = async () => {
        rig.reloads += 1;
      };
      const configDirectory = `${rig.folder}/config`;
      const namespace = rig.#namespace();
      const { access } = rig;
      const guard = new LoginGuard({ clock, log, access, rules: usualLockout });
      return new Site({ assets, accounts, access, guard, configDirectory, namespace, events, reload, clock, log });
    };
    const site = new LazySite(open, log);
    const server = new HttpServer({ host: '127.0.0.1', port: 0, routes: [site], access: rig.access, clock, log });
    rig.port = (await server.start()).port;
    t.teardown(async () => {
      await site.stop();
      await server.stop();
      events.stop();
    });
    return rig;
  }

  get accounts(): WebAccounts {
    return new WebAccounts(`${this.folder}/config`, async () => undefined);
  }

  get config(): string {
    return readFileSync(`${this.folder}/config/sms_gateway`, 'utf8');
  }

  /** An account with all rights. */
  addAdmin(): Promise<void> {
    return this.accounts.setPassword('admin', PASSWORD);
  }

  /** One that may only look. */
  async addViewer(): Promise<void> {
    await this.accounts.setPassword('viewer', PASSWORD);
    const path = `${this.folder}/config/rpcd`;
    const [others = '', viewer = ''] = readFileSync(path, 'utf8').split(/(?=config login\n\toption username 'viewer')/);
    writeFileSync(path, others + viewer.replace("\tlist write '*'\n", ''));
  }

  async send(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Answer> {
    const sent = request({ host: '127.0.0.1', port: this.port, method, path, agent: false, headers });
    sent.end(body === '' ? undefined : body);
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }

  form(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return this.send('POST', path, new URLSearchParams(fields).toString(), { ...type, ...headers });
  }

  /** The answer to one JSON-RPC text over /ubus. */
  async post(message: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const { body } = await this.send('POST', '/ubus', JSON.stringify(message), headers);
    return JSON.parse(body);
  }

  /** `[status, data]`, or the code of the error. */
  async call(sid: string, object: string, method: string, args: JsonObject = {}): Promise<unknown> {
    const answer = await this.post({
      jsonrpc: '2.0',
      id: this.#next++,
      method: 'call',
      params: [sid, object, method, args],
    });
    const { result, error } = answer as { result?: unknown; error?: { code: number } };
    return error?.code ?? result;
  }

  /** A session id. */
  async login(username = 'admin', password = PASSWORD, timeout = 300): Promise<string> {
    const answer = (await this.call(NOBODY, 'session', 'login', { username, password, timeout })) as [
      number,
      JsonObject,
    ];
    return String(answer[1]?.['ubus_rpc_session'] ?? '');
  }

  #namespace(): Namespace {
    const namespace = new Namespace(createLogger({ level: 'debug', write: (line) => void this.log.push(line) }));
    const method = (name: string) => ({
      help: '',
      args: { text: { type: 'string', help: '' } },
      result: {},
      call: async (args: JsonObject) => {
        this.calls.push(name);
        return { args };
      },
    });
    namespace.add({ name: 'sms_gateway.message', methods: { list: method('list'), send: method('send') } } as never);
    namespace.add({ name: 'sms_gateway.cgi', methods: { request: method('request') } } as never);
    return namespace;
  }

  #writeAssets(): void {
    const files = {
      'pages/client.js': 'text/javascript',
      'pages/client.css': 'text/css',
      'pages/icon.svg': 'image/svg+xml',
    };
    for (const path of Object.keys(files))
      writeFileSync(`${this.folder}/www/${path}.gz`, gzipSync(`content of ${path}`));
    const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
    const manifest = {
      files: Object.fromEntries(Object.entries(files).map(([path, type]) => [path, { hash: 'abcd', type }])),
      menu: {
        'admin/sms': { title: 'SMS', action: { type: 'firstchild' }, depends: { acl: ['luci-app-sms-gateway'] } },
        'admin/sms/one': { title: 'One', action: { type: 'view', path: 'sms/one' } },
      },
      acl: [read('files/usr/share/rpcd/acl.d/luci-app-sms-gateway.json')],
      languages: ['de'],
      documents: { de: { 'Log in': 'Anmelden' } },
    };
    writeFileSync(`${this.folder}/www/manifest.json`, JSON.stringify(manifest));
  }
}

export { NOBODY };
