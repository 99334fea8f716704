import { JSONRPCServer } from 'json-rpc-2.0';
import { GatewayError, toGatewayError } from '../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import type { Subscriptions } from './events.ts';
import type { Caller } from './method.ts';
import type { Namespace } from './namespace.ts';

/** One connection's side of the conversation. */
export interface RpcSession {
  readonly caller: Caller;
  readonly subscriptions: Subscriptions;
}

/** The objects that a connection reaches: the namespace, or what its rights leave of it. */
export type Callable = Pick<Namespace, 'list' | 'call'>;

/** Members of a batch that run at the same time. */
const BATCH_CONCURRENCY = 8;
/** Characters of an answer. */
const MAX_ANSWER = 1024 * 1024;

/**
 * JSON-RPC 2.0 over the namespace: `list [pattern]`, `call [object, method, args]`, `subscribe [pattern]`,
 * `unsubscribe [pattern]`. The library only ever sees requests that have been checked: by itself it answers a batch of
 * one with an object, rejects on `[null]`, and shows the text of any error.
 */
export class JsonRpc {
  readonly #server = new JSONRPCServer<RpcSession>({ errorListener: () => {} });

  constructor(namespace: Callable) {
    const methods: Readonly<Record<string, (params: Json, session: RpcSession) => unknown>> = {
      list: (params) => namespace.list(optionalString(positional('list', params, 0, 1)[0])),
      call: (params, { caller }) => {
        const [object, method, args = {}] = positional('call', params, 2, 3);
        if (typeof object !== 'string' || typeof method !== 'string' || !isJsonObject(args)) {
          throw new GatewayError('invalid_argument', 'call: wanted [object, method, table of arguments]');
        }
        return namespace.call(object, method, args, caller);
      },
      subscribe: (params, { subscriptions }) => {
        subscriptions.add(optionalString(positional('subscribe', params, 1, 1)[0]) ?? '');
        return { patterns: subscriptions.patterns };
      },
      unsubscribe: (params, { subscriptions }) => {
        subscriptions.remove(optionalString(positional('unsubscribe', params, 0, 1)[0]));
        return { patterns: subscriptions.patterns };
      },
    };
    for (const [name, method] of Object.entries(methods)) this.#server.addMethod(name, method);
    this.#server.mapErrorToJSONRPCErrorResponse = (id, error) => errorAnswer(id, toGatewayError(error));
    this.#server.handleMethodNotFound = async ({ id }) => {
      const known = Object.keys(methods).join(', ');
      const error = new GatewayError('method_not_found', `no such method; there are: ${known}, and objects by call`);
      return id === undefined ? null : errorAnswer(id, error);
    };
  }

  /** Answers one JSON text; undefined when there is nothing to answer. Never rejects. */
  async answer(text: string, session: RpcSession): Promise<string | undefined> {
    const envelope = parseEnvelope(text);
    const room = { left: MAX_ANSWER };
    if (!isBatch(envelope)) return this.#one(envelope, session, room);
    const answers: (string | undefined)[] = [];
    const members = envelope.entries();
    const work = async () => {
      for (const [i, member] of members) answers[i] = await this.#one(member, session, room);
    };
    await Promise.all(Array.from({ length: BATCH_CONCURRENCY }, work));
    const given = answers.filter((answer) => answer !== undefined);
    return given.length === 0 ? undefined : `[${given.join(',')}]`;
  }

  async #one(member: Member, session: RpcSession, room: { left: number }): Promise<string | undefined> {
    if (isRefusal(member)) return JSON.stringify(errorAnswer(member.id, member.error));
    const answer = await this.#server.receive(member, session);
    if (answer === null) return undefined;
    const text = JSON.stringify(answer);
    if (text.length > room.left) {
      session.caller.room?.fill();
      return JSON.stringify(errorAnswer(answer.id, tooLarge));
    }
    room.left -= text.length;
    session.caller.room?.keep(text.length);
    return text;
  }
}

const tooLarge = new GatewayError('too_large', `the answer would be too large: at most ${MAX_ANSWER} characters`);

/** The text of an error answer outside any request. */
export const errorText = (error: GatewayError): string => JSON.stringify(errorAnswer(null, error));

function errorAnswer(id: RequestId, { code, message, mapping, retryAfter = 0 }: GatewayError) {
  const data = { code, ubus: mapping.ubus, ...(retryAfter > 0 && { retry_after: retryAfter / 1000 }) };
  return { jsonrpc: '2.0' as const, id, error: { code: mapping.rpc, message, data } };
}

/** The text of an event notification. */
export function eventText(name: string, payload: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', method: 'event', params: [name, payload] });
}

const isBatch = (envelope: Member | readonly Member[]): envelope is readonly Member[] => Array.isArray(envelope);

function positional(method: string, params: Json | undefined, min: number, max: number): readonly Json[] {
  const list = params ?? [];
  if (Array.isArray(list) && list.length >= min && list.length <= max) return list;
  const wanted = min === max ? `${min}` : `${min} to ${max}`;
  throw new GatewayError('invalid_argument', `${method}: wanted an array of ${wanted} parameters`);
}

function optionalString(value: Json | undefined): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new GatewayError('invalid_argument', 'pattern: wanted a string');
}

export type RequestId = string | number | null;

/** A JSON-RPC 2.0 request object that has been checked. Without an id it is a notification: no answer. */
export interface RpcRequest {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Json;
  readonly id?: RequestId;
}

/** What came instead of a request, and the id that its error answer carries. */
export interface Refusal {
  readonly id: RequestId;
  readonly error: GatewayError;
}

export type Member = RpcRequest | Refusal;
export type Envelope = Member | readonly Member[];

export const isRefusal = (member: Member): member is Refusal => 'error' in member;

const MAX_BATCH = 50;

/** Takes a JSON text apart. Never throws: whatever is no request becomes a refusal. */
function parseEnvelope(text: string): Envelope {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(null, 'parse_error', 'this is no JSON text');
  }
  if (!Array.isArray(value)) return parseMember(value);
  if (value.length === 0) return refuse(null, 'invalid_request', 'got an empty batch');
  if (value.length > MAX_BATCH) {
    return refuse(null, 'too_large', `got a batch of ${value.length} requests, at most ${MAX_BATCH} are taken`);
  }
  return value.map(parseMember);
}

function parseMember(value: Json): Member {
  if (!isJsonObject(value)) return refuse(null, 'invalid_request', 'a request is an object');
  const { jsonrpc, method, params, id } = value;
  if (id !== undefined && !isRequestId(id)) {
    return refuse(null, 'invalid_request', 'id: wanted a string, a number or null');
  }
  const answerId = id ?? null;
  if (jsonrpc !== '2.0') return refuse(answerId, 'invalid_request', 'jsonrpc: wanted "2.0"');
  if (typeof method !== 'string') return refuse(answerId, 'invalid_request', 'method: wanted a string');
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return refuse(answerId, 'invalid_request', 'params: wanted an array or an object');
  }
  return { jsonrpc, method, ...(params === undefined ? {} : { params }), ...(id === undefined ? {} : { id }) };
}

/** JSON.parse makes Infinity of 1e999, which could not be sent back. */
function isRequestId(id: Json): id is RequestId {
  return typeof id === 'string' || id === null || Number.isFinite(id);
}

function refuse(id: RequestId, code: 'parse_error' | 'invalid_request' | 'too_large', message: string): Refusal {
  return { id, error: new GatewayError(code, message) };
}
