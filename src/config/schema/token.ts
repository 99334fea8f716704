import type { SectionSchema } from './option.ts';

/** What a client of the REST interface may do. `admin` includes the others. */
export const scopes = ['send', 'read', 'delete', 'admin'] as const;

export type Scope = (typeof scopes)[number];

export const token = {
  name: 'token',
  label: 'API token',
  help: 'One section for each program that uses the REST interface with a token of its own; `smsgw token create` and the pages write it.',
  options: {
    enabled: { type: 'boolean', default: true, label: 'Enable', help: 'Whether the token is accepted.' },
    name: {
      type: 'string',
      pattern: /^[A-Za-z0-9_.-]{1,32}$/,
      form: '1 to 32 letters, digits, dots, dashes and underscores',
      needed: true,
      unique: true,
      label: 'Name',
      help: 'The program that has the token. Its messages have the source token:NAME.',
    },
    hash: {
      type: 'string',
      pattern: /^[0-9a-f]{8}:[0-9a-f]{64}$/,
      form: 'a line of smsgw token create',
      needed: true,
      secret: true,
      label: 'Hash',
      help: 'What the token is recognised by: its first digits, and the SHA-256 of the whole. `smsgw token create NAME` makes both and shows the token once, as the pages do.',
    },
    scope: {
      type: 'list',
      of: { type: 'enum', values: scopes },
      default: ['send'],
      label: 'Scopes',
      help: 'What the token may do: "send" messages and follow them, "read" messages and states, "delete" messages, "admin" for everything.',
    },
    allow_from: {
      type: 'list',
      of: { type: 'network' },
      label: 'Allowed clients',
      help: 'Addresses or networks that may use the token. Empty: all.',
    },
    daily_limit: {
      type: 'integer',
      min: 0,
      max: 1_000_000,
      unit: 'messages',
      default: 0,
      label: 'Daily limit',
      help: 'How many messages it may send on a day of the router; each recipient counts, and each retry. 0: any number.',
    },
    expires: {
      type: 'date',
      label: 'Expires',
      help: 'When the token ends, YYYY-MM-DD HH:MM, time of the router. Empty: never.',
    },
  },
} as const satisfies SectionSchema;
