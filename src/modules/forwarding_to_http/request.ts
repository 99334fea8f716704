import { createHmac } from 'node:crypto';
import { type HttpUrl, parseHttpUrl } from '../../base/http-url.ts';
import { version } from '../../base/version.ts';
import type { ForwardingToHttpConfig } from '../../config/config.ts';
import { type Field, formEncoded } from './fields.ts';

type Header = readonly [name: string, value: string];

/** One HTTP request, ready to go. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: readonly Header[];
  /** Headers for the configured server only: they may prove who we are. They replace others of the same name. */
  readonly secret: readonly Header[];
  readonly body?: string;
}

/** The configured URL. The option for HTTPS decides the scheme; without it the URL's own does, and HTTP where it has none. */
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

/** The request as it goes over the wire (RFC 9112 3). */
export function octetsOf({ method, url, headers, secret, body }: HttpRequest): Buffer {
  const all = new Map<string, Header[]>();
  const ours: readonly Header[] = [
    ['Host', url.host],
    ['User-Agent', `sms-gateway/${version}`],
    ['Accept', '*/*'],
    ...headers,
  ];
  for (const header of ours) all.set(header[0].toLowerCase(), [header]);
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

/** Proves to the receiver who sent it and when: HMAC-SHA256 over the time, a dot and what was sent. */
function signature(sent: string, { hmac_secret }: ForwardingToHttpConfig, now: number): readonly Header[] {
  if (hmac_secret === undefined) return [];
  const seconds = Math.floor(now / 1000);
  const digest = createHmac('sha256', hmac_secret).update(`${seconds}.${sent}`).digest('hex');
  return [['X-Signature', `t=${seconds},v1=${digest}`]];
}
