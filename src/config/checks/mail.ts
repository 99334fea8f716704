import type { Config } from '../config.ts';
import type { Report } from './report.ts';

export function checkMail({ pop3, forwarding_to_smtp: smtp }: Config, report: Report): void {
  if (pop3.enabled) {
    if (pop3.ssl && pop3.starttls) report.error('pop3', 'starttls', 'cannot be on together with ssl');
    if (pop3.reply_on_failure && !smtp.enabled) {
      report.warning('pop3', 'reply_on_failure', 'has no effect while forwarding_to_smtp is off');
    }
  }
  if (smtp.enabled) {
    if (smtp.username !== undefined && smtp.password === undefined) {
      report.error('forwarding_to_smtp', 'password', 'must be set, as the user name is');
    }
    if (smtp.tls !== 'auto' && !smtp.secureconnection) {
      report.warning('forwarding_to_smtp', 'tls', 'has no effect while secureconnection is off');
    }
    if (smtp.reply_by_mail && !pop3.enabled) {
      report.warning('forwarding_to_smtp', 'reply_by_mail', 'has no effect while pop3 is off');
    }
  }
}
