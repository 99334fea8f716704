import type { OptionRow } from './option.ts';

/** Rows that every server has which clients log in to. */
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
