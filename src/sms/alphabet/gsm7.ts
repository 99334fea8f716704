import { lockingTable, NO_SHIFT, type Shift, singleTable } from './national.ts';
import { ESCAPE, type Table, UNDEFINED } from './table.ts';
import { unitsToText } from './units.ts';

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
  return unitsToText(units.subarray(0, length));
}

/** A septet, or ESCAPE in the high octet and the septet after it in the low one. */
type Code = number;

/** One map for each pair of tables in use; at most 14 by 14, and then only when an operator lists every language. */
const codes = new Map<number, ReadonlyMap<number, Code>>();

function codesOf({ locking, single }: Shift): ReadonlyMap<number, Code> {
  const key = (locking << 8) | single;
  let map = codes.get(key);
  if (map === undefined) {
    map = invert(lockingTable(locking), singleTable(single));
    codes.set(key, map);
  }
  return map;
}

function invert(locking: Table, single: Table): ReadonlyMap<number, Code> {
  const map = new Map<number, Code>();
  // From the back, so that of two places with one character the first stays.
  for (let septet = 127; septet >= 0; septet--) map.set(single[septet] ?? UNDEFINED, (ESCAPE << 8) | septet);
  for (let septet = 127; septet >= 0; septet--) map.set(locking[septet] ?? UNDEFINED, septet);
  map.delete(UNDEFINED);
  return map;
}

/** Unpacked septets of a text, or undefined when a character is in neither table. */
export function encodeSeptets(text: string, shift: Shift = NO_SHIFT): Uint8Array | undefined {
  const map = codesOf(shift);
  const septets = new Uint8Array(text.length * 2);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const code = map.get(text.charCodeAt(at));
    if (code === undefined) return undefined;
    if (code > 0x7f) septets[length++] = ESCAPE;
    septets[length++] = code & 0x7f;
  }
  return septets.subarray(0, length);
}

export function isEncodable(unit: number, shift: Shift = NO_SHIFT): boolean {
  return codesOf(shift).has(unit);
}
