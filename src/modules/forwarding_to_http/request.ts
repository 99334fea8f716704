import { createHmac } from 'node:crypto';
import { type HttpUrl, parseHttpUrl } from '../../base/http-url.ts';
import { version } from '../../base/version.ts';
import type { ForwardingToHttpConfig } from '../../config/config.ts';

type Header = readonly [name: string, value: string];

/** One HTTP request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: readonly Header[];
  /** Headers for the configured server only, as they may be credentials. They replace others of the same name. */
  readonly secret: readonly Header[];
  readonly body?: string;
}

/** The configured URL. Its scheme is HTTPS where the option says so, else the URL's own, else HTTP. */
export function targetOf({ url, use_https_protocol }: ForwardingToHttpConfig): HttpUrl {
  const target = parseHttpUrl(url, use_https_protocol);
  if (target === undefined) throw new Error('the config holds a URL that its schema refuses');
  return target;
}

/** `now` in ms since the epoch, for the signature. */
export function requestOf(fields: readonly Field[], config: ForwardingToHttpConfig, now: number): HttpRequest {
  const { url, credentials } = targetOf(config);
  const secret = [
    ...(credentials === undefined ? [] : [basicAuthentication(credentials)]),
    ...config.header.map(headerOf),
  ];
  if (config.method === 'get') {
    const own = url.search.replace(/^\?/, '').replace(/&$/, '');
    url.search = [own, formEncoded(fields)].filter((part) => part !== '').join('&');
    return { method: 'GET', url, headers: signature(url.search.slice(1), config, now), secret };
  }
  const json = config.format === 'json';
  const body = json ? JSON.stringify(Object.fromEntries(fields)) : formEncoded(fields);
  const type: Header = ['Content-Type', json ? 'application/json' : 'application/x-www-form-urlencoded'];
  return { method: 'POST', url, headers: [type, ...signature(body, config, now)], secret, body };
}

/** RFC 7617. */
export function basicAuthentication(credentials: Buffer): Header {
  return ['Authorization', `Basic ${credentials.toString('base64')}`];
}

/** The request in octets (RFC 9112 3). */
export function octetsOf({ method, url, headers, secret, body }: HttpRequest): Buffer {
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
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    ...[...all.values()].flat().map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
    ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

function headerOf(text: string): Header {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1).trim()];
}

/** Proves sender and time to the receiver: HMAC-SHA256 over the time, a dot and the query or body. */
function signature(sent: string, { hmac_secret }: ForwardingToHttpConfig, now: number): readonly Header[] {
  if (hmac_secret === undefined) return [];
  const seconds = Math.floor(now / 1000);
  const digest = createHmac('sha256', hmac_secret).update(`${seconds}.${sent}`).digest('hex');
  return [['X-Signature', `t=${seconds},v1=${digest}`]];
}

/** The facts about a message that a request can carry. */
export interface Forwarded {
  readonly number: string;
  readonly text: string;
  /** When it was sent, or the report's event, and when the gateway got it; ms since the epoch. */
  readonly time: number;
  readonly received: number;
  readonly modem: string;
  readonly id: number;
}

export type Field = readonly [name: string, value: string];

/** The fields of a request in order, without those whose name is not configured. */
export function fieldsOf(forwarded: Forwarded, config: ForwardingToHttpConfig): readonly Field[] {
  const text = config.message_encode_b64 ? Buffer.from(forwarded.text).toString('base64') : forwarded.text;
  const candidates: readonly (readonly [string | undefined, string])[] = [
    [config.number_name, forwarded.number],
    [config.message_name, text],
    [config.extra_name1, config.extra_value1 ?? ''],
    [config.extra_name2, config.extra_value2 ?? ''],
    [config.time_name, new Date(forwarded.time).toISOString()],
    [config.modem_name, forwarded.modem],
    [config.id_name, `${forwarded.id}`],
  ];
  return candidates.flatMap(([name, value]) => (name === undefined ? [] : [[name, value] as const]));
}

/** Escapes all but RFC 3986's unreserved characters, as the original does with curl_easy_escape. */
function escaped(text: string): string {
  // A lone surrogate would make encodeURIComponent throw; through UTF-8 it is U+FFFD.
  const wellFormed = Buffer.from(text).toString();
  return encodeURIComponent(wellFormed).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function formEncoded(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join('&');
}
