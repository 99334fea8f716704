import type { OutboxMessage, OutboxState } from '../../store/message.ts';
import { causeIn } from '../../store/sender.ts';
import { destinationFields, type SmppAddress, sourceFields } from './address.ts';
import { formatReceiptTime } from './time.ts';

/** registered_delivery, SMPP 3.4 5.2.17. */
const registered = { outcome: 0b11, success: 1, failure: 2, intermediate: 0x10 } as const;
/** esm_class of receipts and notifications, SMPP 3.4 5.2.12. */
const esmClass = { receipt: 0x04, intermediate: 0x20 } as const;
/** Characters of the message that a receipt repeats, SMPP 3.4 appendix B. */
const MAX_TEXT = 20;
/** Network type, SMPP 3.4 5.3.2.31. */
const GSM = 3;

/** A delivery receipt, or an intermediate notification. */
export interface Receipt {
  readonly id: string;
  readonly final: boolean;
  readonly state: number;
  readonly word: string;
  /** The network's cause of a failure; 0 when unknown. */
  readonly cause: number;
  readonly submitted: number;
  readonly done: number;
  readonly text: string;
  /** The addresses as the client wrote them. */
  readonly source: SmppAddress;
  readonly destination: SmppAddress;
  /** user_message_reference of the submit. */
  readonly reference?: number | undefined;
}

/** The receipt or notification that the client asked for at the message's present state; undefined for none. */
export function receiptOf(message: OutboxMessage, tag: SubmitTag): Receipt | undefined {
  const state = wanted(message, tag);
  if (state === undefined) return undefined;
  return {
    id: clientsId(message),
    ...{ final: state.final, state: state.value, word: state.word },
    cause: causeIn(message.error) ?? 0,
    ...{ submitted: message.time, done: message.changed },
    text: textOf(message),
    ...{ source: tag.source, destination: tag.destination, reference: tag.reference },
  };
}

/** The message_id that the client knows: all recipients of a submit_multi share the id of the first. */
export const clientsId = ({ id, batch }: OutboxMessage): string => `${batch ?? id}`;

function wanted({ state }: OutboxMessage, { registered: flags }: SubmitTag): MessageState | undefined {
  if (state === 'sent') return (flags & registered.intermediate) !== 0 ? accepted : undefined;
  const outcome = flags & registered.outcome;
  if (outcome === registered.success || (outcome === registered.failure && state !== 'delivered')) {
    return messageState(state);
  }
  return undefined;
}

function textOf({ content, encoding, text }: OutboxMessage): string {
  if (encoding !== 'gsm7' || (content.type === 'data' && content.udh !== undefined)) return '';
  return text.replace(/[^ -~]/gu, ' ').slice(0, MAX_TEXT);
}

/** The receipt as the parameters of a deliver_sm, SMPP 3.4 4.6 and appendix B. `tlvs`: the client knows optional parameters. */
export function receiptFields(receipt: Receipt, tlvs: boolean) {
  const { id, final, state, word, cause, source, destination, reference } = receipt;
  const text = [
    `id:${id} sub:001 dlvrd:${word === 'DELIVRD' ? '001' : '000'}`,
    `submit date:${formatReceiptTime(receipt.submitted)} done date:${formatReceiptTime(receipt.done)}`,
    `stat:${word} err:${String(cause).padStart(3, '0')} text:${receipt.text}`,
  ].join(' ');
  return {
    ...sourceFields(destination),
    ...destinationFields(source),
    esm_class: final ? esmClass.receipt : esmClass.intermediate,
    data_coding: 0,
    short_message: Buffer.from(text, 'latin1'),
    ...(tlvs && {
      receipted_message_id: id,
      message_state: state,
      ...(reference !== undefined && { user_message_reference: reference }),
      ...(cause > 0 && { network_error_code: Buffer.from([GSM, cause >> 8, cause & 0xff]) }),
    }),
  };
}

/** The note that is stored until a receiver has accepted the receipt. */
export const encodeReceipt = (receipt: Receipt): string => JSON.stringify(receipt);

/** Reads what encodeReceipt wrote. */
export const decodeReceipt = (note: string): Receipt => JSON.parse(note) as Receipt;

/** Stored with a submitted message: the message is found by it, and its receipts are written from it. */
export interface SubmitTag {
  readonly source: SmppAddress;
  readonly destination: SmppAddress;
  readonly serviceType: string;
  readonly dataCoding: number;
  /** registered_delivery, SMPP 3.4 5.2.17. */
  readonly registered: number;
  /** user_message_reference, SMPP 3.4 5.3.2.17: the client's own number for the message. */
  readonly reference?: number | undefined;
  /** With the first message of a submit_multi: how many may have followed it under its message_id. */
  readonly others?: number | undefined;
}

/** Source of the account's messages in the outbox. */
const PREFIX = 'smpp:';
export const sourceOfAccount = (account: string): string => `${PREFIX}${account}`;

export const accountOf = ({ source }: Pick<OutboxMessage, 'source'>): string | undefined =>
  source.startsWith(PREFIX) ? source.slice(PREFIX.length) : undefined;

/** Short: it is stored with every message. */
export function encodeTag({ source, destination, serviceType, dataCoding, registered, ...rest }: SubmitTag): string {
  const values = [registered, dataCoding, serviceType, ...fields(source), ...fields(destination)];
  const { reference = null, others } = rest;
  if (others !== undefined) return JSON.stringify([...values, reference, others]);
  return JSON.stringify(reference === null ? values : [...values, reference]);
}

/** Undefined for a message of another source. */
export function tagOf({ source, tag }: Pick<OutboxMessage, 'source' | 'tag'>): SubmitTag | undefined {
  if (accountOf({ source }) === undefined || tag === undefined) return undefined;
  const values: unknown = JSON.parse(tag);
  if (!Array.isArray(values) || values.length < 9) return undefined;
  // Written by encodeTag: its kinds and their order are known.
  const [registered, dataCoding, serviceType, ...rest] = values as [
    number,
    number,
    string,
    ...(number | string | null)[],
  ];
  const [reference, others] = rest.slice(6);
  return {
    ...{ registered, dataCoding, serviceType, source: address(rest), destination: address(rest.slice(3)) },
    ...(typeof reference === 'number' && { reference }),
    ...(typeof others === 'number' && { others }),
  };
}

const fields = ({ ton, npi, address }: SmppAddress) => [ton, npi, address];
const address = ([ton, npi, address]: readonly (number | string | null)[]): SmppAddress => ({
  ...{ ton: Number(ton), npi: Number(npi), address: String(address) },
});

/** message_state, SMPP 3.4 5.2.28, and the word for it in a receipt (appendix B). */
export interface MessageState {
  readonly value: number;
  readonly word: string;
  /** Whether the state does not change any more by itself. */
  readonly final: boolean;
}

const enroute: MessageState = { value: 1, word: 'ENROUTE', final: false };
export const unknownState: MessageState = { value: 7, word: 'UNKNOWN', final: true };

const states: Readonly<Record<OutboxState, MessageState>> = {
  queued: enroute,
  sending: enroute,
  sent: enroute,
  delivered: { value: 2, word: 'DELIVRD', final: true },
  expired: { value: 3, word: 'EXPIRED', final: true },
  cancelled: { value: 4, word: 'DELETED', final: true },
  undelivered: { value: 5, word: 'UNDELIV', final: true },
  unknown: unknownState,
  // The network or the modem refused it.
  failed: { value: 8, word: 'REJECTD', final: true },
};

/** Of the messages to several recipients the first of these is told: as long as one may change, then the worst. */
const order: readonly MessageState[] = [
  ...[enroute, unknownState, states.failed, states.undelivered, states.expired, states.cancelled, states.delivered],
];

/** The one of several messages that speaks for all of them in `query_sm`. */
export function leastAdvanced<T extends { readonly state: MessageState }>(messages: readonly [T, ...T[]]): T {
  const rank = ({ state }: T) => order.indexOf(state);
  return messages.reduce((least, each) => (rank(each) < rank(least) ? each : least));
}

/** State of an intermediate notification: the network has the message. */
const accepted: MessageState = { value: 6, word: 'ACCEPTD', final: false };

const messageState = (state: OutboxState): MessageState => states[state];

/** The state for `query_sm`: unknown once the validity of a sent message ends without a report. */
export function stateNow({ state, expires }: OutboxMessage, now: number): MessageState {
  return state === 'sent' && expires < now ? unknownState : states[state];
}
