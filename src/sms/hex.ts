import { SmsError } from './error.ts';

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, octet) =>
  octet.toString(16).toUpperCase().padStart(2, '0'),
);

/** Two upper-case digits an octet, as AT commands carry PDUs. */
export function toHex(octets: Uint8Array): string {
  let hex = '';
  for (const octet of octets) hex += PAIRS[octet];
  return hex;
}

/** The octets of a hexadecimal text in either case. Throws SmsError `invalid` for anything else than whole octets. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0) throw new SmsError('invalid', `odd number of hexadecimal digits (${hex.length})`);
  const octets = new Uint8Array(hex.length / 2);
  for (let at = 0; at < octets.length; at++) {
    const high = digit(hex.charCodeAt(2 * at));
    const low = digit(hex.charCodeAt(2 * at + 1));
    if (high < 0 || low < 0) throw new SmsError('invalid', `not a hexadecimal octet at digit ${2 * at}`);
    octets[at] = (high << 4) | low;
  }
  return octets;
}

function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
