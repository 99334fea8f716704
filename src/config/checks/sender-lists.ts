import type { Config } from '../config.ts';
import type { Report } from './report.ts';

/** Mode "list" without numbers lets nobody through, which nobody means. */
export function checkSenderLists(config: Config, report: Report): void {
  const filters = [
    ['auto_reply', 'number', config.auto_reply, config.auto_reply.number],
    ['forwarding_to_http', 'number', config.forwarding_to_http, config.forwarding_to_http.number],
    ['forwarding_to_sms', 'senders_number', config.forwarding_to_sms, config.forwarding_to_sms.senders_number],
    ['forwarding_to_smtp', 'number', config.forwarding_to_smtp, config.forwarding_to_smtp.number],
  ] as const;
  for (const [key, option, { enabled, mode }, numbers] of filters) {
    if (enabled && mode === 'list' && numbers.length === 0) {
      report.error(key, option, 'must have at least one number in mode "list"');
    }
  }
}
