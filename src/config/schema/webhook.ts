import { eventRows } from './event-rows.ts';
import { checkHttpRows, hmacSecret, httpHeaders, successCodes } from './http-rows.ts';
import type { Report, SectionConfig, SectionSchema } from './option.ts';
import { caFile, retryHours, sslVerify, timeout } from './shared-rows.ts';

export const webhook = {
  name: 'webhook',
  label: 'Webhook',
  help: 'A web server that learns what happens. One section for each; give it a name, so that what waits for it finds it again. docs/hooks.md says what the server gets.',
  options: {
    enabled: { type: 'boolean', default: true, label: 'Enable', help: 'Turns the webhook on or off.' },
    url: {
      type: 'url',
      needed: true,
      label: 'URL',
      help: 'Address of the server with port, path and query, https:// in front for TLS. User and password in front, user:password@host, become Basic authentication.',
    },
    ...eventRows,
    method: {
      type: 'enum',
      values: ['post', 'put', 'patch', 'get'],
      default: 'post',
      label: 'Method',
      help: 'GET carries the fields in the URL, the others carry a body.',
    },
    format: {
      type: 'enum',
      values: ['json', 'form', 'template'],
      default: 'json',
      label: 'Body',
      help: 'A JSON object of all fields, a form of them, or the template below.',
    },
    body: {
      type: 'string',
      maxLength: 8000,
      label: 'Template',
      help: 'The body, with fields such as {{number}} or {{text}} written as the content type demands.',
    },
    content_type: {
      type: 'string',
      maxLength: 200,
      pattern: /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+(?:; ?[\x20-\x7e]+)?$/,
      form: 'a media type such as text/plain',
      default: 'application/json',
      label: 'Content type',
      help: 'Media type of the template. Fields are escaped for JSON, XML, HTML and forms; elsewhere they stay as they are.',
    },
    header: httpHeaders,
    hmac_secret: hmacSecret,
    ssl_verify: sslVerify,
    ca_file: caFile,
    timeout,
    success_codes: {
      ...successCodes,
      help: 'HTTP statuses, or ranges of them, that mean the server accepted the event.',
    },
    retry_hours: {
      ...retryHours,
      help: 'Hours during which an event that could not be delivered is tried again, also across restarts. 0: one try only.',
    },
  },
} as const satisfies SectionSchema;

export function checkWebhooks(
  { webhooks }: { readonly webhooks: readonly SectionConfig<typeof webhook>[] },
  report: Report,
): void {
  for (const hook of webhooks) {
    if (!hook.enabled) continue;
    checkHttpRows(hook, report);
    if (hook.format === 'template' && hook.body === undefined) {
      report.error(hook, 'body', 'must be set where the body is a template');
    }
    if (hook.format === 'template' && hook.method === 'get') {
      report.error(hook, 'format', 'cannot be "template" with the method "get", which has no body');
    }
  }
}
