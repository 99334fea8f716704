import type { Config } from '../config.ts';
import type { Report } from './report.ts';

export function checkSmpp({ smpp, smpp_accounts }: Config, report: Report): void {
  if (smpp.enabled) {
    if (smpp.port === 0 && smpp.tls_port === undefined)
      report.error('smpp', 'port', 'must be set where tls_port is not');
    if (smpp.tls_port !== undefined) {
      if (smpp.tls_port === smpp.port) report.error('smpp', 'tls_port', 'must differ from port');
      if (smpp.tls_cert === undefined) report.error('smpp', 'tls_cert', 'must be set for tls_port');
      if (smpp.tls_key === undefined) report.error('smpp', 'tls_key', 'must be set for tls_port');
    }
  }
  const seen = new Set([smpp.username]);
  for (const { section, username, enabled } of smpp_accounts) {
    if (!enabled) continue;
    if (seen.has(username)) {
      report.error(['smpp_accounts', section], 'username', `${JSON.stringify(username)} has an account already`);
    }
    seen.add(username);
  }
}
