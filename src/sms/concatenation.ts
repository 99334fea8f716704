import type { InformationElement } from './information-element.ts';
import type { UserData } from './user-data.ts';

/** Which part of which message this is, TS 23.040 9.2.3.24.1 (8-bit reference) and 9.2.3.24.8 (16-bit). */
export interface Concatenation {
  readonly reference: number;
  readonly bits: 8 | 16;
  /** Number of parts, 1 to 255. */
  readonly total: number;
  /** Number of this part, from 1. */
  readonly sequence: number;
}

const CONCATENATION_8 = 0x00;
const CONCATENATION_16 = 0x08;

/**
 * Undefined for a message of its own: no such element, or only ones with a total of 0 or a sequence out of range,
 * which the standard has the receiver ignore. Of several the last counts (TS 23.040 9.2.3.24).
 */
export function concatenationOf({ elements }: Pick<UserData, 'elements'>): Concatenation | undefined {
  for (let at = elements.length - 1; at >= 0; at--) {
    const element = elements[at];
    const concatenation = element && readConcatenation(element);
    if (concatenation) return concatenation;
  }
  return undefined;
}

function readConcatenation({ id, data }: InformationElement): Concatenation | undefined {
  const bits = id === CONCATENATION_8 && data.length === 3 ? 8 : id === CONCATENATION_16 && data.length === 4 ? 16 : 0;
  if (bits === 0) return undefined;
  const [first = 0, second = 0] = data;
  const [total = 0, sequence = 0] = data.subarray(bits / 8);
  if (sequence === 0 || sequence > total) return undefined;
  return { reference: bits === 8 ? first : (first << 8) | second, bits, total, sequence };
}

export function concatenationElement({ reference, bits, total, sequence }: Concatenation): InformationElement {
  const low = reference & 0xff;
  return bits === 8
    ? { id: CONCATENATION_8, data: Uint8Array.of(low, total, sequence) }
    : { id: CONCATENATION_16, data: Uint8Array.of((reference >> 8) & 0xff, low, total, sequence) };
}
