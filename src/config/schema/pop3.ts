import type { Report, SectionConfig, SectionSchema } from './option.ts';
import { caFile, clientPort, enabledRow, sendingModem, sslVerify, timeout } from './shared-rows.ts';

export const pop3 = {
  name: 'pop3',
  label: 'Email to SMS',
  help: 'Reads a mailbox and sends each mail whose subject is a phone number as SMS. By default everything in the mailbox is deleted.',
  options: {
    enabled: enabledRow('Email to SMS'),
    host: {
      type: 'host',
      needed: true,
      original: true,
      label: 'POP3 server',
      help: 'Host name or address of the POP3 server.',
    },
    port: { ...clientPort, help: 'TCP port of the POP3 server. Empty: 995 with SSL, else 110.' },
    username: {
      type: 'string',
      maxLength: 256,
      needed: true,
      original: true,
      label: 'User name',
      help: 'Account on the server.',
    },
    password: {
      type: 'string',
      maxLength: 256,
      needed: true,
      secret: true,
      original: true,
      label: 'Password',
      help: 'Password of the account.',
    },
    ssl: {
      type: 'boolean',
      default: false,
      original: true,
      label: 'Secure connection (SSL)',
      help: 'TLS from the first byte.',
    },
    limit: {
      type: 'integer',
      min: 1,
      max: 10_000,
      unit: 'characters',
      default: 160,
      original: true,
      label: 'Max. email symbol count',
      help: 'Mails with a longer text are not sent.',
    },
    time: {
      type: 'enum',
      values: ['min', 'hour', 'day'],
      default: 'min',
      original: true,
      label: 'Check email every, unit',
      help: 'Whether "min", "hour" or "day" says how often the mailbox is read.',
    },
    min: {
      type: 'integer',
      min: 1,
      max: 59,
      unit: 'minutes',
      default: 1,
      original: true,
      label: 'Check email every, minutes',
      help: 'Minutes between looks into the mailbox, when the unit is "min".',
    },
    hour: {
      type: 'integer',
      min: 1,
      max: 23,
      unit: 'hours',
      default: 1,
      original: true,
      label: 'Check email every, hours',
      help: 'Hours between looks into the mailbox, when the unit is "hour".',
    },
    day: {
      type: 'integer',
      min: 1,
      max: 15,
      unit: 'days',
      default: 1,
      original: true,
      label: 'Check email every, days',
      help: 'Days between looks into the mailbox, when the unit is "day".',
    },
    starttls: {
      type: 'boolean',
      default: false,
      label: 'STLS',
      help: 'Upgrades a plain connection to TLS. A server without STLS is an error.',
    },
    ssl_verify: sslVerify,
    ca_file: caFile,
    timeout,
    delete: {
      type: 'enum',
      values: ['all', 'handled'],
      default: 'all',
      label: 'Delete',
      help: '"all": every mail in the mailbox, as the original does. "handled": only mails that became an SMS, or whose sender was sent the reason why not.',
    },
    allow_from: {
      type: 'list',
      of: { type: 'string', maxLength: 254, pattern: /^[^@\s]*@[^@\s]+$/, form: 'an address, or @domain' },
      label: 'Allowed senders',
      help: 'Mail addresses, or @domain for all of a domain, whose mails are sent. Empty: all. A From line is easily forged.',
    },
    loose_subject: {
      type: 'boolean',
      default: false,
      label: 'Lenient subject',
      help: 'Also takes subjects such as "Re: [EXTERNAL] +370 600 00001" or "tel:+37060000001".',
    },
    max_recipients: {
      type: 'integer',
      min: 1,
      max: 50,
      unit: 'numbers',
      default: 1,
      label: 'Recipients',
      help: 'How many numbers, separated by commas, a subject may hold.',
    },
    strip_signature: {
      type: 'boolean',
      default: false,
      label: 'Strip signature',
      help: 'Removes the lines after "-- ", and quoted text of earlier mails.',
    },
    reply_on_failure: {
      type: 'boolean',
      default: false,
      label: 'Report failures to the sender',
      help: 'Sends a mail back when the SMS could not be sent, through the server of SMS Forwarding To Email.',
    },
    max_size: {
      type: 'integer',
      min: 1,
      max: 10_240,
      unit: 'KiB',
      default: 512,
      label: 'Largest mail',
      help: 'Larger mails, in KiB with their attachments, are not fetched.',
    },
    modem: sendingModem,
  },
} as const satisfies SectionSchema;

interface Checked {
  readonly pop3: SectionConfig<typeof pop3>;
  readonly forwarding_to_smtp: { readonly enabled: boolean };
}

export function checkPop3({ pop3, forwarding_to_smtp: smtp }: Checked, report: Report): void {
  if (!pop3.enabled) return;
  if (pop3.ssl && pop3.starttls) report.error(pop3, 'starttls', 'cannot be on together with ssl');
  if (pop3.reply_on_failure && !smtp.enabled) {
    report.warning(pop3, 'reply_on_failure', 'has no effect while forwarding_to_smtp is off');
  }
}
