import { MAX_MESSAGE_ID, outboxStateNames } from '../../../store/message.ts';
import { MAX_HOURS } from '../../../store/traffic.ts';
import type { Argument, Signatures } from '../../method.ts';

const id = {
  type: 'integer',
  required: true,
  range: [1, MAX_MESSAGE_ID],
  help: 'The message.',
} as const satisfies Argument;

export const inboxStates = ['unread', 'read'] as const;

/** TS 23.040 9.2.3.12.1: the longest relative validity period is 63 weeks. */
const MAX_VALIDITY_MINUTES = 63 * 7 * 24 * 60;

/** Recipients of one call. */
const MAX_NUMBERS = 250;

const message = {
  id: 'Number of the message, one sequence for both boxes.',
  index: 'Number in the cgi-bin URLs; incoming messages only.',
  box: '`inbox` or `outbox`.',
  number: 'Sender or recipient.',
  text: 'The text; empty for binary messages.',
  alphanumeric: 'Incoming: true when the sender is a name, to which no answer can go.',
  masked: 'Incoming: true when a password, serial number or code of rules is hidden in the text.',
  time: 'Time stamp of the service centre, or when it was submitted; ISO 8601, UTC.',
  not_before: 'Outgoing: not sent before this time; only when one was given.',
  state: `\`${inboxStates.join('`, `')}\`; \`${outboxStateNames.join('`, `')}\`.`,
  modem: 'Modem that received it, sent it, or is to send it; absent while any may take it.',
  parts: 'How many SMS it takes.',
  encoding: '`gsm7`, `ucs2` or `8bit`.',
  missing: 'How many parts never came; only when some did not.',
  error: 'Why it failed or waits; only then.',
  data: 'Incoming, 8-bit: the octets, hexadecimal; in listings only where there is no text.',
  notice: 'Incoming: `waiting` or `mms` where the network announces messages that wait elsewhere.',
} as const;

export const messageSignatures = {
  send: {
    help: 'Puts a message in the outbox: to one number, to several, or to every member of a group. Answers when it is safely stored, or after `wait`.',
    args: {
      number: { type: 'string', help: 'Recipient; this, `numbers` or `group`.' },
      numbers: { type: 'array', range: [1, MAX_NUMBERS], help: `Array of recipients, at most ${MAX_NUMBERS}.` },
      group: { type: 'string', help: 'Name of a phone group.' },
      text: { type: 'string', required: true, help: 'Long texts are split, up to 255 parts.' },
      modem: { type: 'string', help: 'Send by this modem only.' },
      priority: { type: 'integer', range: [0, 3], help: '0 bulk, 1 normal (default), 2 high, 3 alarm.' },
      validity: {
        type: 'integer',
        range: [1, MAX_VALIDITY_MINUTES],
        help: 'Minutes after which it is not worth sending any more; default from the config.',
      },
      flash: { type: 'boolean', help: 'Show at once, do not store (message class 0).' },
      report: {
        type: 'boolean',
        help: 'Ask for a delivery report; default as the option `reports` of the modem says.',
      },
      not_before: {
        type: 'string',
        help: 'Not sent before this time: ISO 8601 with `Z` or an offset. `validity` counts from then.',
      },
      client_ref: {
        type: 'string',
        range: [1, 128],
        help: 'Reference of the caller: the same one within a day returns the first message instead of sending again.',
      },
      wait: {
        type: 'integer',
        range: [0, 300],
        help: 'Seconds to wait for the message to be sent or to fail; default 0.',
      },
    },
    result: {
      id: 'Number of the message; of several the first accepted one.',
      state: '`queued`, or what it came to while waiting.',
      parts: 'How many SMS it takes.',
      encoding: '`gsm7` or `ucs2`.',
      recipients:
        'Only for `numbers` and `group`: for each recipient `number` and `state`, with `id` when it was accepted, with `error` and `code` when not.',
      duplicate: 'True when `client_ref` is that of an earlier message: this is it, and nothing was sent again.',
      error: 'Why it failed or waits; only then.',
      warning: 'Why it will wait until somebody does something: no modem is configured, or none can be opened.',
    },
  },
  list: {
    help: 'Lists messages. Marks nothing as read.',
    args: {
      box: { type: 'string', words: ['inbox', 'outbox'], help: 'Only this box; default both, merged by id.' },
      state: { type: 'string', words: [...inboxStates, ...outboxStateNames], help: 'Only messages in this state.' },
      number: { type: 'string', help: 'Only of this sender or recipient; national and international form are one.' },
      text: { type: 'string', help: 'Only with this in the text, case ignored.' },
      since: { type: 'string', help: 'Only from this time on: ISO 8601, a date, or a time with `Z` or an offset.' },
      changed_since: {
        type: 'string',
        help: 'Only received from this time on, or, outgoing, in their state since then: for whoever was away. A time as in `since`.',
      },
      limit: {
        type: 'integer',
        range: [1, 1000],
        help: 'At most this many; default 100. Long texts make a page shorter.',
      },
      order: { type: 'string', words: ['oldest', 'newest'], help: 'Which come first; default `oldest`.' },
      cursor: { type: 'string', help: 'The `cursor` of the page before, in the same order.' },
    },
    result: {
      messages: 'Array of messages, with the fields of `read`.',
      cursor: 'Where the next page begins; absent on the last page.',
    },
  },
  read: {
    help: 'Returns one message and marks an incoming one as read.',
    args: { id, mark: { type: 'boolean', help: 'Mark as read; default true.' } },
    result: message,
  },
  delete: {
    help: 'Deletes a message from either box.',
    args: { id },
    result: { id: 'The message that is gone.' },
  },
  total: {
    help: 'Counts the incoming messages.',
    args: {},
    result: {
      used: 'Messages in the inbox, those that still wait for parts included.',
      total: 'Capacity of the inbox.',
      unread: 'Messages not yet read.',
    },
  },
  statistics: {
    help: 'Counts messages by the hour. After a restart it knows what inbox and outbox still hold.',
    args: { hours: { type: 'integer', range: [1, MAX_HOURS], help: 'How many hours back; default 24.' } },
    result: {
      hours:
        'Array, oldest first, the hour under way last: `time` (its beginning, ISO 8601, UTC), `in`, `out` (sent), `failed`.',
    },
  },
  status: {
    help: 'Returns everything known about one message. Marks nothing as read.',
    args: { id },
    result: {
      ...message,
      received: 'Incoming: when the last part came.',
      udh: 'Binary messages: the user data header, hexadecimal, without its length.',
      message_class: 'Incoming: message class, 0 is a flash message.',
      part_states: 'Outgoing: for each part `state`, and `mr` (TP-MR) once the modem accepted it.',
      priority: 'Outgoing: 0 to 3.',
      expires: 'Outgoing: when it stops to be worth sending.',
      report: 'Outgoing: whether a delivery report was asked for.',
      attempts: 'Outgoing: how often it was tried.',
      source: 'Outgoing: who submitted it.',
      client_ref: 'Outgoing: reference of the caller.',
      batch: 'Outgoing: id of the first message of the group send it belongs to.',
      changed: 'Outgoing: when it came to its state.',
    },
  },
  cancel: {
    help: 'Cancels a message that has not been sent; of a long one that is begun the rest, where its modem is away or refuses it.',
    args: { id },
    result: { id: 'The message.', state: 'The state it has now.' },
  },
  retry: {
    help: 'Sends a message again that failed, expired, was cancelled or hangs in `unknown`.',
    args: { id },
    result: { id: 'The message.', state: 'The state it has now.' },
  },
  segments: {
    help: 'Shows how a text would be encoded and split. Sends nothing.',
    args: { text: { type: 'string', required: true, help: 'The text.' } },
    result: {
      encoding: '`gsm7` or `ucs2`.',
      parts: 'How many SMS it takes.',
      characters: 'Characters it counts as: septets of GSM 7-bit, UTF-16 units of UCS2.',
      remaining: 'Characters left in the last part.',
    },
  },
} as const satisfies Signatures;
