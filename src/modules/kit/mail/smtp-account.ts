import type { ForwardingToSmtpConfig } from '../../../config/config.ts';

/** How TLS comes about: from the first octet, by STARTTLS or not at all, or never. */
export type SmtpSecurity = 'implicit' | 'starttls' | 'none';

const SUBMISSIONS = 465;
const SUBMISSION = 587;

/** Where the config says that mails are handed in, RFC 8314 3.3. */
export function smtpServer(config: ForwardingToSmtpConfig): { readonly port: number; readonly security: SmtpSecurity } {
  const { secureconnection, smtpport, tls } = config;
  if (!secureconnection) return { port: smtpport ?? SUBMISSION, security: 'none' };
  const implicit = tls === 'implicit' || (tls === 'auto' && smtpport === SUBMISSIONS);
  return implicit
    ? { port: smtpport ?? SUBMISSIONS, security: 'implicit' }
    : { port: smtpport ?? SUBMISSION, security: 'starttls' };
}
