import type { ServerResponse } from 'node:http';
import { type ErrorCode, errorTable, type GatewayError } from '../../base/errors.ts';
import type { Json } from '../../base/json.ts';
import { sendAnswer } from '../route.ts';

/** What a handler of the interface answers. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: Json;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function respond(response: ServerResponse, { status, body, type, headers = {} }: ApiAnswer): void {
  for (const [name, value] of Object.entries(headers)) if (!response.headersSent) response.setHeader(name, value);
  const contentType = type ?? 'application/json';
  sendAnswer(response, { status, contentType, body: `${JSON.stringify(body)}\n` });
}

/** Where the document of the interface lists the codes. */
const ERRORS = '/api/v1/openapi.json#/x-errors';

/** Seconds after which a request that met an obstacle may be tried again, where nobody knows better. */
const RETRY_S = 30;

/** The URI that names a kind of problem. */
export const problemType = (code: ErrorCode): string => `${ERRORS}/${code}`;

const titleOf = (code: ErrorCode): string => `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}`;

/** An error as problem+json (RFC 9457). `status`: another than that of the code. */
export function problem(error: GatewayError, status: number = error.mapping.http, headers = {}): ApiAnswer {
  const { code, message: detail } = error;
  return {
    status,
    type: 'application/problem+json',
    body: { type: problemType(code), title: titleOf(code), status, detail, code },
    headers: { ...fieldsFor(error, status), ...headers },
  };
}

/** Header fields that go with a refusal. */
export function fieldsFor({ code, retryAfter }: GatewayError, status: number): Readonly<Record<string, string>> {
  if (status === 401)
    return { 'WWW-Authenticate': 'Bearer realm="sms_gateway", Basic realm="sms_gateway", charset="UTF-8"' };
  const passes = errorTable[code].retry && (status === 429 || status === 503) && retryAfter !== 0;
  const seconds = retryAfter === undefined ? RETRY_S : Math.ceil(retryAfter / 1000);
  return passes ? { 'Retry-After': String(seconds) } : {};
}
