import type { IncomingMessage, ServerResponse } from 'node:http';
import { MAX_PASSWORD } from '../../access/crypt.ts';
import { FIRST_ACCOUNT, type WebAccounts } from '../../access/web-accounts.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { InputMemory } from '../../base/memory-pool.ts';
import { type Route, readBody, refusal, sendAnswer, splitTarget } from '../route.ts';
import type { Logins } from '../rpcd/logins.ts';
import type { Session, Sessions } from '../rpcd/sessions.ts';
import { type ClientOf, fromOtherSite, isLocal, secureOver } from '../same-site.ts';
import type { Assets } from './assets.ts';
import {
  closedDocument,
  type Links,
  loginDocument,
  pageHeaders,
  type Reader,
  setupDocument,
  type Translate,
  viewDocument,
} from './document.ts';
import { buildMenu, findPage } from './menu.ts';

export interface PagesOptions {
  readonly assets: Assets;
  readonly accounts: WebAccounts;
  readonly logins: Logins;
  readonly sessions: Sessions;
  /** The address of the client, also behind a trusted proxy. */
  readonly clientOf: ClientOf;
  readonly input: InputMemory;
  readonly log: Logger;
}

const COOKIE = 'sms_gateway_session';
/** Seconds without a call after which a person must log in again; an open page calls. As in LuCI. */
const SESSION_TIMEOUT = 3600;
/** Octets of a form. */
const MAX_FORM = 4096;

const refusals = (_: Translate) => ({
  wrong: _('User name or password is wrong.'),
  locked_out: _('Too many wrong passwords. Wait some minutes, then try again.'),
  slowed: _('Too many wrong passwords come from elsewhere. Wait a minute, then try again.'),
  busy: _('Too many logins at the same time. Try again.'),
  unavailable: _('The login does not work at the moment: see the log.'),
});

/** The pages: where LuCI is not, the same views in a frame of our own, behind a login. */
export class Pages implements Route {
  readonly #options: PagesOptions;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  matches(path: string): boolean {
    return (
      path === '/' ||
      /^\/admin(?:\/|$)/.test(path) ||
      path === '/setup' ||
      path === '/logout' ||
      this.#options.assets.has(path.slice(1))
    );
  }

  async handle(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { path, query } = splitTarget(request.url ?? '');
    const { assets } = this.#options;
    const { method } = request;
    if (method === 'POST') {
      if (fromOtherSite(request)) return sendAnswer(response, refusal(403, 'from another site\n'));
      const body = await readBody(request, MAX_FORM, { input: this.#options.input, signal });
      if (body === undefined) return sendAnswer(response, refusal(413));
      const form = new URLSearchParams(body.toString('utf8'));
      if (path === '/setup') return await this.#setUp(form, request, response, signal);
      if (path === '/logout') return this.#logOut(request, response);
      if (assets.has(path.slice(1))) return sendAnswer(response, refusal(405));
      return await this.#logIn(path, form, request, response, signal);
    }
    if (method !== 'GET' && method !== 'HEAD') return sendAnswer(response, refusal(405));
    if (assets.has(path.slice(1))) return await assets.send(path.slice(1), query, request, response);
    if (path === '/setup' || path === '/logout') return redirect(response, '/');
    const session = this.#sessionOf(request);
    if (session !== undefined) return this.#showView(path, session, request, response);
    await this.#showDoor(path, request, response);
  }

  #showView(path: string, session: Session, request: IncomingMessage, response: ServerResponse): void {
    const { assets } = this.#options;
    const { manifest } = assets;
    const menu = buildMenu(manifest.menu, session.rights);
    const wanted = path.replace(/^\/|\/$/g, '');
    const page = findPage(menu, wanted);
    if (page === undefined) {
      const reader = this.#readerOf(request);
      const { _ } = reader;
      const message = menu.length === 0 ? _('This account has no rights here.') : _('There is no such page.');
      sendPage(response, 404, closedDocument(this.#links(), reader, message));
      return;
    }
    if (page.path !== wanted) {
      redirect(response, `/${page.path}`);
      return;
    }
    const reader = this.#readerOf(request);
    const { language } = reader;
    const modules = Object.keys(manifest.files).filter((file) => file.startsWith(RESOURCES) && file.endsWith('.js'));
    const view = `${RESOURCES}view/${page.view}.js`;
    const catalogue = `pages/i18n/${language}.json`;
    const env = {
      sessionid: session.id,
      username: session.username,
      language,
      requestpath: page.path.split('/'),
      view: page.view ?? '',
      readonly: page.readonly,
      menu: menu.map((node) => ({ ...node })),
      modules: Object.fromEntries(
        modules.map((file) => [file.slice(RESOURCES.length, -3).replaceAll('/', '.'), assets.url(file)]),
      ),
      ...(assets.has(catalogue) && { catalogue: assets.url(catalogue) }),
    };
    const views = assets.withRequired(view).map((path) => assets.url(path));
    const script = assets.url('pages/client.js');
    sendPage(response, 200, viewDocument({ ...this.#links(), script, views }, reader, JSON.parse(JSON.stringify(env))));
  }

  /** The login, or at the first start the choice of a password. */
  async #showDoor(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { accounts, log } = this.#options;
    const any = await accounts.any().catch((error) => {
      log.error(`the logins cannot be read: ${describeError(error)}`);
      return true;
    });
    const links = this.#links();
    const reader = this.#readerOf(request);
    if (any) return sendPage(response, 200, loginDocument(links, reader, { action: path, username: FIRST_ACCOUNT }));
    if (isLocal(request)) return sendPage(response, 200, setupDocument(links, reader, FIRST_ACCOUNT));
    sendPage(response, 403, closedDocument(links, reader, notSetUp(reader)));
  }

  async #logIn(
    path: string,
    form: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const { logins, clientOf } = this.#options;
    const username = form.get('luci_username') ?? '';
    const password = form.get('luci_password') ?? '';
    const address = clientOf(request);
    const outcome = await logins.logIn({ username, password, timeout: SESSION_TIMEOUT, address, signal });
    if ('session' in outcome) return this.#enter(outcome.session, path, request, response);
    const reader = this.#readerOf(request);
    const fault = refusals(reader._)[outcome.refused];
    sendPage(response, 403, loginDocument(this.#links(), reader, { action: path, username, fault }));
  }

  /** The first password. Only this machine may choose it: whoever comes first from elsewhere could be anybody. */
  async #setUp(
    form: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const { accounts, log } = this.#options;
    const links = this.#links();
    const reader = this.#readerOf(request);
    const { _ } = reader;
    if (!isLocal(request)) return sendPage(response, 403, closedDocument(links, reader, notSetUp(reader)));
    const password = form.get('password') ?? '';
    if (password !== form.get('again')) {
      return sendPage(response, 400, setupDocument(links, reader, FIRST_ACCOUNT, _('The two passwords differ.')));
    }
    try {
      if (await accounts.any()) return redirect(response, '/');
      await accounts.setPassword(FIRST_ACCOUNT, password);
    } catch (error) {
      const refused = error instanceof GatewayError && error.code === 'invalid_argument';
      if (!refused) log.error(`the password cannot be stored: ${describeError(error)}`);
      const fault = refused
        ? _('A password has at least 8 characters, and at most %d octets.').replace('%d', String(MAX_PASSWORD))
        : _('The password could not be stored: see the log.');
      return sendPage(response, 400, setupDocument(links, reader, FIRST_ACCOUNT, fault));
    }
    log.info(`${FIRST_ACCOUNT} has a password now`);
    const login = new URLSearchParams({ luci_username: FIRST_ACCOUNT, luci_password: password });
    await this.#logIn('/', login, request, response, signal);
  }

  #logOut(request: IncomingMessage, response: ServerResponse): void {
    const session = this.#sessionOf(request);
    if (session !== undefined) this.#options.sessions.destroy(session.id);
    response.setHeader('Set-Cookie', `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0${secureOver(request)}`);
    redirect(response, '/');
  }

  /** A session always has an id of its own making; one that came with the request ends. */
  #enter(session: Session, path: string, request: IncomingMessage, response: ServerResponse): void {
    const old = this.#sessionOf(request);
    if (old !== undefined) this.#options.sessions.destroy(old.id);
    response.setHeader(
      'Set-Cookie',
      `${COOKIE}=${session.id}; Path=/; HttpOnly; SameSite=Strict${secureOver(request)}`,
    );
    redirect(response, path);
  }

  #sessionOf(request: IncomingMessage): Session | undefined {
    const id = cookieSession(request);
    return id === undefined ? undefined : this.#options.sessions.find(id);
  }

  #readerOf(request: IncomingMessage): Reader {
    const { languages, documents } = this.#options.assets.manifest;
    const language = languageOf(request, languages);
    const texts = documents[language] ?? {};
    return { language, _: (text) => texts[text] ?? text };
  }

  #links(): Links {
    const { assets } = this.#options;
    return { style: assets.url('pages/client.css'), icon: assets.url('pages/icon.svg') };
  }
}

const RESOURCES = 'luci-static/resources/';

const notSetUp = ({ _ }: Reader): string =>
  _('Nobody can log in yet. Open this page on the machine that runs the gateway, or run there: smsgw passwd');

/** The session id in the cookie; undefined without one. */
export function cookieSession({ headers }: IncomingMessage): string | undefined {
  const id = new RegExp(`(?:^|;\\s*)${COOKIE}=([0-9a-f]{32})(?:;|$)`).exec(headers.cookie ?? '')?.[1];
  return id;
}

/** Only to a path of this server: `//host` would lead away from it. */
function redirect(response: ServerResponse, path: string): void {
  for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
  response.statusCode = 303;
  response.setHeader('Location', path.replace(/^\/+/, '/').replace(/[^\w/.~-]/g, encodeURIComponent));
  response.end();
}

function sendPage(response: ServerResponse, status: number, html: string): void {
  for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/html;charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(html));
  response.end(html);
}

/** The first language of the browser that there is a catalogue for; without one the language of the sources. */
function languageOf({ headers }: IncomingMessage, languages: readonly string[]): string {
  const wanted = (headers['accept-language'] ?? '')
    .split(',')
    .slice(0, 16)
    .map((item) => item.split(';')[0]?.trim().toLowerCase() ?? '');
  for (const tag of wanted) {
    const main = tag.split('-')[0] ?? '';
    const found = languages.find((language) => language === tag || language === main);
    if (found !== undefined) return found;
    if (main === 'en') return 'en';
  }
  return 'en';
}
