import {
  concatenationElement,
  concatenationOf,
  decodeDcs,
  decodeSeptets,
  decodeUcs2,
  encodeDcs,
  encodeSeptets,
  encodeUcs2,
  type InformationElement,
  portsElement,
  portsOf,
  toHex,
  toUserData,
  udhOf,
} from '../../sms/index.ts';
import type { Content } from '../../store/message.ts';
import type { Tlvs } from './layout.ts';
import { SmppError, status } from './status.ts';

/** The parameters of a submitted message. */
export interface Submitted extends Tlvs {
  readonly esm_class: number;
  readonly data_coding: number;
  readonly protocol_id?: number;
  readonly short_message?: Buffer;
}

/** esm_class, SMPP 3.4 5.2.12. */
const UDHI = 0x40;

/** The content of a submitted message. Throws SmppError. */
export function contentOf(submitted: Submitted, alphabet: DefaultAlphabet): Content {
  const pid = submitted.protocol_id ?? 0;
  const { elements, octets } = takeHeader(submitted);
  const coding = readCoding(submitted.data_coding, alphabet);
  if (coding.type === 'binary') return dataContent(coding.dcs, pid, elements, octets);
  // A part may end within a character: phones join the octets before they decode them.
  if (coding.charset === 'ucs2' && octets.length % 2 !== 0 && concatenationOf({ elements }) === undefined) {
    throw new SmppError(status.RINVMSGLEN);
  }
  const text = decodeText(octets, coding.charset);
  const { dcs } = coding;
  if (pid === 0 && elements.length === 0 && asText(dcs, text)) {
    return { type: 'text', text, ...(decodeDcs(dcs).messageClass === 0 && { flash: true }) };
  }
  return textData(dcs, pid, elements, text, octets, coding.charset);
}

/** Whether the gateway, which chooses the alphabet by the text, chooses the client's. */
function asText(dcs: number, text: string): boolean {
  const { alphabet, messageClass = 0, waiting, autoDelete } = decodeDcs(dcs);
  if (messageClass !== 0 || waiting !== undefined || autoDelete) return false;
  return alphabet === 'gsm7' || encodeSeptets(text) === undefined;
}

function textData(
  dcs: number,
  pid: number,
  elements: readonly InformationElement[],
  text: string,
  octets: Uint8Array,
  charset: Charset,
): Content {
  const { alphabet, messageClass } = decodeDcs(dcs);
  if (alphabet === 'ucs2') return dataContent(dcs, pid, elements, octets);
  // A header may name national tables, which the decoder above ignores: the septets stay as they are.
  const septets = charset === 'gsm' ? octets : encodeSeptets(text);
  if (septets !== undefined) return dataContent(dcs, pid, elements, septets);
  return dataContent(encodeDcs('ucs2', messageClass), pid, elements, encodeUcs2(text));
}

function dataContent(dcs: number, pid: number, elements: readonly InformationElement[], octets: Uint8Array): Content {
  const udh = toHex(udhOf({ elements }));
  return { type: 'data', dcs, data: toHex(octets), ...(pid !== 0 && { pid }), ...(udh !== '' && { udh }) };
}

type Coding =
  | { readonly type: 'binary'; readonly dcs: number }
  | { readonly type: 'text'; readonly dcs: number; readonly charset: Charset };

/** A data_coding as TP-DCS. Throws SmppError where TP-DCS has no such coding. */
function readCoding(coding: number, alphabet: DefaultAlphabet): Coding {
  switch (coding) {
    case codings.smscDefault:
      return { type: 'text', dcs: encodeDcs('gsm7'), charset: alphabet };
    case codings.ascii:
      return { type: 'text', dcs: encodeDcs('gsm7'), charset: 'ascii' };
    case codings.latin1:
      return { type: 'text', dcs: encodeDcs('gsm7'), charset: 'latin1' };
    case 0x06:
      return { type: 'text', dcs: encodeDcs('gsm7'), charset: 'cyrillic' };
    case 0x07:
      return { type: 'text', dcs: encodeDcs('gsm7'), charset: 'hebrew' };
    case codings.ucs2:
      return { type: 'text', dcs: encodeDcs('ucs2'), charset: 'ucs2' };
    case 0x02:
    case codings.binary:
      return { type: 'binary', dcs: encodeDcs('8bit') };
    default:
      return readDcs(coding, alphabet);
  }
}

/** 0x10 to 0x1F, and 0xC0 and above, are a TP-DCS (TS 23.038 4). */
function readDcs(dcs: number, alphabet: DefaultAlphabet): Coding {
  const { alphabet: coded, compressed, reserved } = decodeDcs(dcs);
  if (dcs < 0x10 || (dcs > 0x1f && dcs < 0xc0) || compressed || reserved) throw new SmppError(status.RSUBMITFAIL);
  if (coded === '8bit') return { type: 'binary', dcs };
  return { type: 'text', dcs, charset: coded === 'ucs2' ? 'ucs2' : alphabet };
}

/** The user data header, from the message and from optional parameters, and the octets behind it. */
function takeHeader(submitted: Submitted): { elements: readonly InformationElement[]; octets: Uint8Array } {
  const message = payloadOf(submitted);
  const { elements, octets } = hasHeader(submitted) ? splitHeader(message) : { elements: [], octets: message };
  const added = [...portElements(submitted), ...segmentElements(submitted)];
  const own = { elements };
  const missing = added.filter((element) => {
    const present = concatenationOf({ elements: [element] }) === undefined ? portsOf(own) : concatenationOf(own);
    return present === undefined;
  });
  return { elements: [...elements, ...missing], octets };
}

const hasHeader = ({ esm_class }: Submitted): boolean => (esm_class & UDHI) !== 0;

function payloadOf({ short_message, message_payload }: Submitted): Uint8Array {
  // SMPP 3.4 5.3.2.32: either short_message or message_payload.
  if (short_message !== undefined && short_message.length > 0 && message_payload !== undefined) {
    throw new SmppError(status.RINVTLVVAL);
  }
  return message_payload ?? short_message ?? new Uint8Array();
}

function splitHeader(message: Uint8Array): { elements: readonly InformationElement[]; octets: Uint8Array } {
  const [length = 0] = message;
  const header = message.subarray(1, 1 + length);
  const { elements } = toUserData(header, header);
  if (length === 0 || header.length < length || elements.length === 0) throw new SmppError(status.RINVMSGLEN);
  return { elements, octets: message.subarray(1 + length) };
}

/** SMPP 3.4 5.3.2.22 to .24: all three or none of them. Parts stay parts; the phone joins them. */
function segmentElements({ sar_msg_ref_num, sar_total_segments, sar_segment_seqnum }: Submitted) {
  if (sar_msg_ref_num === undefined && sar_total_segments === undefined && sar_segment_seqnum === undefined) return [];
  if (sar_msg_ref_num === undefined) throw new SmppError(status.RINVTLVVAL);
  const [total = 0, sequence = 0] = [sar_total_segments, sar_segment_seqnum];
  if (sequence === 0 || sequence > total) throw new SmppError(status.RINVTLVVAL);
  const bits = sar_msg_ref_num > 0xff ? 16 : 8;
  return total === 1 ? [] : [concatenationElement({ reference: sar_msg_ref_num, bits, total, sequence })];
}

/** SMPP 3.4 5.3.2.20 and .21. */
function portElements({ source_port, destination_port }: Submitted): readonly InformationElement[] {
  if (destination_port === undefined) return [];
  return [portsElement({ bits: 16, destination: destination_port, source: source_port ?? 0 })];
}

// esm_class bits 1 and 0, SMPP 3.4 5.2.12.
const MODE = 0x03;
const TRANSACTION = 0x02;

/** Transaction mode: the answer waits until the network has accepted or refused the message. */
export const isTransaction = ({ esm_class }: { readonly esm_class: number }): boolean =>
  (esm_class & MODE) === TRANSACTION;

/** The meaning of data_coding 0: the option `default_alphabet`. */
export type DefaultAlphabet = 'gsm' | 'latin1' | 'ascii';
/** `gsm`: one septet an octet. */
export type Charset = DefaultAlphabet | 'cyrillic' | 'hebrew' | 'ucs2';

/** The text of octets. Throws SmppError for octets outside the character set. */
export function decodeText(octets: Uint8Array, charset: Charset): string {
  switch (charset) {
    case 'ucs2':
      return decodeUcs2(octets);
    case 'latin1':
      return latin1(octets);
    case 'cyrillic':
      return latin1(octets).replace(/[\xa0-\xff]/g, cyrillic);
    case 'hebrew':
      return latin1(octets).replace(/[\xa0-\xff]/g, hebrew);
    case 'gsm':
    case 'ascii':
      if (octets.some((octet) => octet > 0x7f)) throw new SmppError(status.RSUBMITFAIL);
      return charset === 'gsm' ? decodeSeptets(octets) : latin1(octets);
  }
}

const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

/** ISO 8859-5: the Cyrillic block of Unicode in its order, except four characters. */
function cyrillic(octet: string): string {
  if (octet === '\xa0' || octet === '\xad') return octet;
  if (octet === '\xf0') return '\u2116';
  if (octet === '\xfd') return '\xa7';
  return String.fromCharCode(octet.charCodeAt(0) - 0xa0 + 0x400);
}

/** ISO 8859-8: Latin-1 below 0xBF except three octets, the Hebrew letters, two direction marks. */
function hebrew(octet: string): string {
  const code = octet.charCodeAt(0);
  if (octet === '\xaa') return '\xd7';
  if (octet === '\xba') return '\xf7';
  if (octet === '\xdf') return '\u2017';
  if (octet === '\xfd' || octet === '\xfe') return String.fromCharCode(code - 0xfd + 0x200e);
  if (code >= 0xe0 && code <= 0xfa) return String.fromCharCode(code - 0xe0 + 0x5d0);
  if (octet === '\xa1' || code >= 0xbf) throw new SmppError(status.RSUBMITFAIL);
  return octet;
}

/** The octets of a text; undefined when the character set lacks one of its characters. */
export function encodeText(text: string, charset: DefaultAlphabet | 'ucs2'): Uint8Array | undefined {
  switch (charset) {
    case 'ucs2':
      return encodeUcs2(text);
    case 'gsm':
      return encodeSeptets(text);
    case 'latin1':
      return /^[\0-\xff]*$/.test(text) ? Buffer.from(text, 'latin1') : undefined;
    case 'ascii':
      return /^[\0-\x7f]*$/.test(text) ? Buffer.from(text, 'latin1') : undefined;
  }
}

/** data_coding of a text, SMPP 3.4 5.2.19. */
export const codings = { smscDefault: 0x00, ascii: 0x01, binary: 0x04, latin1: 0x03, ucs2: 0x08 } as const;
