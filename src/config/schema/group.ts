import type { SectionSchema } from './option.ts';

export const group = {
  name: 'group',
  label: 'Phone group',
  help: 'Numbers under one name, for sending and for rules. A group holds numbers only, not other groups.',
  options: {
    name: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      needed: true,
      unique: true,
      original: true,
      label: 'Group name',
      help: 'The name that requests and rules use.',
    },
    tel: { type: 'list', of: { type: 'phone' }, original: true, label: 'Phone numbers', help: 'Members of the group.' },
  },
} as const satisfies SectionSchema;
