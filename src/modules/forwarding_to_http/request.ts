import { createHmac } from 'node:crypto';
import type { ForwardingToHttpConfig } from '../../config/config.ts';
import { type Field, formEncoded } from './fields.ts';

/** One HTTP request, ready to go. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const scheme = /^https?:\/\//i;

/** The configured URL. The option for HTTPS decides the scheme; without it the URL's own does, and HTTP where it has none. */
export function targetOf({ url, use_https_protocol }: ForwardingToHttpConfig): URL {
  const own = scheme.exec(url)?.[0].toLowerCase();
  return new URL(`${use_https_protocol ? 'https://' : (own ?? 'http://')}${url.replace(scheme, '')}`);
}

/** `now` in ms since the epoch, for the signature. */
export function requestOf(fields: readonly Field[], config: ForwardingToHttpConfig, now: number): HttpRequest {
  const url = targetOf(config);
  if (config.method === 'get') {
    const own = url.search.replace(/^\?/, '').replace(/&$/, '');
    url.search = [own, formEncoded(fields)].filter((part) => part !== '').join('&');
    return { method: 'GET', url, headers: signature(url.search.slice(1), config, now) };
  }
  const json = config.format === 'json';
  const body = json ? JSON.stringify(Object.fromEntries(fields)) : formEncoded(fields);
  const type = json ? 'application/json' : 'application/x-www-form-urlencoded';
  return { method: 'POST', url, headers: { 'Content-Type': type, ...signature(body, config, now) }, body };
}

/** Proves to the receiver who sent it and when: HMAC-SHA256 over the time, a dot and what was sent. */
function signature(sent: string, { hmac_secret }: ForwardingToHttpConfig, now: number): Record<string, string> {
  if (hmac_secret === undefined) return {};
  const seconds = Math.floor(now / 1000);
  const digest = createHmac('sha256', hmac_secret).update(`${seconds}.${sent}`).digest('hex');
  return { 'X-Signature': `t=${seconds},v1=${digest}` };
}
