import type { OptionRow } from './option.ts';

/** Rows that every function has which connects to a server. */
export const caFile = {
  type: 'file',
  label: 'CA file',
  help: 'PEM file with the certificates to verify the server by. Empty: the usual authorities.',
} as const satisfies OptionRow;

export const sslVerify = {
  type: 'boolean',
  default: true,
  label: 'Verify certificate',
  help: 'Refuses a server whose certificate is not valid for its name. Off: takes any, so that whoever sits in between can read along.',
} as const satisfies OptionRow;

export const timeout = {
  type: 'integer',
  min: 1,
  max: 300,
  unit: 'seconds',
  default: 30,
  label: 'Time-out',
  help: 'Seconds that the server has for each answer.',
} as const satisfies OptionRow;

export const retryHours = {
  type: 'integer',
  min: 0,
  max: 720,
  unit: 'hours',
  default: 48,
  label: 'Retry for',
  help: 'Hours during which a message that could not be delivered is tried again, over restarts too. 0: one try only.',
} as const satisfies OptionRow;

export const sendingModem = {
  type: 'string',
  maxLength: 64,
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
