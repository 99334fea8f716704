import { createHmac } from 'node:crypto';
import { version } from '../../base/version.ts';

export type Header = readonly [name: string, value: string];

/** One HTTP request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  /** Stands in the place of the URL's own, without the `?`. */
  readonly query?: string;
  readonly headers: readonly Header[];
  /** Headers for the configured server only, as they may be credentials. They replace others of the same name. */
  readonly secret: readonly Header[];
  readonly body?: string;
}

/** RFC 7617. */
export function basicAuthentication(credentials: Buffer): Header {
  return ['Authorization', `Basic ${credentials.toString('base64')}`];
}

/** The octets of requests that go out next, over a connection that stays open. */
const ahead = new WeakMap<HttpRequest, Buffer>();

/** Makes the octets of a request that goes out next: then they are only to be written. */
export function composeAhead(request: HttpRequest): HttpRequest {
  ahead.set(request, composed(request, true));
  return request;
}

/** The request in octets (RFC 9112 3). `keep`: the connection is to stay open behind the answer. */
export const octetsOf = (request: HttpRequest, keep: boolean): Buffer =>
  (keep ? ahead.get(request) : undefined) ?? composed(request, keep);

function composed(request: HttpRequest, keep: boolean): Buffer {
  const { method, url, headers, secret, body } = request;
  const all = new Map<string, Header[]>();
  const common: readonly Header[] = [
    ['Host', url.host],
    ['User-Agent', `sms-gateway/${version}`],
    ['Accept', '*/*'],
    ...headers,
  ];
  for (const header of common) all.set(header[0].toLowerCase(), [header]);
  for (const { 0: name } of secret) all.set(name.toLowerCase(), []);
  for (const header of secret) all.get(header[0].toLowerCase())?.push(header);
  const lines = [
    `${method} ${url.pathname}${searchOf(request)} HTTP/1.1`,
    ...[...all.values()].flat().map(([name, value]) => `${name}: ${value}`),
    `Connection: ${keep ? 'keep-alive' : 'close'}`,
    ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

function searchOf({ url, query }: HttpRequest): string {
  if (query === undefined) return url.search;
  return query === '' ? '' : `?${query}`;
}

/** The URL with all that is asked. */
export function wholeUrl(request: HttpRequest): URL {
  const url = new URL(request.url);
  url.search = searchOf(request);
  return url;
}

/** What only the configured server may see: the login of its URL, and the option `header`, `Name: value` each. */
export function secretHeaders(login: Buffer | undefined, headers: readonly string[]): readonly Header[] {
  const own = headers.map((text): Header => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon), text.slice(colon + 1).trim()];
  });
  return login === undefined ? own : [basicAuthentication(login), ...own];
}

export const SIGNATURE = 'X-Signature';

/**
 * Proves sender and time to the receiver: HMAC-SHA256 over the time, a dot and the query or body; nothing without a secret.
 * `now` in ms since the epoch.
 */
export function signature(sent: string, secret: string | undefined, now: number): readonly Header[] {
  if (secret === undefined) return [];
  const seconds = Math.floor(now / 1000);
  const digest = createHmac('sha256', secret).update(`${seconds}.${sent}`).digest('hex');
  return [[SIGNATURE, `t=${seconds},v1=${digest}`]];
}

export type Field = readonly [name: string, value: string];

/** Escapes all but RFC 3986's unreserved characters, as the original does with curl_easy_escape. */
export function percentEncoded(text: string): string {
  // A lone surrogate would make encodeURIComponent throw.
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The query of the URL, and the fields behind it. */
export function queryWith({ search }: URL, fields: readonly Field[]): string {
  const own = search.replace(/^\?/, '').replace(/&$/, '');
  return [own, formEncoded(fields)].filter((part) => part !== '').join('&');
}

export function formEncoded(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`).join('&');
}
