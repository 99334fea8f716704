import type { ForwardingToHttpConfig } from '../../config/config.ts';

/** What a request says of a message. */
export interface Forwarded {
  readonly number: string;
  readonly text: string;
  /** When it was sent, or happened, and when the gateway knew, both in ms since the epoch. */
  readonly time: number;
  readonly received: number;
  readonly modem: string;
  readonly id: number;
}

export type Field = readonly [name: string, value: string];

/** The fields of a request in their order; one whose name is not set is left out. */
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

/** As curl_easy_escape does, which the original uses: all but RFC 3986's unreserved characters. */
function escaped(text: string): string {
  // A lone surrogate would make encodeURIComponent throw; through UTF-8 it is U+FFFD.
  const wellFormed = Buffer.from(text).toString();
  return encodeURIComponent(wellFormed).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function formEncoded(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join('&');
}
