import type { OptionRow } from './option.ts';

/** Rows that every function has which acts on incoming messages. */
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
