import type { ForwardingToSmtpConfig } from '../../config/config.ts';

/**
 * The options of the section forwarding_to_smtp that say how a mail is sent. What is forwarded, and to whom, does not concern
 * whoever sends mails of its own.
 */
export type MailServer = Pick<
  ForwardingToSmtpConfig,
  | 'smtpip'
  | 'smtpport'
  | 'secureconnection'
  | 'tls'
  | 'ssl_verify'
  | 'ca_file'
  | 'username'
  | 'password'
  | 'senderemail'
  | 'timeout'
>;

/** How mails are sent; undefined while the section is off. */
export function mailServerOf({ enabled, ...section }: ForwardingToSmtpConfig): MailServer | undefined {
  const { every_sms, sender_num, subject, recipemail, mode, number, retry_hours, reply_by_mail, ...server } = section;
  return enabled ? server : undefined;
}
