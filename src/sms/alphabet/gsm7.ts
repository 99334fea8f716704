import { textOfUnits } from '../octets.ts';
import { lockingTable, NO_SHIFT, type Shift, singleTable } from './national.ts';
import { ESCAPE, type Table, UNDEFINED } from './table.ts';

const SPACE = 0x20;

/** Text of unpacked septets. Never fails: TS 23.038 6.2.1.1 gives every septet, even an undefined one, a reading. */
export function decodeSeptets(septets: Uint8Array, shift: Shift = NO_SHIFT): string {
  const locking = lockingTable(shift.locking);
  const single = singleTable(shift.single);
  const units = new Uint16Array(septets.length);
  let length = 0;
  for (let at = 0; at < septets.length; at++) {
    let septet = (septets[at] ?? 0) & 0x7f;
    let unit = UNDEFINED;
    if (septet === ESCAPE) {
      at++;
      // An escape at the very end has nothing to escape.
      if (at === septets.length) break;
      septet = (septets[at] ?? 0) & 0x7f;
      unit = single[septet] ?? UNDEFINED;
    }
    if (unit === UNDEFINED) unit = locking[septet] ?? UNDEFINED;
    units[length++] = unit === UNDEFINED ? SPACE : unit;
  }
  return textOfUnits(units.subarray(0, length));
}

/** By UTF-16 code unit: the septet, with `ESCAPED` when an escape goes before it, or UNDEFINED. */
type Codes = Uint16Array;

const ESCAPED = 0x80;
/** The last character of any alphabet is U+221E. */
const CODES_LENGTH = 0x221f;

/** One for each pair of tables in use; there are at most 14 by 14. */
const codesInUse = new Map<number, Codes>();

function codesOf({ locking, single }: Shift): Codes {
  const key = (locking << 8) | single;
  let codes = codesInUse.get(key);
  if (codes === undefined) {
    codes = invert(lockingTable(locking), singleTable(single));
    codesInUse.set(key, codes);
  }
  return codes;
}

function invert(locking: Table, single: Table): Codes {
  const codes = new Uint16Array(CODES_LENGTH).fill(UNDEFINED);
  // From the back, so that of two places with one character the first stays. Writes beyond the end are dropped.
  for (let septet = 127; septet >= 0; septet--) codes[single[septet] ?? UNDEFINED] = ESCAPED | septet;
  for (let septet = 127; septet >= 0; septet--) codes[locking[septet] ?? UNDEFINED] = septet;
  return codes;
}

/** Unpacked septets of a text, or undefined when a character is in neither table. */
export function encodeSeptets(text: string, shift: Shift = NO_SHIFT): Uint8Array | undefined {
  const codes = codesOf(shift);
  const length = countSeptets(text, codes);
  if (length === undefined) return undefined;
  const septets = new Uint8Array(length);
  for (let from = 0, to = 0; from < text.length; from++) {
    const code = codes[text.charCodeAt(from)] ?? UNDEFINED;
    if (code >= ESCAPED) septets[to++] = ESCAPE;
    septets[to++] = code & 0x7f;
  }
  return septets;
}

function countSeptets(text: string, codes: Codes): number | undefined {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = codes[text.charCodeAt(at)] ?? UNDEFINED;
    if (code === UNDEFINED) return undefined;
    if (code >= ESCAPED) count++;
  }
  return count;
}

export function isEncodable(unit: number, shift: Shift = NO_SHIFT): boolean {
  return (codesOf(shift)[unit] ?? UNDEFINED) !== UNDEFINED;
}
