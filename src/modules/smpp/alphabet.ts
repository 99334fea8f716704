import { decodeSeptets, decodeUcs2, encodeSeptets, encodeUcs2 } from '../../sms/index.ts';
import { SmppError, status } from './status.ts';

/** What data_coding 0 means: the option `default_alphabet`. */
export type DefaultAlphabet = 'gsm' | 'latin1' | 'ascii';
/** `gsm`: one septet an octet. */
export type Charset = DefaultAlphabet | 'ucs2';

/** The text of octets. Throws SmppError for octets that are not of the character set. */
export function decodeText(octets: Uint8Array, charset: Charset): string {
  if (charset === 'ucs2') {
    if (octets.length % 2 !== 0) throw new SmppError(status.RINVMSGLEN);
    return decodeUcs2(octets);
  }
  if (charset !== 'latin1' && octets.some((octet) => octet > 0x7f)) throw new SmppError(status.RSUBMITFAIL);
  return charset === 'gsm' ? decodeSeptets(octets) : Buffer.from(octets).toString('latin1');
}

/** The octets of a text, or undefined when the character set has not all of its characters. */
export function encodeText(text: string, charset: Charset): Uint8Array | undefined {
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
