import { encodeDcs, fromHex, segmentData, toUserData } from '../../sms/index.ts';
import type { InboxMessage } from '../../store/message.ts';
import { destinationFields, type SmppAddress, senderAddress, sourceFields } from './address.ts';
import { codings, type DefaultAlphabet, encodeText } from './content.ts';

export interface IncomingOptions {
  /** The SIM that received it; empty when its number is unknown. */
  readonly to: SmppAddress;
  readonly alphabet: DefaultAlphabet;
  readonly longMessages: LongMessages;
}

/** How a message too long for short_message is sent: in message_payload, or in parts with `sar_*` or with a header. */
export type LongMessages = 'payload' | 'sar' | 'parts';

/** esm_class, SMPP 3.4 5.2.12. */
const UDHI = 0x40;
/** SMPP 3.4 5.2.21. */
const MAX_SHORT_MESSAGE = 254;

/** The parameters of the deliver_sm of a received message; of several where it goes in parts. */
export function incomingFields(message: InboxMessage, { to, alphabet, longMessages }: IncomingOptions) {
  const { data_coding, dcs, octets } = encoded(message, alphabet);
  const addresses = { ...sourceFields(senderAddress(message)), ...destinationFields(to) };
  const udh = fromHex(message.udh ?? '');
  const whole = withHeader(udh, octets);
  const fields = { ...addresses, data_coding, esm_class: udh.length > 0 ? UDHI : 0 };
  if (whole.length <= MAX_SHORT_MESSAGE) return [{ ...fields, short_message: whole }];
  if (longMessages === 'payload') return [{ ...fields, short_message: Buffer.alloc(0), message_payload: whole }];
  const { elements } = toUserData(udh, octets);
  const parts = segmentData(dcs, octets, { elements, reference: message.id });
  if (longMessages === 'parts') {
    return parts.map((part) => ({ ...fields, esm_class: UDHI, short_message: withHeader(part.udh, part.data) }));
  }
  return parts.map(({ data }, at) => ({
    ...{ ...fields, short_message: withHeader(udh, data) },
    ...{ sar_msg_ref_num: message.id & 0xffff, sar_total_segments: parts.length, sar_segment_seqnum: at + 1 },
  }));
}

interface Encoded {
  readonly data_coding: number;
  /** TP-DCS by which the octets are cut into parts. */
  readonly dcs: number;
  readonly octets: Uint8Array;
}

function encoded({ data, text }: InboxMessage, alphabet: DefaultAlphabet): Encoded {
  const octet = encodeDcs('8bit');
  if (data !== undefined) return { data_coding: codings.binary, dcs: octet, octets: fromHex(data) };
  const plain = encodeText(text, alphabet);
  if (plain !== undefined) {
    return { data_coding: codings.smscDefault, dcs: alphabet === 'gsm' ? encodeDcs('gsm7') : octet, octets: plain };
  }
  const latin = alphabet === 'ascii' ? encodeText(text, 'latin1') : undefined;
  if (latin !== undefined) return { data_coding: codings.latin1, dcs: octet, octets: latin };
  return { data_coding: codings.ucs2, dcs: encodeDcs('ucs2'), octets: encodeText(text, 'ucs2') ?? new Uint8Array() };
}

function withHeader(udh: Uint8Array, octets: Uint8Array): Buffer {
  return udh.length === 0 ? Buffer.from(octets) : Buffer.concat([Buffer.from([udh.length]), udh, octets]);
}
