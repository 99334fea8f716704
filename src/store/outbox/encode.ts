import { GatewayError } from '../../base/errors.ts';
import { decodeDcs, fromHex, type Part, SmsError, segment, segmentData, toUserData } from '../../sms/index.ts';
import type { Content, Encoding, MessageId } from '../message.ts';
import type { Submitted } from './records.ts';

/** A message as the parts that go over the air. */
export interface EncodedMessage {
  readonly encoding: Encoding;
  readonly dcs: number;
  readonly pid: number;
  readonly parts: readonly Part[];
}

/** Hexadecimal digits that cannot fit in 255 parts: one septet an octet at the most. */
const MAX_HEX = 255 * 160 * 2;

interface EncodeOptions {
  readonly transliterate: boolean;
  readonly nationalTables: readonly number[];
}

/** Throws GatewayError invalid_text, text_too_long. */
export function encodeContent(content: Content, id: MessageId, options: EncodeOptions): EncodedMessage {
  try {
    return content.type === 'text' ? encodeText(content, id, options) : encodeData(content, id);
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    throw new GatewayError(error.code === 'too_long' ? 'text_too_long' : 'invalid_text', error.message);
  }
}

/** The same parts as at the submit. */
export function encodeSubmitted({ content, id, transliterate, tables }: Submitted): EncodedMessage {
  return encodeContent(content, id, { transliterate: transliterate === true, nationalTables: tables ?? [] });
}

// The message number serves as concatenation reference: no two messages close in time to one recipient share it.
function encodeText({ text, flash }: Extract<Content, { type: 'text' }>, id: MessageId, options: EncodeOptions) {
  if (text === '') throw new SmsError('invalid', 'the text is empty');
  return { ...segment(text, { ...options, reference: id, flash: flash === true }), pid: 0 };
}

function encodeData({ dcs, pid = 0, udh, data }: Extract<Content, { type: 'data' }>, id: MessageId): EncodedMessage {
  if (data.length > MAX_HEX) throw new SmsError('too_long', 'the message needs more than 255 parts');
  const header = fromHex(udh ?? '');
  const { elements } = toUserData(header, header);
  if (header.length > 0 && elements.length === 0) throw new SmsError('invalid', 'the user data header is malformed');
  const parts = segmentData(dcs, fromHex(data), { elements, reference: id });
  if (header.length > 0 && parts.length > 1) throw new SmsError('too_long', 'data with a header must fit in one part');
  const { alphabet } = decodeDcs(dcs);
  return { encoding: alphabet, dcs, pid, parts };
}
