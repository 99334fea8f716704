import type { PhoneNumber } from '../base/phone-number.ts';

declare const brand: unique symbol;
/**
 * A message's number in the gateway: one sequence for inbox and outbox, 1 to 9,999,999,999, never used again. The same
 * decimal number is the SMPP message_id.
 */
export type MessageId = number & { readonly [brand]: 'MessageId' };

export const MAX_MESSAGE_ID = 9_999_999_999;

/** Shown as the text of a PDU that cannot be decoded; its octets are in `data`. */
export const UNDECODABLE = '<undecodable>';

/** Which alphabet carried the text over the air. */
export type Encoding = 'gsm7' | 'ucs2' | '8bit';

export interface InboxMessage {
  readonly box: 'inbox';
  readonly id: MessageId;
  /** Small number for the cgi URLs, from 0, stable over restarts, not reused soon after a delete. */
  readonly index: number;
  readonly modem: string;
  /** The sender: a phone number or an alphanumeric name. Chosen by a stranger. */
  readonly number: string;
  /** The sender is a name (TS 23.040 9.1.2.5), also where it looks like a number: nobody to answer or to trust. */
  readonly alphanumeric?: true;
  /**
   * Chosen by a stranger. A lost part shows as `<part_missing>`. Empty for binary messages; of 8-bit data that is
   * readable the text, and of a notice a line for people.
   */
  readonly text: string;
  /** A secret of the rules is hidden in the text. */
  readonly masked?: true;
  /** User data of an 8-bit message, hexadecimal; of one that cannot be decoded the whole PDU. */
  readonly data?: string;
  /** The network's word about messages that wait elsewhere: nobody to answer. */
  readonly notice?: 'waiting' | 'mms';
  /** User data header of an 8-bit or port-addressed message, hexadecimal, without its length octet. */
  readonly udh?: string;
  /** Time stamp of the service centre, ms since the epoch. */
  readonly time: number;
  /** When the gateway had the last part, ms since the epoch. */
  readonly received: number;
  readonly state: 'unread' | 'read';
  /** How many TPDUs the message has, missing ones included. */
  readonly parts: number;
  readonly missing: number;
  readonly encoding: Encoding;
  /** TS 23.038 message class; 0 is a flash message. */
  readonly messageClass?: 0 | 1 | 2 | 3;
}

/** What a state says of a message. */
interface StateColumns {
  /** Nothing more is sent. `sent` may still become a state that a delivery report brings. */
  readonly settled: boolean;
  /** The network has all parts, and did not report that it could not deliver them. */
  readonly success: boolean;
  /** It went wrong, or nobody knows: `sms.failed`. */
  readonly failure: boolean;
  /** `retry` sends it again. */
  readonly retryable: boolean;
}

export const outboxStates = {
  queued: { settled: false, success: false, failure: false, retryable: false },
  sending: { settled: false, success: false, failure: false, retryable: false },
  sent: { settled: true, success: true, failure: false, retryable: false },
  delivered: { settled: true, success: true, failure: false, retryable: false },
  undelivered: { settled: true, success: false, failure: true, retryable: true },
  expired: { settled: true, success: false, failure: true, retryable: true },
  failed: { settled: true, success: false, failure: true, retryable: true },
  /** Perhaps sent. */
  unknown: { settled: true, success: false, failure: true, retryable: true },
  cancelled: { settled: true, success: false, failure: false, retryable: true },
} as const satisfies Readonly<Record<string, StateColumns>>;

export type OutboxState = keyof typeof outboxStates;

export const outboxStateNames = Object.keys(outboxStates) as readonly OutboxState[];

/** What is to be sent: text, which the gateway encodes and splits, or octets as an ESME composed them. */
export type Content =
  | { readonly type: 'text'; readonly text: string; readonly flash?: boolean }
  | {
      readonly type: 'data';
      /** TP-DCS octet, TS 23.038 4. */
      readonly dcs: number;
      /** TP-PID octet, TS 23.040 9.2.3.9. */
      readonly pid?: number;
      /** User data header, hexadecimal, without its length octet. One part only when given. */
      readonly udh?: string;
      /** User data, hexadecimal: one septet an octet for GSM 7-bit, UTF-16BE for UCS2, octets for 8-bit. */
      readonly data: string;
    };

export interface OutboxPart {
  /** TP-MR that the modem gave when it accepted the part. */
  readonly mr?: number;
  readonly state: 'queued' | 'sending' | 'sent' | 'delivered' | 'undelivered' | 'expired' | 'ambiguous';
}

export interface OutboxMessage {
  readonly box: 'outbox';
  readonly id: MessageId;
  /** The modem that sent it, or that it is meant for; absent while any may take it. */
  readonly modem?: string;
  readonly number: PhoneNumber;
  readonly content: Content;
  /** The text, for people; empty for binary content. */
  readonly text: string;
  readonly encoding: Encoding;
  /** When it was submitted, ms since the epoch. */
  readonly time: number;
  readonly state: OutboxState;
  readonly parts: number;
  readonly partStates: readonly OutboxPart[];
  /** 0 bulk, 1 normal, 2 high, 3 alarm. */
  readonly priority: number;
  /** When it stops to be worth sending, ms since the epoch. */
  readonly expires: number;
  /** Whether it asks for a delivery report; absent, the modem's option `reports` decides. */
  readonly report?: boolean;
  readonly attempts: number;
  /** Not before this time, ms since the epoch. */
  readonly notBefore?: number;
  /** Who submitted it: `cgi`, `rpc`, `smpp:admin`, a module's name. */
  readonly source: string;
  readonly clientRef?: string;
  /** First message of the group send that this one belongs to. */
  readonly batch?: MessageId;
  /** What the submitter wants to find again with the message; means nothing to others. */
  readonly tag?: string;
  /** Why it failed or waits, a sentence. */
  readonly error?: string;
  /** When it reached its state, ms since the epoch. */
  readonly changed: number;
  /** Only in the answer to a submit: an earlier request has made this message, and nothing new was stored. */
  readonly repeated?: true;
}

export type Message = InboxMessage | OutboxMessage;

/** Which messages a listing shows. */
export interface MessageQuery {
  readonly state?: string;
  /** Sender or recipient, compared as subscribers: national and international form are one. */
  readonly number?: string;
  /** Part of the text, case ignored. */
  readonly text?: string;
  /** Received or submitted at this time or later, ms since the epoch. */
  readonly since?: number;
  /** Received at this time or later; of those to send, in their state since then. ms since the epoch. */
  readonly changedSince?: number;
  /** Oldest first when absent. */
  readonly order?: 'oldest' | 'newest';
  /** Only what comes behind this id in that order: where the last page ended. */
  readonly after?: MessageId;
  /** At most this many, 1 to 1000. */
  readonly limit: number;
  /** The page ends before it has more characters than this, with one message at least. */
  readonly characters?: number;
}

/** What a message counts for in a page, beside its text: its other fields. */
const FIELDS = 300;

/** Characters that the message takes in a page. */
export function charactersOf(message: Message): number {
  const parts = message.box === 'outbox' ? message.parts : 0;
  const data =
    message.box === 'inbox' ? message.data : message.content.type === 'data' ? message.content.data : undefined;
  return FIELDS + message.text.length + (data?.length ?? 0) + 4 * parts;
}

/** Whether a page has no room for the next message, with which it would have so many characters. */
export const isFull = (messages: readonly Message[], query: MessageQuery, characters: number): boolean =>
  messages.length === query.limit ||
  (messages.length > 0 && characters > (query.characters ?? Number.POSITIVE_INFINITY));

export interface MessagePage<M extends Message> {
  readonly messages: readonly M[];
  /** Whether more follow the last one. */
  readonly more: boolean;
}

/** Events of the store, each after its change is durable. */
export interface StoreEvents {
  'sms.received': InboxMessage;
  'sms.sent': OutboxMessage;
  'sms.delivered': OutboxMessage;
  'sms.failed': OutboxMessage;
  /** A ceiling of SMS is reached that was not within the hour before. */
  'limit.reached': { readonly text: string };
  /** A message has come to the outbox, or has changed its state. Only inside the gateway: callers get the events above. */
  'outbox.changed': { readonly id: MessageId };
}
