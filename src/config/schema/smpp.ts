import type { OptionRow, Report, SectionConfig, SectionSchema } from './option.ts';
import { enabledRow, lockout, maxFailures, sendingModem } from './shared-rows.ts';

/** SMPP 3.4 5.2.1 and 5.2.2: C-octet strings of 16 and 9 octets with their NUL. */
const username = {
  type: 'string',
  minLength: 1,
  maxLength: 15,
  pattern: /^[ -~]*$/,
  form: 'printable ASCII',
  label: 'User name',
  help: 'The system_id that clients bind with, at most 15 characters.',
} as const;

/** A plain password, or a hash as `src/access/crypt.ts` reads it. */
const PASSWORD =
  /^(?:[ -~]{0,8}|\$1\$[!-#%-~]{0,8}\$[./0-9A-Za-z]{22}|\$[56]\$(?:rounds=[0-9]{1,9}\$)?[!-#%-~]{0,16}\$(?:[./0-9A-Za-z]{43}|[./0-9A-Za-z]{86}))$/;

const password = {
  type: 'string',
  pattern: PASSWORD,
  form: 'at most 8 characters of printable ASCII, or a crypt hash ($1$, $5$, $6$)',
  secret: true,
  label: 'Password',
  help: 'The password that clients bind with: plain, at most 8 characters as SMPP allows, or a crypt hash ($1$, $5$, $6$) of it.',
} as const;

const allowFrom = {
  type: 'list',
  of: { type: 'network' },
  label: 'Allowed clients',
  help: 'Addresses or networks that may connect. Empty: all.',
} as const satisfies OptionRow;

const systemType = {
  type: 'list',
  of: { type: 'string', maxLength: 12, pattern: /^[!-~]+$/, form: 'printable ASCII' },
  label: 'System types',
  help: 'Values of system_type that may bind. Empty: any.',
} as const satisfies OptionRow;

const flow = {
  rate: {
    type: 'integer',
    min: 0,
    max: 100_000,
    unit: 'messages/s',
    default: 0,
    label: 'Rate',
    help: 'Messages a second that an account may submit, over all its sessions; more are answered ESME_RTHROTTLED. 0: no limit.',
  },
  window: {
    type: 'integer',
    min: 1,
    max: 1000,
    unit: 'requests',
    default: 50,
    label: 'Window',
    help: 'Requests of one session that may wait for an answer at a time; further ones are read later.',
  },
  deliver_window: {
    type: 'integer',
    min: 1,
    max: 100,
    unit: 'messages',
    default: 1,
    label: 'Delivery window',
    help: 'Messages and receipts to an account that may wait for its answer at a time. Above 1 they are sent in order, but one that is refused comes after later ones.',
  },
} as const satisfies Record<string, OptionRow>;

const defaultAlphabet = {
  type: 'enum',
  values: ['gsm', 'latin1', 'ascii'],
  label: 'Default alphabet',
  help: 'What data_coding 0 means: GSM 7-bit, one septet an octet, ISO 8859-1, or ASCII.',
} as const satisfies OptionRow;

const longMessages = {
  type: 'enum',
  values: ['payload', 'sar', 'parts'],
  label: 'Long messages',
  help: 'How received messages of more than 254 octets go to a client: whole in message_payload, in parts with sar_* parameters, or in parts with a user data header. Clients of SMPP 3.3 get the last.',
} as const satisfies OptionRow;

const asFirst = ' Empty: as in section smpp.';

/** What goes through an account. */
const routing = {
  receive: {
    type: 'boolean',
    default: true,
    label: 'Receive',
    help: 'Whether received messages go to sessions of this account.',
  },
  receive_modem: {
    type: 'list',
    of: { type: 'reference', to: 'modem' },
    label: 'Receive from modems',
    help: 'Only messages that these modems received. Empty: all.',
  },
  sender_prefix: {
    type: 'list',
    of: { type: 'string', maxLength: 20, pattern: /^\+?[0-9]+$/, form: 'digits, with or without + in front' },
    label: 'Receive from senders',
    help: 'Only messages of senders that begin so. Empty: all.',
  },
  modem: sendingModem,
} as const satisfies Record<string, OptionRow>;

export const smpp = {
  name: 'smpp',
  label: 'SMPP',
  help: 'The SMPP 3.4 server. Its own user name and password make one account; smpp_account sections add more.',
  options: {
    enabled: enabledRow('SMPP'),
    username: { ...username, default: 'admin', original: true },
    password: { ...password, default: 'admin01', original: true },
    port: {
      type: 'port',
      min: 0,
      default: 7777,
      original: true,
      label: 'Server port',
      help: 'TCP port of the server. 0: none, when only TLS is wanted.',
    },
    address: { type: 'host', label: 'Bind address', help: 'Local address to listen on. Empty: all.' },
    allow_from: allowFrom,
    tls_port: { type: 'port', min: 1, label: 'TLS port', help: 'TCP port for SMPP over TLS. Empty: none.' },
    tls_cert: { type: 'file', label: 'Certificate', help: 'PEM file with the certificate and its chain.' },
    tls_key: { type: 'file', label: 'Key', help: 'PEM file with the private key.' },
    max_sessions: {
      type: 'integer',
      min: 1,
      max: 1000,
      unit: 'sessions',
      default: 20,
      label: 'Sessions',
      help: 'Connections in all.',
    },
    max_sessions_per_address: {
      type: 'integer',
      min: 1,
      max: 1000,
      unit: 'sessions',
      default: 10,
      label: 'Sessions an address',
      help: 'Connections from one client address.',
    },
    ...flow,
    default_alphabet: { ...defaultAlphabet, default: 'gsm' },
    system_type: systemType,
    ...routing,
    long_messages: { ...longMessages, default: 'payload' },
    enquire_link: {
      type: 'integer',
      min: 0,
      max: 3600,
      unit: 'seconds',
      default: 30,
      label: 'Keep-alive',
      help: 'Seconds of silence after which the client is asked whether it is there; two misses end the session. 0: never.',
    },
    inactivity_timeout: {
      type: 'integer',
      min: 0,
      max: 86_400,
      unit: 'seconds',
      default: 0,
      label: 'Inactivity',
      help: 'Seconds without a message after which a session is ended. 0: never.',
    },
    response_timeout: {
      type: 'integer',
      min: 1,
      max: 120,
      unit: 'seconds',
      default: 10,
      label: 'Response time-out',
      help: 'Seconds that a client has to answer a request; then a message is handed to another session.',
    },
    every_sms: {
      type: 'boolean',
      default: false,
      label: 'Hand over SMS Utilities rules',
      help: 'On: messages that trigger a rule go to receivers as well.',
    },
    max_failures: maxFailures,
    lockout,
  },
} as const satisfies SectionSchema;

export const smppAccount = {
  name: 'smpp_account',
  label: 'SMPP account',
  help: 'One section for each further account of the SMPP server.',
  options: {
    enabled: { type: 'boolean', default: true, label: 'Enable', help: 'Whether clients may bind with this account.' },
    username: { ...username, needed: true },
    password: { ...password, needed: true },
    allow_from: allowFrom,
    max_sessions: {
      type: 'integer',
      min: 1,
      max: 1000,
      unit: 'sessions',
      default: 10,
      label: 'Sessions',
      help: 'Sessions of this account.',
    },
    ...flow,
    default_alphabet: { ...defaultAlphabet, help: `${defaultAlphabet.help}${asFirst}` },
    long_messages: { ...longMessages, help: `${longMessages.help}${asFirst}` },
    system_type: systemType,
    ...routing,
  },
} as const satisfies SectionSchema;

interface Checked {
  readonly smpp: SectionConfig<typeof smpp>;
  readonly smpp_accounts: readonly SectionConfig<typeof smppAccount>[];
}

export function checkSmpp({ smpp, smpp_accounts }: Checked, report: Report): void {
  if (smpp.enabled) {
    if (smpp.port === 0 && smpp.tls_port === undefined) {
      report.error(smpp, 'port', 'must be set where tls_port is not');
    }
    if (smpp.tls_port !== undefined) {
      if (smpp.tls_port === smpp.port) report.error(smpp, 'tls_port', 'must differ from port');
      if (smpp.tls_cert === undefined) report.error(smpp, 'tls_cert', 'must be set for tls_port');
      if (smpp.tls_key === undefined) report.error(smpp, 'tls_key', 'must be set for tls_port');
    }
  }
  const seen = new Set([smpp.username]);
  for (const account of smpp_accounts) {
    const { username, enabled } = account;
    if (!enabled) continue;
    if (seen.has(username)) report.error(account, 'username', `${JSON.stringify(username)} has an account already`);
    seen.add(username);
  }
}
