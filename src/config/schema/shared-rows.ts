import type { OptionRow, Report } from './option.ts';

/** The switch of a function that is off until somebody turns it on. */
export const enabledRow = (what: string) =>
  ({
    type: 'boolean',
    default: false,
    original: true,
    label: 'Enable',
    help: `Turns ${what} on or off.`,
  }) as const satisfies OptionRow;

/* Rows of the functions that act on incoming messages: whose messages they take. */

export const mode = {
  type: 'enum',
  values: ['everyone', 'list'],
  default: 'everyone',
  original: true,
  label: 'Mode',
  help: 'Messages of everyone, or of the listed numbers only.',
} as const satisfies OptionRow;

export const listedNumbers = {
  type: 'list',
  of: { type: 'phone' },
  original: true,
  label: "Sender's phone number",
  help: 'The senders that mode "list" means.',
} as const satisfies OptionRow;

/** Mode "list" without numbers would let nobody through. */
export function checkSenders<
  List extends string,
  S extends { readonly enabled: boolean; readonly mode: 'everyone' | 'list' } & {
    readonly [K in List]: readonly string[];
  },
>(section: S, list: List & keyof S, report: Report): void {
  if (section.enabled && section.mode === 'list' && section[list].length === 0) {
    report.error(section, list, 'must have at least one number in mode "list"');
  }
}

export const everySms = {
  type: 'boolean',
  default: false,
  original: true,
  label: 'Forward SMS Utilities rules',
  help: 'On: messages that trigger a rule are forwarded as well.',
} as const satisfies OptionRow;

export const senderNumber = {
  type: 'boolean',
  default: false,
  original: true,
  label: "Add sender's number",
  help: "Adds the original sender's number to the forwarded message.",
} as const satisfies OptionRow;

/* Rows of the functions that connect to a server. */

export const caFile = {
  type: 'file',
  label: 'CA file',
  help: 'PEM file with the certificates to verify the server by. Empty: the usual authorities.',
} as const satisfies OptionRow;

export const sslVerify = {
  type: 'boolean',
  default: true,
  label: 'Verify certificate',
  help: 'Refuses a server whose certificate is not valid for its name. Off: accepts any certificate, so that somebody in between can read along.',
} as const satisfies OptionRow;

export const timeout = {
  type: 'integer',
  min: 1,
  max: 300,
  unit: 'seconds',
  default: 30,
  label: 'Time-out',
  help: 'Seconds to wait for each answer of the server.',
} as const satisfies OptionRow;

export const retryHours = {
  type: 'integer',
  min: 0,
  max: 720,
  unit: 'hours',
  default: 48,
  label: 'Retry for',
  help: 'Hours during which a message that could not be delivered is tried again, also across restarts. 0: one try only.',
} as const satisfies OptionRow;

export const sendingModem = {
  type: 'reference',
  to: 'modem',
  label: 'Modem',
  help: 'Name of the modem that sends. Empty: any.',
} as const satisfies OptionRow;

/** TCP port of a server that the gateway connects to. */
export const clientPort = {
  type: 'port',
  min: 1,
  original: true,
  label: 'Server port',
  help: 'TCP port of the server. Empty: the usual one.',
} as const satisfies OptionRow;

/* Rows of the servers that clients log in to. */

export const maxFailures = {
  type: 'integer',
  min: 0,
  max: 1000,
  unit: 'logins',
  default: 10,
  label: 'Failed logins',
  help: 'Wrong logins after which an address is locked out. 0: never.',
} as const satisfies OptionRow;

export const lockout = {
  type: 'integer',
  min: 1,
  max: 86_400,
  unit: 'seconds',
  default: 300,
  label: 'Lock-out time',
  help: 'Seconds that an address stays locked out.',
} as const satisfies OptionRow;
