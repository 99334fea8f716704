import type { HttpUrl } from '../../base/http-url.ts';
import type { WebhookConfig } from '../../config/config.ts';
import { type EventFields, isEventField } from '../kit/event.ts';
import {
  type Field,
  formEncoded,
  type Header,
  type HttpRequest,
  percentEncoded,
  queryWith,
  secretHeaders,
  signature,
} from '../kit/http-request.ts';

/** The request for an event. `now` in ms since the epoch, for the signature. */
export function requestOf(
  fields: EventFields,
  { url, credentials }: HttpUrl,
  config: WebhookConfig,
  now: number,
): HttpRequest {
  const { hmac_secret } = config;
  const common: readonly Header[] = [['X-Event-Id', `${fields.event_id}`]];
  const secret = secretHeaders(credentials, config.header);
  if (config.method === 'get') {
    const query = queryWith(url, formFields(fields));
    return { method: 'GET', url, query, headers: [...common, ...signature(query, hmac_secret, now)], secret };
  }
  const { type, body } = bodyOf(fields, config);
  const headers: readonly Header[] = [['Content-Type', type], ...common, ...signature(body, hmac_secret, now)];
  return { method: methods[config.method], url, headers, secret, body };
}

const methods = { post: 'POST', put: 'PUT', patch: 'PATCH' } as const;

const formFields = (fields: EventFields): readonly Field[] =>
  Object.entries(fields).map(([name, value]) => [name, `${value}`] as const);

function bodyOf(fields: EventFields, { format, body = '', content_type }: WebhookConfig) {
  switch (format) {
    case 'json':
      return { type: 'application/json', body: JSON.stringify(fields) };
    case 'form':
      return { type: 'application/x-www-form-urlencoded', body: formEncoded(formFields(fields)) };
    case 'template':
      return { type: content_type, body: fillTemplate(body, fields, content_type) };
    default:
      return format satisfies never;
  }
}

/** Fills `{{field}}` in; one that the event does not have is empty, a name that no event has stays as it is. */
export function fillTemplate(template: string, fields: EventFields, contentType: string): string {
  const written = escapeFor(contentType);
  return template.replace(/\{\{ ?([a-z_]{1,20}) ?\}\}/g, (whole, name: string) => {
    if (name === 'json') return JSON.stringify(fields);
    if (!isEventField(name)) return whole;
    return fields[name] === undefined ? '' : written(`${fields[name]}`);
  });
}

/** A text of a stranger must not end the string, the element or the field that it stands in. */
function escapeFor(contentType: string): (text: string) => string {
  if (/[/+]json\b/i.test(contentType)) return (text) => JSON.stringify(text).slice(1, -1);
  if (/x-www-form-urlencoded/i.test(contentType)) return percentEncoded;
  if (/(?:[/+]xml|text\/html)\b/i.test(contentType))
    return (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  return (text) => text;
}
