import type { Memory } from '../../access/memory.ts';
import { toGatewayError } from '../../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { AnswerRoom } from '../../base/memory-pool.ts';
import type { ArgumentType } from '../../rpc/method.ts';
import type { Namespace } from '../../rpc/namespace.ts';
import type { Route } from '../route.ts';
import { readBody, refusal, roomOf, sendAnswer } from '../route.ts';
import { type ClientOf, fromOtherSite } from '../same-site.ts';
import { Rights } from './acl.ts';
import { NO_SESSION, type Session, type Sessions } from './sessions.ts';
import { type HostObject, type UbusAnswer, ubusStatus } from './status.ts';

/** As uhttpd has them. */
const rpcErrors = {
  parse: [-32700, 'Parse error'],
  request: [-32600, 'Invalid request'],
  method: [-32601, 'Method not found'],
  params: [-32602, 'Invalid parameters'],
  object: [-32000, 'Object not found'],
  access: [-32002, 'Access denied'],
} as const;

/** As in uhttpd. */
const MAX_BODY = 65_536;
const MAX_BATCH = 100;
/** Characters of all answers of one request. */
const MAX_ANSWER = 1024 * 1024;

/** Where calls come from. */
export interface CallerInfo {
  readonly address: string;
  readonly transport: 'http' | 'websocket';
  readonly signal: AbortSignal;
  readonly room?: AnswerRoom;
}

/** The objects that a logged-in person reaches: the gateway's namespace, and what rpcd has beside it. */
export class UbusDoor {
  readonly #sessions: Sessions;
  readonly namespace: Namespace;
  readonly #objects: Readonly<Record<string, HostObject>>;

  constructor(sessions: Sessions, namespace: Namespace, objects: Readonly<Record<string, HostObject>>) {
    this.#sessions = sessions;
    this.namespace = namespace;
    this.#objects = objects;
  }

  session(id: string): Session | undefined {
    return this.#sessions.find(id);
  }

  has(object: string): boolean {
    return Object.hasOwn(this.#objects, object) || Object.hasOwn(this.namespace.list(object), object);
  }

  list(pattern: string): JsonObject {
    const listing: Record<string, JsonObject> = {};
    for (const [name, methods] of Object.entries(this.namespace.list(pattern))) {
      listing[name] = mapValues(methods, (args) => mapValues(args, typeWord));
    }
    for (const [name, { methods }] of Object.entries(this.#objects)) {
      if (name === pattern) listing[name] = mapValues(methods, ({ args }) => mapValues(args, typeWord));
    }
    return listing;
  }

  /** Calls a method that the caller has the right to. Throws GatewayError for the gateway's own objects. */
  async call(
    object: string,
    method: string,
    args: JsonObject,
    session: Session | undefined,
    caller: CallerInfo,
  ): Promise<UbusAnswer> {
    const host = Object.hasOwn(this.#objects, object) ? this.#objects[object] : undefined;
    if (host === undefined) {
      const { transport, signal, address, room } = caller;
      const who = `${session?.username ?? 'nobody'} at ${address}`;
      return [
        ubusStatus.ok,
        await this.namespace.call(object, method, args, { transport, who, signal, ...(room && { room }) }),
      ];
    }
    const found = Object.hasOwn(host.methods, method) ? host.methods[method] : undefined;
    if (found === undefined) return [ubusStatus.methodNotFound];
    for (const [name, value] of Object.entries(args)) {
      const type = Object.hasOwn(found.args, name) ? found.args[name] : undefined;
      // What ubus does not know it leaves out, and null is nothing.
      if (type !== undefined && value !== null && !fits(type, value)) return [ubusStatus.invalidArgument];
    }
    const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
    return await found.call({ args: given, session, address: caller.address, signal: caller.signal });
  }
}

/** `POST /ubus`, in the words of uhttpd. The session id stands in the body, so no other page can call in its name. */
export function ubusRoute(door: UbusDoor, clientOf: ClientOf, { input }: Memory): Route {
  return {
    matches: (path) => path === '/ubus' || path === '/ubus/',
    async handle(request, response, signal) {
      if (request.method !== 'POST') return sendAnswer(response, refusal(405, 'POST only\n'));
      if (fromOtherSite(request)) return sendAnswer(response, refusal(403, 'from another site\n'));
      const body = await readBody(request, MAX_BODY, { input, signal });
      if (body === undefined) return sendAnswer(response, refusal(413));
      const address = clientOf(request);
      const room = roomOf(response);
      const caller: CallerInfo = { address, transport: 'http', signal, room };
      sendAnswer(response, {
        status: 200,
        contentType: 'application/json',
        body: await answerText(door, body.toString('utf8'), caller),
      });
    },
  };
}

/** Members of a batch are served one after the other, as they came. */
async function answerText(door: UbusDoor, text: string, caller: CallerInfo): Promise<string> {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return errorText(null, rpcErrors.parse);
  }
  if (!Array.isArray(value)) {
    const answer = await answerOne(door, value, caller);
    caller.room?.keep(answer.length);
    return answer;
  }
  if (value.length === 0 || value.length > MAX_BATCH) return errorText(null, rpcErrors.request);
  const answers: string[] = [];
  let room = MAX_ANSWER;
  for (const member of value) {
    if (caller.signal.aborted) break;
    const answer = room > 0 ? await answerOne(door, member, caller) : errorText(idOf(member), rpcErrors.request);
    room -= answer.length;
    caller.room?.keep(answer.length);
    answers.push(answer);
  }
  return `[${answers.join(',')}]`;
}

async function answerOne(door: UbusDoor, member: Json, caller: CallerInfo): Promise<string> {
  const id = idOf(member);
  if (!isJsonObject(member) || member['jsonrpc'] !== '2.0' || typeof member['method'] !== 'string') {
    return errorText(id, rpcErrors.request);
  }
  const { method, params } = member;
  if (method === 'list') return listText(door, id, params);
  if (method !== 'call') return errorText(id, rpcErrors.method);
  const [sid, object, name, args = {}] = Array.isArray(params) ? params : [];
  if (typeof sid !== 'string' || typeof object !== 'string' || typeof name !== 'string' || !isJsonObject(args)) {
    return errorText(id, rpcErrors.params);
  }
  if (!door.has(object)) return errorText(id, rpcErrors.object);
  const session = door.session(sid);
  // Who sends the id of a session that has ended may not even log in with it: so pages see that it has.
  const rights = session?.rights ?? (sid === NO_SESSION ? Rights.nobody : undefined);
  if (rights?.mayCall(object, name) !== true) return errorText(id, rpcErrors.access);
  try {
    return resultText(id, await door.call(object, name, args, session, caller));
  } catch (thrown) {
    const { code, message, mapping } = toGatewayError(thrown);
    return resultText(id, [mapping.ubus, { code, message }]);
  }
}

function listText(door: UbusDoor, id: Json, params: Json | undefined): string {
  const patterns = params === undefined ? [] : params;
  if (!Array.isArray(patterns) || patterns.some((pattern) => typeof pattern !== 'string')) {
    return errorText(id, rpcErrors.params);
  }
  if (patterns.length === 0) return resultText(id, Object.keys(door.list('*')));
  return resultText(id, Object.assign({}, ...patterns.map((pattern) => door.list(String(pattern)))));
}

const idOf = (member: Json): Json => {
  const id = isJsonObject(member) ? member['id'] : null;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
};

const resultText = (id: Json, result: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, result });

const errorText = (id: Json, [code, message]: readonly [number, string]): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });

/** The words of `ubus -v list` as uhttpd writes them. */
const typeWord = (type: ArgumentType): string => (type === 'integer' ? 'number' : type === 'table' ? 'object' : type);

function fits(type: ArgumentType, value: Json | undefined): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'table') return isJsonObject(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  // blobmsg knows no difference between a boolean and a small number.
  if (type === 'boolean') return typeof value === 'boolean' || value === 0 || value === 1;
  return typeof value === type;
}

function mapValues<V, W>(record: Readonly<Record<string, V>>, map: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
