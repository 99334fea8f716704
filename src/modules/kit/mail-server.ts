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

/** The other options, at values that never change. */
const forwardsNothing: Omit<ForwardingToSmtpConfig, keyof MailServer | 'enabled'> = {
  ...{ every_sms: false, sender_num: false, subject: '', recipemail: [], mode: 'everyone', number: [] },
  ...{ retry_hours: 0, reply_by_mail: false },
};

const noServer: MailServer = {
  ...{ smtpip: '', senderemail: '', secureconnection: false, tls: 'auto', ssl_verify: true, timeout: 0 },
};

/** How mails are sent; undefined while the section is off. */
export function mailServerOf({ enabled, ...section }: ForwardingToSmtpConfig): MailServer | undefined {
  const { every_sms, sender_num, subject, recipemail, mode, number, retry_hours, reply_by_mail, ...server } = section;
  return enabled ? server : undefined;
}

/** The section as who sends mails of its own sees it: the same as long as the server is, and off without one. */
export const mailsOnly = (server: MailServer | undefined): ForwardingToSmtpConfig => ({
  ...forwardsNothing,
  ...(server ?? noServer),
  enabled: server !== undefined,
});
