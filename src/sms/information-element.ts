import { SmsError } from './error.ts';

/** One element of a user data header, TS 23.040 9.2.3.24. */
export interface InformationElement {
  readonly id: number;
  readonly data: Uint8Array;
}

export const NO_ELEMENTS: readonly InformationElement[] = Object.freeze([]);

/**
 * The elements of a header without its length octet. An element that overruns the header spoils the whole header:
 * TS 23.040 9.2.3.24 has the receiver ignore it then.
 */
export function decodeElements(header: Uint8Array): readonly InformationElement[] {
  const elements: InformationElement[] = [];
  let at = 0;
  while (at < header.length) {
    const id = header[at];
    const length = header[at + 1];
    if (id === undefined || length === undefined || at + 2 + length > header.length) return NO_ELEMENTS;
    elements.push({ id, data: header.subarray(at + 2, at + 2 + length) });
    at += 2 + length;
  }
  return elements;
}

/** The header without its length octet; empty for no elements. */
export function encodeElements(elements: readonly InformationElement[]): Uint8Array {
  const header = new Uint8Array(encodedLength(elements));
  let at = 0;
  for (const { id, data } of elements) {
    header[at] = id;
    header[at + 1] = data.length;
    header.set(data, at + 2);
    at += 2 + data.length;
  }
  return header;
}

const MAX_HEADER = 139;

function encodedLength(elements: readonly InformationElement[]): number {
  let length = 0;
  for (const { data } of elements) length += 2 + data.length;
  if (length > MAX_HEADER) {
    throw new SmsError('too_long', `user data header of ${length} octets, at most ${MAX_HEADER} fit`);
  }
  return length;
}
