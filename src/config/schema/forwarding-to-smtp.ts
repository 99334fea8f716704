import type { Report, SectionConfig, SectionSchema } from './option.ts';
import {
  caFile,
  checkSenders,
  clientPort,
  enabledRow,
  everySms,
  listedNumbers,
  mode,
  retryHours,
  senderNumber,
  sslVerify,
  timeout,
} from './shared-rows.ts';

export const forwardingToSmtp = {
  name: 'forwarding_to_smtp',
  label: 'SMS Forwarding To Email',
  help: 'Sends received messages on by email.',
  options: {
    enabled: enabledRow('SMS Forwarding To Email'),
    every_sms: everySms,
    sender_num: senderNumber,
    subject: {
      type: 'string',
      maxLength: 200,
      default: '',
      original: true,
      label: 'Subject',
      help: 'Subject of the mails.',
    },
    smtpip: {
      type: 'host',
      needed: true,
      original: true,
      label: 'SMTP server',
      help: 'Host name or address of the mail server.',
    },
    smtpport: {
      ...clientPort,
      label: 'SMTP port',
      help: 'TCP port of the mail server. Empty: 465 with implicit TLS, else 587.',
    },
    secureconnection: {
      type: 'boolean',
      default: false,
      original: true,
      label: 'Secure connection',
      help: 'Uses TLS. Off: plain, and the password is sent as it is.',
    },
    username: {
      type: 'string',
      maxLength: 256,
      original: true,
      label: 'User name',
      help: 'Account on the mail server. Empty: no login.',
    },
    password: {
      type: 'string',
      maxLength: 256,
      secret: true,
      original: true,
      label: 'Password',
      help: 'Password of the account.',
    },
    senderemail: {
      type: 'email',
      needed: true,
      original: true,
      label: "Sender's email address",
      help: 'The address that mails come from.',
    },
    recipemail: {
      type: 'list',
      of: { type: 'email' },
      needed: true,
      original: true,
      label: "Recipient's email address",
      help: 'The addresses that messages are forwarded to.',
    },
    mode,
    number: listedNumbers,
    tls: {
      type: 'enum',
      values: ['auto', 'implicit', 'starttls'],
      default: 'auto',
      label: 'Kind of TLS',
      help: 'With a secure connection: TLS from the first byte ("implicit"), STARTTLS required ("starttls"), or by the port: implicit on 465, STARTTLS on others ("auto").',
    },
    ssl_verify: sslVerify,
    ca_file: caFile,
    timeout,
    retry_hours: retryHours,
    reply_by_mail: {
      type: 'boolean',
      default: false,
      label: 'Answer by mail',
      help: 'Puts a token in the subject. When Email to SMS reads the mailbox that answers arrive in, an answer to such a mail goes back to the sender as SMS.',
    },
  },
} as const satisfies SectionSchema;

interface Checked {
  readonly forwarding_to_smtp: SectionConfig<typeof forwardingToSmtp>;
  readonly pop3: { readonly enabled: boolean };
}

export function checkForwardingToSmtp({ forwarding_to_smtp: smtp, pop3 }: Checked, report: Report): void {
  if (!smtp.enabled) return;
  checkSenders(smtp, 'number', report);
  if (smtp.username !== undefined && smtp.password === undefined) {
    report.error(smtp, 'password', 'must be set, as the user name is');
  }
  if (smtp.tls !== 'auto' && !smtp.secureconnection) {
    report.warning(smtp, 'tls', 'has no effect while secureconnection is off');
  }
  if (smtp.reply_by_mail && !pop3.enabled) {
    report.warning(smtp, 'reply_by_mail', 'has no effect while pop3 is off');
  }
}
