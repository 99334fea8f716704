import { checkHttpRows, hmacSecret, httpHeaders, successCodes } from './http-rows.ts';
import type { OptionRow, Report, SectionConfig, SectionSchema } from './option.ts';
import { caFile, checkSenders, enabledRow, everySms, listedNumbers, mode, retryHours, timeout } from './shared-rows.ts';

/** Name of a field in the request. */
const fieldName = { type: 'string', maxLength: 64 } as const;
const original = { original: true } as const;

/** A further field: sent when its name is set. */
const furtherField = (label: string, what: string) =>
  ({
    ...fieldName,
    label,
    help: `Name of a field that carries ${what}. Empty: not sent.`,
  }) as const satisfies OptionRow;

export const forwardingToHttp = {
  name: 'forwarding_to_http',
  label: 'SMS Forwarding To HTTP',
  help: 'Sends received messages to a web server.',
  options: {
    enabled: enabledRow('SMS Forwarding To HTTP'),
    every_sms: everySms,
    use_https_protocol: {
      type: 'boolean',
      default: false,
      ...original,
      label: 'Use HTTPS',
      help: 'Uses HTTPS in place of HTTP, whatever the URL begins with.',
    },
    message_encode_b64: {
      type: 'boolean',
      default: false,
      ...original,
      label: 'Encode message text to Base64',
      help: 'Sends the text (UTF-8) as Base64.',
    },
    verify_cert: {
      type: 'enum',
      values: ['ignore', 'verify'],
      default: 'ignore',
      ...original,
      label: 'HTTPS certificate verification',
      help: "Whether the server's certificate is verified or ignored.",
    },
    ca_file: caFile,
    method: {
      type: 'enum',
      values: ['get', 'post'],
      default: 'get',
      ...original,
      label: 'Method',
      help: 'GET carries the fields in the URL, POST in the body.',
    },
    url: {
      type: 'url',
      needed: true,
      ...original,
      label: 'URL',
      help: 'Host or address, with or without port, path and query of its own: 192.168.1.1:81/sms?key=1. User and password in front, user:password@host, become Basic authentication.',
    },
    number_name: {
      ...fieldName,
      ...original,
      label: 'Number value name',
      help: "Name of the field with the sender's number. Empty: not sent.",
    },
    message_name: {
      ...fieldName,
      ...original,
      label: 'Message value name',
      help: 'Name of the field with the text. Empty: not sent.',
    },
    extra_name1: { ...fieldName, ...original, label: 'Extra data pair 1, name', help: 'Name of a field of your own.' },
    extra_value1: {
      type: 'string',
      maxLength: 1000,
      ...original,
      label: 'Extra data pair 1, value',
      help: 'Its value.',
    },
    extra_name2: { ...fieldName, ...original, label: 'Extra data pair 2, name', help: 'Name of a field of your own.' },
    extra_value2: {
      type: 'string',
      maxLength: 1000,
      ...original,
      label: 'Extra data pair 2, value',
      help: 'Its value.',
    },
    mode,
    number: listedNumbers,
    format: {
      type: 'enum',
      values: ['form', 'json'],
      default: 'form',
      label: 'Body format',
      help: 'How POST sends the fields: as a form, or as a JSON object under the same names.',
    },
    time_name: furtherField('Time value name', 'the time of the message, ISO 8601 UTC'),
    modem_name: furtherField('Modem value name', 'the name of the receiving modem'),
    id_name: furtherField(
      'Id value name',
      'the id of the message in this gateway; the same when a request is repeated',
    ),
    header: httpHeaders,
    hmac_secret: hmacSecret,
    timeout,
    delivery_reports: {
      type: 'boolean',
      default: false,
      label: 'Delivery reports too',
      help: 'Also sends the outcome of sent messages: the recipient as the number, the state (delivered, undelivered, expired, failed, unknown) as the text.',
    },
    success_codes: successCodes,
    retry_hours: retryHours,
  },
} as const satisfies SectionSchema;

/** Options that name a field of the request. */
const nameOptions = [
  'number_name',
  'message_name',
  'extra_name1',
  'extra_name2',
  'time_name',
  'modem_name',
  'id_name',
] as const;

type Checked = { readonly forwarding_to_http: SectionConfig<typeof forwardingToHttp> };

export function checkForwardingToHttp({ forwarding_to_http: http }: Checked, report: Report): void {
  if (!http.enabled) return;
  checkSenders(http, 'number', report);
  const seen = new Set<string>();
  for (const option of nameOptions) {
    const name = http[option];
    if (name === undefined) continue;
    if (seen.has(name)) report.error(http, option, `${JSON.stringify(name)} is the name of another field`);
    seen.add(name);
  }
  if (http.message_name === undefined) {
    report.warning(http, 'message_name', 'without a name the text is not sent');
  }
  for (const pair of [1, 2] as const) {
    if (http[`extra_value${pair}`] !== undefined && http[`extra_name${pair}`] === undefined) {
      report.warning(http, `extra_name${pair}`, 'without a name the value is not sent');
    }
  }
  if (http.format === 'json' && http.method === 'get') {
    report.error(http, 'format', '"json" needs the method "post"');
  }
  checkHttpRows(http, report);
}
