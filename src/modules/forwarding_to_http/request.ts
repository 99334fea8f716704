import { configuredUrl, type HttpUrl } from '../../base/http-url.ts';
import type { ForwardingToHttpConfig } from '../../config/config.ts';
import {
  type Field,
  formEncoded,
  type Header,
  type HttpRequest,
  queryWith,
  secretHeaders,
  signature,
} from '../kit/http-request.ts';

/** Its scheme is HTTPS where the option says so, else the URL's own, else HTTP. */
export const targetOf = ({ url, use_https_protocol }: ForwardingToHttpConfig): HttpUrl =>
  configuredUrl(url, use_https_protocol);

/** `now` in ms since the epoch, for the signature. */
export function requestOf(
  fields: readonly Field[],
  { url, credentials }: HttpUrl,
  config: ForwardingToHttpConfig,
  now: number,
): HttpRequest {
  const secret = secretHeaders(credentials, config.header);
  if (config.method === 'get') {
    const query = queryWith(url, fields);
    return { method: 'GET', url, query, headers: signature(query, config.hmac_secret, now), secret };
  }
  const json = config.format === 'json';
  const body = json ? JSON.stringify(Object.fromEntries(fields)) : formEncoded(fields);
  const type: Header = ['Content-Type', json ? 'application/json' : 'application/x-www-form-urlencoded'];
  return { method: 'POST', url, headers: [type, ...signature(body, config.hmac_secret, now)], secret, body };
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
