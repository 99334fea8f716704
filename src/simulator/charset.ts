import { decodeSeptets, decodeUcs2, encodeSeptets, encodeUcs2, fromHex, toHex } from '../sms/index.ts';
import type { CharacterSet } from './settings.ts';

/** Text as it crosses the line, one character an octet: TS 27.007 5.5. What the set has not is a question mark. */
export function encodeText(charset: CharacterSet, text: string): string {
  if (charset === 'UCS2') return toHex(encodeUcs2(text));
  if (charset === 'IRA') return text.replace(/[^\n\r -~]/gu, '?');
  let octets = '';
  for (const character of text) octets += String.fromCharCode(...(encodeSeptets(character) ?? [0x3f]));
  return octets;
}

/** The text of what crossed the line. Throws SmsError for a UCS2 string that is none. */
export function charsetText(charset: CharacterSet, octets: string): string {
  if (charset === 'IRA') return octets;
  return charset === 'GSM' ? decodeSeptets(Buffer.from(octets, 'latin1')) : decodeUcs2(fromHex(octets));
}
