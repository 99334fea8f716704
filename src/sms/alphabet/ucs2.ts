import { textOfUnits } from '../octets.ts';

/** Text of UTF-16BE octets (UCS2 as phones use it, surrogate pairs included). Half a unit at the end is dropped. */
export function decodeUcs2(octets: Uint8Array): string {
  const units = new Uint16Array(octets.length >> 1);
  for (let at = 0; at < units.length; at++) units[at] = ((octets[2 * at] ?? 0) << 8) | (octets[2 * at + 1] ?? 0);
  return textOfUnits(units);
}

export function encodeUcs2(text: string): Uint8Array {
  const octets = new Uint8Array(text.length * 2);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    octets[2 * at] = unit >> 8;
    octets[2 * at + 1] = unit;
  }
  return octets;
}
