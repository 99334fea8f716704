import { GatewayError } from '../../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Signature } from '../../rpc/method.ts';
import { messageSignatures } from '../../rpc/objects/message/signatures.ts';

/** Characters of three SMS of the GSM alphabet, TS 23.040 9.2.3.24.1. */
const USUAL_LENGTH = 459;

const { group, modem, priority, validity } = messageSignatures.send.args;

export const alertSignature = {
  help: 'Makes one message of a notification of alerts, as the webhooks of Grafana and Alertmanager send it, and sends it.',
  args: {
    number: { type: 'string', help: 'Recipient, or several with commas between them; this or `group`.' },
    group,
    modem,
    priority: { ...priority, help: '0 bulk, 1 normal, 2 high (default), 3 alarm.' },
    validity,
    length: {
      type: 'integer',
      range: [70, 1530],
      help: `Longest text in characters; default ${USUAL_LENGTH}, three SMS. Alerts beyond are counted.`,
    },
  },
  result: messageSignatures.send.result,
} as const satisfies Signature;

/** The arguments of `message.send` for a notification. Throws invalid_argument for a body of another form. */
export function alertMessage(args: JsonObject, body: Json): JsonObject {
  const { number, length, ...others } = args;
  const numbers = typeof number === 'string' ? { numbers: number.split(',').filter((each) => each.trim() !== '') } : {};
  const text = alertText(body, typeof length === 'number' ? length : USUAL_LENGTH);
  return { priority: 2, ...others, ...numbers, text };
}

/**
 * The text of a notification: a line for each alert, `FIRING: DiskFull db1: 3 % left`, those that fire first, and how many
 * more there are where they do not all fit. The body is that of Alertmanager's webhook, version 4, which Grafana also sends.
 */
export function alertText(body: Json, length: number = USUAL_LENGTH): string {
  if (!isJsonObject(body)) throw noNotification();
  const alerts = Array.isArray(body['alerts']) ? body['alerts'].filter(isJsonObject) : [];
  const lines = alerts
    .map((alert) => ({ firing: statusOf(alert, body) !== 'RESOLVED', line: lineOf(alert, body) }))
    .sort((a, b) => Number(b.firing) - Number(a.firing))
    .map(({ line }) => line);
  if (lines.length === 0) {
    const rest = [words(body['title']), words(body['message'])].filter((line) => line !== '');
    if (rest.length === 0) throw noNotification();
    lines.push(rest.join(': '));
  }
  const left = typeof body['truncatedAlerts'] === 'number' ? Math.max(0, Math.trunc(body['truncatedAlerts'])) : 0;
  return fitting(lines, left, length);
}

function fitting(lines: readonly string[], left: number, length: number): string {
  // A line has a character and its end, so that no more of them can fit.
  for (let shown = Math.min(lines.length, length); shown > 0; shown--) {
    const more = lines.length - shown + left;
    const text = [...lines.slice(0, shown), ...(more > 0 ? [`+${more} more`] : [])].join('\n');
    if (text.length <= length) return text;
  }
  const more = lines.length - 1 + left;
  const end = more > 0 ? `...\n+${more} more` : '...';
  // Three dots, since an ellipsis would make the whole text UCS2. A surrogate is not cut off from its other half.
  const cut = (lines[0] ?? '').slice(0, length - end.length).replace(/[\ud800-\udbff]$/, '');
  return `${cut}${end}`;
}

function lineOf(alert: JsonObject, notification: JsonObject): string {
  const labels = { ...table(notification['commonLabels']), ...table(alert['labels']) };
  const notes = { ...table(notification['commonAnnotations']), ...table(alert['annotations']) };
  const name = words(labels['alertname']);
  const place = words(labels['instance'] ?? labels['host'] ?? labels['device']);
  const said = [notes['summary'], notes['description'], notes['message']].map(words).find((text) => text !== '') ?? '';
  const head = [name, place].filter((word) => word !== '' && !said.includes(word)).join(' ');
  const line = [head, said].filter((part) => part !== '').join(': ');
  return `${statusOf(alert, notification)}: ${line || words(notification['title']) || 'alert'}`;
}

const statusOf = (alert: JsonObject, notification: JsonObject): string =>
  words(alert['status'] ?? notification['status']).toUpperCase() || 'FIRING';

const table = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

/** A text on one line, without control characters. */
function words(value: Json | undefined): string {
  if (typeof value !== 'string') return '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return value.replace(/[\u0000-\u0020\u007f-\u00a0]+/g, ' ').trim();
}

const noNotification = () =>
  new GatewayError(
    'invalid_argument',
    'wanted a notification with alerts, as the webhook of Grafana or Alertmanager sends it',
  );
