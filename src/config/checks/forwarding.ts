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
  for (const range of http.success_codes) {
    const [from = 0, to = from] = range.split('-').map(Number);
    if (from > to) report.error('forwarding_to_http', 'success_codes', `${range} is empty: its end is below its start`);
  }
}
