import { ESCAPE } from './alphabet/table.ts';
import { decodeDcs, isPacked } from './dcs.ts';
import { SmsError } from './error.ts';
import { concatenationElement, encodeElements, type InformationElement, NO_ELEMENTS } from './information-elements.ts';
import { headerOctets, MAX_OCTETS, MAX_SEPTETS, septetsOf } from './user-data.ts';

/** One part, ready for `toUserData`. */
export interface Part {
  /** User data header without its length octet; empty for none. */
  readonly udh: Uint8Array;
  /** Unpacked septets for GSM 7-bit, octets otherwise. */
  readonly data: Uint8Array;
}

export interface SplitOptions {
  /** Reference number that all parts share, taken modulo 256 or 65,536. Default 0. */
  readonly reference?: number;
  /** Default 8. A 16-bit reference costs a character of every part. */
  readonly referenceBits?: 8 | 16;
  /** Information elements that every part carries, in front. */
  readonly elements?: readonly InformationElement[];
}

export interface Split {
  readonly parts: readonly Part[];
  /** Septets or octets that fit in each part. */
  readonly capacity: number;
}

const MAX_PARTS = 255;

/**
 * Cuts data into parts of at most 140 octets, header included; `shift` elements go into each beside those of the
 * options. Throws SmsError `too_long` above 255 parts.
 */
export function split(
  dcs: number,
  data: Uint8Array,
  options: SplitOptions,
  shift: readonly InformationElement[] = NO_ELEMENTS,
): Split {
  const elements = options.elements === undefined ? shift : [...options.elements, ...shift];
  if (data.length <= roomBeside(dcs, elements)) {
    return { parts: [{ udh: encodeElements(elements), data }], capacity: capacityBeside(dcs, elements) };
  }

  const { reference = 0, referenceBits: bits = 8 } = options;
  const elementsOf = (sequence: number, total: number) => [
    ...elements,
    concatenationElement({ reference, bits, total, sequence }),
  ];
  const capacity = capacityBeside(dcs, elementsOf(1, 1));
  const pieces = cut(dcs, data, capacity);
  const parts = pieces.map((piece, at) => ({ udh: encodeElements(elementsOf(at + 1, pieces.length)), data: piece }));
  return { parts, capacity };
}

/** Septets or octets that fit beside these elements. */
function roomBeside(dcs: number, elements: readonly InformationElement[]): number {
  const header = headerOctets(elements);
  return isPacked(dcs) ? MAX_SEPTETS - septetsOf(header) : MAX_OCTETS - header;
}

/** The same in whole characters. */
function capacityBeside(dcs: number, elements: readonly InformationElement[]): number {
  const room = roomBeside(dcs, elements);
  return decodeDcs(dcs).alphabet === 'ucs2' ? room - (room % 2) : room;
}

/** A surrogate pair must fit. */
const MIN_CAPACITY = 4;

function cut(dcs: number, data: Uint8Array, capacity: number): readonly Uint8Array[] {
  if (capacity < MIN_CAPACITY) throw new SmsError('too_long', 'the user data header leaves no room for text');
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < data.length; ) {
    if (pieces.length === MAX_PARTS) throw new SmsError('too_long', 'the message needs more than 255 parts');
    const end = Math.min(start + capacity, data.length);
    const piece = data.subarray(start, end < data.length ? end - overhang(dcs, data, end) : end);
    pieces.push(piece);
    start += piece.length;
  }
  return pieces;
}

/** How much before `end` belongs together with what follows it. */
function overhang(dcs: number, data: Uint8Array, end: number): number {
  if (isPacked(dcs)) return endsInEscape(data, end) ? 1 : 0;
  if (decodeDcs(dcs).alphabet !== 'ucs2') return 0;
  return isSurrogate(data[end - 2], 0xd8) && isSurrogate(data[end], 0xdc) ? 2 : 0;
}

/** Escapes come in pairs when an escape is itself escaped. */
function endsInEscape(data: Uint8Array, end: number): boolean {
  let escapes = 0;
  while (data[end - 1 - escapes] === ESCAPE) escapes++;
  return escapes % 2 === 1;
}

function isSurrogate(high: number | undefined, base: 0xd8 | 0xdc): boolean {
  return high !== undefined && (high & 0xfc) === base;
}
