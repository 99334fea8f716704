import { totalRates } from '../ceilings.ts';
import type { OptionRow, Report, SectionConfig, SectionSchema } from './option.ts';

const perTime = (label: string, what: string, limit: number) =>
  ({
    ...{ type: 'integer', min: 0, max: 10_000_000, unit: 'SMS' },
    ...{ default: limit, label, help: `${what} Each part of a long message counts. 0: no limit.` },
  }) as const satisfies OptionRow;

const { all, recipient } = totalRates;
const total = (window: string) => `Most SMS of all functions together within ${window}; further ones are refused.`;
const toOne = (window: string) => `Most SMS to one number within ${window}; further ones are refused.`;

/** Beginning of numbers, perhaps behind the name of a function. */
const prefixes = {
  type: 'string',
  maxLength: 128,
  pattern: /^(?:[A-Za-z].* )?\+?[0-9*#]{1,20}$/,
  form: 'the beginning of a number, with a function in front or not',
} as const;

/** A prefix that no number has, for the same function: E.164 has no country code that begins with 0. */
const allowsNothing = (prefix: string): string => `${/^[A-Za-z].* /.exec(prefix.trim())?.[0] ?? ''}+0`;

/** A message to a rule begins with it, up to the first white space. */
const oneWord = { pattern: /^\S+$/, form: 'one word' } as const;

/** As useradd(8) takes them. */
const groupName = { pattern: /^[a-z_][a-z0-9_-]{0,31}$/, form: 'the name of a group' } as const;

export const gateway = {
  name: 'gateway',
  label: 'Gateway',
  help: 'The service itself: its log, its message store and the rules for sending that hold for every function.',
  options: {
    log_level: {
      type: 'enum',
      values: ['error', 'warning', 'info', 'debug'],
      default: 'info',
      label: 'Log level',
      help: 'At info each message has a line for each step: accepted, sent, delivered, failed, received. At debug the dialogue with the modems is shown.',
    },
    log_text: {
      type: 'boolean',
      default: false,
      label: 'Texts in the log',
      help: 'Shows the texts of messages at the log level debug.',
    },
    monitor_from: {
      type: 'list',
      of: { type: 'network' },
      default: ['127.0.0.0/8', '::1'],
      label: 'Monitoring clients',
      help: 'Addresses or networks that may read /metrics and /health of the built-in web server.',
    },
    api: {
      type: 'boolean',
      default: true,
      label: 'REST interface',
      help: 'Serves /api/v1 and its aliases on the built-in web server. Every request needs a token, or an account of the web pages or of Post/Get.',
    },
    capacity: {
      type: 'integer',
      min: 10,
      max: 1_000_000,
      unit: 'messages',
      default: 1000,
      label: 'Inbox capacity',
      help: 'How many received messages the inbox holds.',
    },
    evict: {
      type: 'boolean',
      default: false,
      label: 'Make room in a full inbox',
      help: 'On: the oldest read message goes when a new one needs its place. Off: new messages wait on the SIM or modem until some are deleted.',
    },
    sync: {
      type: 'integer',
      min: 1,
      max: 3600,
      unit: 'seconds',
      word: 'always',
      default: 'always',
      label: 'Write to flash',
      help: '"always": every message is on the flash before it counts as accepted. A number of seconds wears the flash less; a power cut loses the messages of that time.',
    },
    queue_limit: {
      type: 'integer',
      min: 1,
      max: 1_000_000,
      unit: 'messages',
      default: 10_000,
      label: 'Outbox limit',
      help: 'Most waiting messages; further ones are refused.',
    },
    sms_per_minute: perTime('SMS a minute', total('a minute'), all.minute),
    sms_per_hour: perTime('SMS an hour', total('an hour'), all.hour),
    sms_per_day: perTime('SMS a day', total('a day'), all.day),
    recipient_per_minute: perTime('SMS a minute to one number', toOne('a minute'), recipient.minute),
    recipient_per_hour: perTime('SMS an hour to one number', toOne('an hour'), recipient.hour),
    recipient_per_day: perTime('SMS a day to one number', toOne('a day'), recipient.day),
    function_limit: {
      type: 'list',
      of: {
        type: 'string',
        maxLength: 128,
        pattern: /^[A-Za-z].*(?: [0-9]{1,8}){3}$/,
        form: 'a function and its SMS a minute, an hour and a day, such as "pop3 60 300 1000"',
      },
      label: 'SMS of one function',
      help: 'A function and its most SMS a minute, an hour and a day, with blanks between: "pop3 60 300 1000". Functions are post_get, account and token (of the API), mqtt, pop3, auto_reply, rules, forwarding_to_sms, scheduled, smpp and rpc; "smpp:NAME" is one SMPP account. 0: no limit. Those that are not listed here have the limits of docs/security.md.',
    },
    allow_prefix: {
      type: 'list',
      of: prefixes,
      instead: allowsNothing,
      label: 'Allowed beginnings of numbers',
      help: 'Messages go only to numbers that begin so: "+370". With a function in front, "pop3 +370", it holds for that function only, in place of those without. Empty: all.',
    },
    deny_prefix: {
      type: 'list',
      of: prefixes,
      label: 'Denied beginnings of numbers',
      help: 'No message goes to a number that begins so, such as a premium rate number: "+370900". With a function in front, "pop3 +370900", it holds for that function only. A national number counts as one of the country of the gateway, too.',
    },
    alarm_number: {
      type: 'list',
      of: { type: 'phone' },
      label: 'Alarm by SMS',
      help: 'Numbers that get a message when a limit of SMS is reached, at most 10 a day.',
    },
    alarm_email: {
      type: 'list',
      of: { type: 'email' },
      label: 'Alarm by mail',
      help: 'Addresses that get a mail when a limit of SMS is reached, through the server of SMS Forwarding To Email.',
    },
    keep_sent: {
      type: 'integer',
      min: 1,
      max: 3650,
      unit: 'days',
      default: 30,
      label: 'Keep sent messages',
      help: 'Days after which finished messages leave the outbox.',
    },
    keep_sent_max: {
      type: 'integer',
      min: 0,
      max: 1_000_000,
      unit: 'messages',
      default: 1000,
      label: 'Keep sent messages, at most',
      help: 'How many finished messages the outbox keeps.',
    },
    country_code: {
      type: 'string',
      pattern: /^[1-9][0-9]{0,2}$/,
      form: 'a country code of one to three digits',
      label: 'Country code',
      help: 'Country code of national numbers, such as 370. It decides which international number a listed or received national number stands for. Empty: that of the country of the SIM.',
    },
    validity: {
      type: 'integer',
      min: 1,
      max: 10_584,
      unit: 'hours',
      default: 48,
      label: 'Validity',
      help: 'Hours after which a message that could not be sent or delivered is given up, unless its sender said otherwise. The network supports up to 63 weeks, and rounds.',
    },
    ambiguous: {
      type: 'enum',
      values: ['resend', 'hold'],
      default: 'resend',
      label: 'When the modem gave no answer',
      help: 'Without an answer the part may have been sent or not. "resend" sends it once more, "hold" leaves the message in the state unknown for a person to decide.',
    },
    part_timeout: {
      type: 'integer',
      min: 1,
      max: 720,
      unit: 'hours',
      default: 24,
      label: 'Wait for missing parts',
      help: 'Hours after which an incomplete long message is shown with a mark where text is missing.',
    },
    transliterate: {
      type: 'boolean',
      default: false,
      label: 'Replace typographic characters',
      help: 'Sends curly quotes, dashes and the like as plain ones where that keeps a message in the GSM alphabet, which holds more than twice the text.',
    },
    national_tables: {
      type: 'list',
      of: { type: 'integer', min: 1, max: 13 },
      label: 'National language tables',
      help: 'Language numbers of TS 23.038 6.2.1.2.4 that may be used for sending when they make a message shorter (1 Turkish, 2 Spanish, 3 Portuguese, ...). Old phones show such messages wrongly.',
    },
    state_dir: {
      type: 'string',
      pattern: /^\/[^\s]*[^\s/]$/,
      form: 'an absolute path',
      default: '/etc/sms_gateway',
      label: 'Message directory',
      help: 'Directory of the messages, for the init script of OpenWrt; a change moves no messages. A directory under /tmp saves the flash, but loses every message in a power cut.',
    },
    user: {
      type: 'enum',
      values: ['sms', 'root'],
      default: 'sms',
      label: 'Account',
      help: 'Account that the init script of OpenWrt runs the gateway under. root: for rules whose commands need it.',
    },
    socket_mode: {
      type: 'string',
      pattern: /^0[0-7]{3}$/,
      form: 'four octal digits',
      default: '0660',
      label: 'Socket mode',
      help: 'Access rights of the control socket.',
    },
    read_group: {
      type: 'string',
      ...groupName,
      label: 'Group that may read',
      help: 'Group of the system whose accounts may read messages and states, on a socket of their own beside the control socket: sms_gateway-read.sock.',
    },
    send_group: {
      type: 'string',
      ...groupName,
      label: 'Group that may send',
      help: 'Group of the system whose accounts may also send, delete, cancel and retry messages, on sms_gateway-send.sock.',
    },
    http_cert: {
      type: 'file',
      label: 'Certificate',
      help: 'PEM file with the certificate and its chain, for the built-in web server. With it that speaks HTTPS only. The file is read again when it changes.',
    },
    http_key: {
      type: 'file',
      label: 'Key',
      help: 'PEM file with the private key, which only the account of the gateway should be able to read. Empty: the file of the certificate holds it as well.',
    },
    trusted_proxy: {
      type: 'list',
      of: { type: 'network' },
      label: 'Trusted proxies',
      help: 'Addresses or networks of proxies in front of the web server that write X-Forwarded-For or Forwarded: the address there is taken for the client. Without them everybody behind a proxy counts as one client.',
    },
    admin_password: {
      type: 'string',
      maxLength: 256,
      ...oneWord,
      secret: true,
      label: 'Password for rules',
      help: 'What a message must begin with for rules with authorisation by password. Plain, or a crypt hash ($1$, $5$, $6$). Empty: the password of root on this system.',
    },
    serial: {
      type: 'string',
      maxLength: 64,
      ...oneWord,
      label: 'Serial number',
      help: 'What a message must begin with for rules with authorisation by serial number. Empty: the serial number of the board, where the system knows it.',
    },
  },
} as const satisfies SectionSchema;

interface Checked {
  readonly gateway: SectionConfig<typeof gateway>;
  readonly forwarding_to_smtp: { readonly enabled: boolean };
}

export function checkGateway({ gateway: own, forwarding_to_smtp: smtp }: Checked, report: Report): void {
  if (own.alarm_email.length > 0 && !smtp.enabled) {
    report.warning(own, 'alarm_email', 'has no effect while forwarding_to_smtp is off');
  }
}
