import { GatewayError } from '../base/errors.ts';
import { isJsonObject, type Json } from '../base/json.ts';

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
export function parseEnvelope(text: string): Envelope {
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
