import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { budgets } from '../../access/budgets.ts';
import { describeError, GatewayError, toGatewayError } from '../../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { AnswerRoom, InputMemory } from '../../base/memory-pool.ts';
import type { Config } from '../../config/config.ts';
import { type Argument, checkArguments, clip, type Signature } from '../../rpc/method.ts';
import type { Namespace } from '../../rpc/namespace.ts';
import { type Counted, readBody, roomOf, splitTarget } from '../route.ts';
import { alertMessage } from './alerts.ts';
import { type AliasServices, aliasAt } from './aliases.ts';
import { type ApiAnswer, problem, respond } from './answer.ts';
import { type ApiClient, ApiClients, type ClientsOptions } from './clients.ts';
import { DailyLimits, type Submissions } from './daily-limit.ts';
import { type ApiRoute, apiRoutes, matchPath } from './routes.ts';
import { callerOf, Sending } from './sending.ts';

const BASE = '/api/v1';

export interface ApiOptions extends AliasServices {
  readonly namespace: Pick<Namespace, 'call'>;
  readonly log: Logger;
  readonly input: InputMemory;
}

interface Found {
  readonly route: ApiRoute;
  /** Arguments of the path, as they stand there. */
  readonly inPath: Readonly<Record<string, string>>;
}

/** The REST interface, `/api/v1`, and the paths of other gateways that stand for it. */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  async handle(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { path, query } = splitTarget(request.url ?? '');
    const room = roomOf(response);
    try {
      const answer =
        (await this.#alias(path, request, signal)) ?? (await this.#answer(path, query, request, signal, room));
      respond(response, answer);
      room.keep(response.writableLength);
    } catch (error) {
      respond(response, problem(this.#known(error, path, signal)));
    }
  }

  #counted(signal: AbortSignal): Counted {
    return { input: this.#options.input, signal };
  }

  #known(error: unknown, path: string, signal: AbortSignal): GatewayError {
    if (!(error instanceof GatewayError) && !signal.aborted) {
      this.#options.log.error(`${path} failed: ${describeError(error)}`);
    }
    return toGatewayError(error);
  }

  async #alias(path: string, request: IncomingMessage, signal: AbortSignal): Promise<ApiAnswer | undefined> {
    const alias = aliasAt(path);
    if (alias === undefined) return undefined;
    if (request.method !== 'POST') return notAllowed(['POST']);
    let body: Json = null;
    try {
      body = await readJson(request, budgets.http.apiBody.limit, this.#counted(signal));
      return await alias.answer({ request, body, signal }, this.#options);
    } catch (error) {
      return alias.refuse(this.#known(error, path, signal), body);
    }
  }

  async #answer(
    path: string,
    query: string,
    request: IncomingMessage,
    signal: AbortSignal,
    room: AnswerRoom,
  ): Promise<ApiAnswer> {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const below = path.slice(BASE.length);
    // What there is, is no secret.
    if (below === '/openapi.json' && method === 'GET') {
      const { openApiDocument } = await import('./openapi.ts');
      return { status: 200, body: openApiDocument() };
    }
    const found = path.startsWith(`${BASE}/`) ? fitting(below) : [];
    if (found.length === 0)
      throw new GatewayError('object_not_found', `nothing at ${clip(path)}; see ${BASE}/openapi.json`);
    const chosen = found.find(({ route }) => route.method === method);
    if (chosen === undefined) return notAllowed(found.map(({ route }) => route.method));
    const client = await this.#options.clients.fromRequest(request, signal);
    const args = await this.#arguments(chosen, client, query, request, signal);
    return this.#call(chosen.route, client, args, signal, room);
  }

  /** Throws access_denied before anything is read. */
  async #arguments(
    { route, inPath }: Found,
    client: ApiClient,
    query: string,
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const { scope, own, signature } = route;
    const mayOwn = own === true && client.may('send');
    if (!client.may(scope) && !mayOwn) {
      throw new GatewayError('access_denied', `${client.who} lacks the scope ${scope}`);
    }
    const where = `${route.method} ${BASE}${route.path}`;
    const given = {
      ...(await argumentsOf(route, query, request, this.#counted(signal))),
      ...typed(Object.entries(inPath).map(decoded), signature),
    };
    if (route.alerts === true) {
      checkArguments(where, signature, given);
      return alertMessage(given, await readJson(request, budgets.http.alertBody.limit, this.#counted(signal)));
    }
    const args = route.call === 'send' ? withKey(given, request) : given;
    checkArguments(where, signature, args);
    if (!client.may(scope)) await this.#checkOwn(client, args, signal);
    return args;
  }

  /** A message of others is not there for who may only send. */
  async #checkOwn(client: ApiClient, { id }: JsonObject, signal: AbortSignal): Promise<void> {
    const { namespace } = this.#options;
    const { source } = await namespace.call('sms_gateway.message', 'status', { id }, callerOf(client, signal));
    if (source !== client.source) throw new GatewayError('message_not_found', `no message ${id}`);
  }

  async #call(
    route: ApiRoute,
    client: ApiClient,
    args: JsonObject,
    signal: AbortSignal,
    room: AnswerRoom,
  ): Promise<ApiAnswer> {
    const { namespace, sending } = this.#options;
    if (route.call === 'retry') return { status: 200, body: await sending.retry(client, args, signal) };
    if (route.call !== 'send') {
      return {
        status: 200,
        body: await namespace.call(route.object, route.call, args, { ...callerOf(client, signal), room }),
      };
    }
    const body = await sending.send(client, args, signal);
    if (body['duplicate'] === true) return { status: 200, body };
    return { status: 201, body, headers: { Location: `${BASE}/messages/${body['id']}` } };
  }
}

function fitting(path: string): readonly Found[] {
  const found = apiRoutes.flatMap((route) => {
    const inPath = matchPath(route.path, path);
    return inPath === undefined ? [] : [{ route, inPath }];
  });
  // A path as it stands counts before one with an argument in that place.
  const exact = found.filter(({ route }) => route.path === path);
  return exact.length > 0 ? exact : found;
}

function notAllowed(methods: readonly string[]): ApiAnswer {
  const error = new GatewayError('method_not_found', `wanted the method ${methods.join(' or ')}`);
  return problem(error, 405, { Allow: methods.join(', ') });
}

async function argumentsOf(
  route: ApiRoute,
  query: string,
  request: IncomingMessage,
  counted: Counted,
): Promise<JsonObject> {
  if (route.method !== 'POST' || route.alerts === true) return typed(queryPairs(query), route.signature);
  const body = await readJson(request, budgets.http.apiBody.limit, counted);
  if (isJsonObject(body)) return body;
  throw new GatewayError('invalid_argument', 'wanted a JSON object as the body');
}

/** The body as JSON, whatever its type says; an empty one is an empty object. Throws too_large, parse_error. */
async function readJson(request: IncomingMessage, limit: number, counted: Counted): Promise<Json> {
  const octets = await readBody(request, limit, counted);
  if (octets === undefined) throw new GatewayError('too_large', `a body has at most ${limit} octets`);
  if (!isUtf8(octets)) throw new GatewayError('parse_error', 'the body is not UTF-8');
  const text = octets.toString('utf8').replace(/^\ufeff/, '');
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new GatewayError('parse_error', 'the body is not JSON');
  }
}

type Pair = readonly [name: string, value: string];

function decoded([name, value]: Pair): Pair {
  try {
    return [name, decodeURIComponent(value)];
  } catch {
    throw new GatewayError('invalid_argument', `${name}: not percent-encoded UTF-8`);
  }
}

const queryPairs = (query: string): readonly Pair[] =>
  [...new URLSearchParams(query)].map(([name, value]) => [name, name === 'number' ? withPlus(value) : value]);

/**
 * A `+` in front of a number that was not escaped has become a blank. Behind a comma it was one only if the first number
 * begins with one: `112, 555…` is a list of national numbers.
 */
const withPlus = (numbers: string): string =>
  /^[ +]/.test(numbers) ? numbers.replace(/(^|,) (?=[0-9])/g, '$1+') : numbers;

/** The values as the types of the arguments want them; what does not fit stays a text, and is refused with the others. */
function typed(pairs: readonly Pair[], { args }: Signature): JsonObject {
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, Object.hasOwn(args, name) ? valueFor(args[name], value) : value]),
  );
}

function valueFor(argument: Argument | undefined, text: string): Json {
  switch (argument?.type) {
    case 'integer':
      return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
    default:
      return text;
  }
}

/** The field Idempotency-Key (a draft of the IETF) as the `client_ref`. */
function withKey(args: JsonObject, { headers }: IncomingMessage): JsonObject {
  const field = headers['idempotency-key'];
  if (typeof field !== 'string' || field === '') return args;
  const key = /^"(.*)"$/.exec(field)?.[1] ?? field;
  if (args['client_ref'] === undefined) return { ...args, client_ref: key };
  if (args['client_ref'] === key) return args;
  throw new GatewayError('invalid_argument', 'Idempotency-Key and client_ref differ: wanted one of them');
}

export interface OpenApiOptions extends ClientsOptions {
  readonly config: () => Pick<Config, 'tokens' | 'post_get' | 'groups' | 'modems'>;
  readonly namespace: Pick<Namespace, 'call'>;
  readonly submissions: Submissions;
}

/** Puts the parts of the REST interface together. */
export function openApi(options: OpenApiOptions): Api {
  const { config, namespace, submissions, access, instantOf, log } = options;
  const clients = new ApiClients(options);
  access.addDoor('api', () => clients.usage());
  const groupSize = (name: string) => {
    const group = config().groups.find((candidate) => candidate.name === name);
    return group === undefined ? undefined : new Set(group.tel).size;
  };
  const sending = new Sending({ namespace, limits: new DailyLimits(submissions), groupSize });
  const hasModem = (name: string) => config().modems.some(({ section }) => section === name);
  return new Api({ namespace, clients, sending, instantOf, hasModem, input: access.memory.input, log });
}
