import type { SectionSchema } from './option.ts';
import { enabledRow, lockout, maxFailures, sendingModem } from './shared-rows.ts';

export const postGet = {
  name: 'post_get',
  label: 'Post/Get',
  help: 'The cgi-bin URLs: sms_list, sms_read, sms_send, sms_total and sms_delete.',
  options: {
    enabled: enabledRow('SMS Post/Get'),
    username: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      default: 'user1',
      original: true,
      label: 'User name',
      help: 'User name that requests must give.',
    },
    password: {
      type: 'string',
      minLength: 5,
      maxLength: 256,
      default: 'user_pass',
      secret: true,
      original: true,
      label: 'Password',
      help: 'Password that requests must give, at least 5 characters: plain, or a crypt hash ($1$, $5$, $6$). The factory password is accepted from private addresses only, from no page of another site, and for sending only where that is switched on.',
    },
    factory_sends: {
      type: 'boolean',
      default: false,
      label: 'Send with the factory password',
      help: 'On: sms_send works with the factory password, too. Everybody knows it, and any program on the network could send messages at your cost: choose a password instead.',
    },
    date_format: {
      type: 'enum',
      values: ['ctime', 'iso'],
      default: 'ctime',
      label: 'Date format',
      help: 'How sms_list and sms_read write times: "ctime" as firmware from 7.03 on (Wed Dec 28 17:19:31 2022), "iso" as older ones.',
    },
    strict_status: {
      type: 'boolean',
      default: false,
      label: 'Strict HTTP status',
      help: 'On: errors carry a 4xx or 5xx status. Off: as the original, 200 with an error word, and 401 for a bad login.',
    },
    allow_from: {
      type: 'list',
      of: { type: 'network' },
      label: 'Allowed clients',
      help: 'Addresses or networks that may use the URLs. Empty: all.',
    },
    send_timeout: {
      type: 'integer',
      min: 0,
      max: 50,
      unit: 'seconds',
      default: 30,
      label: 'Wait for sending',
      help: 'Seconds that sms_send waits for the modem before it answers TIMEOUT. 0: answers OK as soon as the message is safely queued.',
    },
    max_failures: maxFailures,
    lockout,
    modem: sendingModem,
  },
} as const satisfies SectionSchema;
