import type { Config } from '../config.ts';
import type { Report } from './report.ts';

const nameOptions = [
  'number_name',
  'message_name',
  'extra_name1',
  'extra_name2',
  'time_name',
  'modem_name',
  'id_name',
] as const;

/** They say where the request ends, and who reads it; `octetsOf` in forwarding_to_http writes them. */
const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const MAX_HEADERS = 20;

export function checkForwarding({ forwarding_to_http: http }: Config, report: Report): void {
  if (!http.enabled) return;
  const seen = new Set<string>();
  for (const option of nameOptions) {
    const name = http[option];
    if (name === undefined) continue;
    if (seen.has(name))
      report.error('forwarding_to_http', option, `${JSON.stringify(name)} is the name of another field`);
    seen.add(name);
  }
  if (http.message_name === undefined) {
    report.warning('forwarding_to_http', 'message_name', 'without a name the text is not sent');
  }
  for (const pair of [1, 2] as const) {
    if (http[`extra_value${pair}`] !== undefined && http[`extra_name${pair}`] === undefined) {
      report.warning('forwarding_to_http', `extra_name${pair}`, 'without a name the value is not sent');
    }
  }
  if (http.format === 'json' && http.method === 'get') {
    report.error('forwarding_to_http', 'format', '"json" needs the method "post"');
  }
  if (http.header.length > MAX_HEADERS) {
    report.error('forwarding_to_http', 'header', `has ${http.header.length} elements, and may have ${MAX_HEADERS}`);
  }
  for (const header of http.header) {
    const name = header.slice(0, header.indexOf(':'));
    if (framing.has(name.toLowerCase())) {
      report.error('forwarding_to_http', 'header', `${name} is set by the gateway itself`);
    }
  }
  for (const range of http.success_codes) {
    const [from = 0, to = from] = range.split('-').map(Number);
    if (from > to) report.error('forwarding_to_http', 'success_codes', `${range} is empty: its end is below its start`);
  }
}
