import type { OutboxMessage } from '../../store/message.ts';
import { causeIn } from '../../store/outbox/reason.ts';
import { destinationFields, type SmppAddress, sourceFields } from './address.ts';
import { accepted, type MessageState, messageState } from './message-state.ts';
import type { SubmitTag } from './tag.ts';
import { formatReceiptTime } from './time.ts';

/** registered_delivery, SMPP 3.4 5.2.17. */
const registered = { outcome: 0b11, success: 1, failure: 2, intermediate: 0x10 } as const;
/** esm_class of what a SMSC says of a message, SMPP 3.4 5.2.12. */
const esmClass = { receipt: 0x04, intermediate: 0x20 } as const;
/** Characters of the message that a receipt repeats, SMPP 3.4 appendix B. */
const MAX_TEXT = 20;
/** SMPP 3.4 5.3.2.31: of GSM. */
const GSM = 3;

/** A delivery receipt, or a notification on the way. */
export interface Receipt {
  readonly id: string;
  readonly final: boolean;
  readonly state: number;
  readonly word: string;
  /** Why it failed, as the network numbers causes; 0 when that is not known. */
  readonly cause: number;
  readonly submitted: number;
  readonly done: number;
  readonly text: string;
  /** The sender and the recipient as the client named them. */
  readonly source: SmppAddress;
  readonly destination: SmppAddress;
  /** user_message_reference of the submit. */
  readonly reference?: number | undefined;
}

/** What a client wants to hear of a message at the state where it is now; undefined for nothing. */
export function receiptOf(message: OutboxMessage, tag: SubmitTag): Receipt | undefined {
  const state = wanted(message, tag);
  if (state === undefined) return undefined;
  return {
    id: receiptId(message),
    ...{ final: state.final, state: state.value, word: state.word },
    cause: causeIn(message.error) ?? 0,
    ...{ submitted: message.time, done: message.changed },
    text: textOf(message),
    ...{ source: tag.source, destination: tag.destination, reference: tag.reference },
  };
}

/** The message_id that the client was given: all recipients of a submit_multi have the first one's. */
export const receiptId = ({ id, batch }: OutboxMessage): string => `${batch ?? id}`;

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

/** The receipt as the parameters of a deliver_sm, SMPP 3.4 4.6 and appendix B. `tlvs`: the client knows of them. */
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

/** As the note that is kept until a receiver takes it. */
export const encodeReceipt = (receipt: Receipt): string => JSON.stringify(receipt);

/** Written by encodeReceipt. */
export const decodeReceipt = (note: string): Receipt => JSON.parse(note) as Receipt;
