/** Rows of the functions that act on events: which events they take. */

import type { OptionRow } from './option.ts';
import { everySms } from './shared-rows.ts';

export const eventNames = [
  'sms.received',
  'sms.sent',
  'sms.delivered',
  'sms.failed',
  'modem.state',
  'call.incoming',
] as const;

export const eventRows = {
  event: {
    type: 'list',
    of: { type: 'enum', values: eventNames },
    default: ['sms.received'],
    label: 'Events',
    help: 'What happens: a message is received, sent, delivered, or failed for good; a modem comes to another state; somebody calls.',
  },
  number: {
    type: 'list',
    of: { type: 'string', minLength: 1, maxLength: 40 },
    label: 'Phone numbers',
    help: 'Only messages from or to these numbers, messages from these names, and calls from these numbers. Empty: all.',
  },
  text: {
    type: 'list',
    of: { type: 'string', minLength: 1, maxLength: 160 },
    label: 'Texts',
    help: 'Only messages with one of these texts; case and white space do not matter. Empty: all.',
  },
  match: {
    type: 'enum',
    values: ['contains', 'prefix', 'exact'],
    default: 'contains',
    label: 'Match',
    help: 'Whether the message contains the text, begins with its words, or is the text.',
  },
  modem: {
    type: 'list',
    of: { type: 'reference', to: 'modem' },
    label: 'Modems',
    help: 'Only what happens at these modems. Empty: all.',
  },
  every_sms: {
    type: 'boolean',
    default: everySms.default,
    label: 'SMS Utilities rules too',
    help: 'On: also received messages that trigger a rule.',
  },
} as const satisfies Readonly<Record<string, OptionRow>>;
