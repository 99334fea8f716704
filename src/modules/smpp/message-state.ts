import type { OutboxMessage, OutboxState } from '../../store/message.ts';

/** message_state, SMPP 3.4 5.2.28, and the word for it in a receipt (appendix B). */
export interface MessageState {
  readonly value: number;
  readonly word: string;
  /** Whether nothing more becomes of the message by itself. */
  readonly final: boolean;
}

const enroute: MessageState = { value: 1, word: 'ENROUTE', final: false };
export const unknown: MessageState = { value: 7, word: 'UNKNOWN', final: true };

const states: Readonly<Record<OutboxState, MessageState>> = {
  queued: enroute,
  sending: enroute,
  sent: enroute,
  delivered: { value: 2, word: 'DELIVRD', final: true },
  expired: { value: 3, word: 'EXPIRED', final: true },
  cancelled: { value: 4, word: 'DELETED', final: true },
  undelivered: { value: 5, word: 'UNDELIV', final: true },
  unknown,
  // The network, or the modem, would not take it.
  failed: { value: 8, word: 'REJECTD', final: true },
};

/** What a notification on the way says: the network has the message. */
export const accepted: MessageState = { value: 6, word: 'ACCEPTD', final: false };

export const messageState = (state: OutboxState): MessageState => states[state];

/** As `query_sm` tells it: of a message that was sent long ago and never reported, nobody knows. */
export function stateNow({ state, expires }: OutboxMessage, now: number): MessageState {
  return state === 'sent' && expires < now ? unknown : states[state];
}
