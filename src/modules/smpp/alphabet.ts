import { decodeSeptets, decodeUcs2, encodeSeptets, encodeUcs2 } from '../../sms/index.ts';
import { SmppError, status } from './status.ts';

/** What data_coding 0 means: the option `default_alphabet`. */
export type DefaultAlphabet = 'gsm' | 'latin1' | 'ascii';
/** `gsm`: one septet an octet. */
export type Charset = DefaultAlphabet | 'cyrillic' | 'hebrew' | 'ucs2';

/** The text of octets. Throws SmppError for octets that are not of the character set. */
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

/** ISO 8859-5: the Cyrillic block of Unicode in its order, but for four characters. */
function cyrillic(octet: string): string {
  if (octet === '\xa0' || octet === '\xad') return octet;
  if (octet === '\xf0') return '\u2116';
  if (octet === '\xfd') return '\xa7';
  return String.fromCharCode(octet.charCodeAt(0) - 0xa0 + 0x400);
}

/** ISO 8859-8: Latin-1 below 0xBF, but for three octets; the Hebrew letters; two marks of direction. */
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

/** The octets of a text, or undefined when the character set has not all of its characters. */
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
