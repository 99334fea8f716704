import { areSeptets, packSeptets, unpackSeptets } from './alphabet/packing.ts';
import { isPacked } from './dcs.ts';
import { SmsError } from './error.ts';
import { decodeElements, encodeElements, type InformationElement, NO_ELEMENTS } from './information-elements.ts';
import type { OctetReader, OctetWriter } from './octets.ts';

/** TP-UD, taken apart. */
export interface UserData {
  readonly elements: readonly InformationElement[];
  /** What follows the header: one septet an octet (unpacked) for GSM 7-bit, otherwise octets as they are. */
  readonly data: Uint8Array;
}

/** TS 23.040 9.2.3.24. */
export const MAX_OCTETS = 140;
export const MAX_SEPTETS = 160;

/** User data of a header without its length octet (empty for none) and what follows it. */
export function toUserData(udh: Uint8Array, data: Uint8Array): UserData {
  return { elements: udh.length === 0 ? NO_ELEMENTS : decodeElements(udh), data };
}

/** The header of user data without its length octet. */
export function udhOf({ elements }: Pick<UserData, 'elements'>): Uint8Array {
  return encodeElements(elements);
}

/** Octets that a header takes of the user data, its length octet included. */
export function headerOctets(elements: readonly InformationElement[]): number {
  return elements.length === 0 ? 0 : elements.reduce((sum, { data }) => sum + 2 + data.length, 1);
}

/** Septets that the header takes: text begins on a septet boundary after fill bits (TS 23.040 9.2.3.24). */
export function septetsOf(octets: number): number {
  return Math.ceil((octets * 8) / 7);
}

/** TP-UDL and TP-UD. `hasHeader` is TP-UDHI. Octets that follow in the TPDU are padding and are ignored. */
export function readUserData(reader: OctetReader, dcs: number, hasHeader: boolean): UserData {
  const lenient = reader.reading === 'lenient';
  if (lenient && reader.remaining === 0) return { elements: NO_ELEMENTS, data: new Uint8Array(0) };
  const said = reader.octet('TP-UDL');
  const packed = isPacked(dcs);
  const needed = packed ? Math.ceil((said * 7) / 8) : said;
  const cut = lenient && needed > reader.remaining;
  const octets = reader.octets(cut ? reader.remaining : needed, 'TP-UD');
  // An incomplete last septet is dropped.
  const length = cut ? Math.floor((octets.length * 8) / (packed ? 7 : 8)) : said;
  if (!hasHeader) return { elements: NO_ELEMENTS, data: packed ? unpackSeptets(octets, length) : octets };

  const [headerLength] = octets;
  if (headerLength === undefined || headerLength >= octets.length) {
    // The end of the header is unknown, and its octets must not be shown as text.
    if (lenient) return { elements: NO_ELEMENTS, data: new Uint8Array(0) };
    throw new SmsError('invalid', `header of ${headerLength ?? 'no'} octets in user data of ${octets.length}`);
  }
  const start = headerLength + 1;
  const elements = decodeElements(octets.subarray(1, start));
  if (!packed) return { elements, data: octets.subarray(start) };
  const septets = septetsOf(start);
  return { elements, data: unpackSeptets(octets, Math.max(0, length - septets), septets * 7) };
}

/** Throws SmsError `too_long` above 140 octets, header included, and `invalid` for a septet above 127. */
export function writeUserData(writer: OctetWriter, dcs: number, { elements, data }: UserData): void {
  const header = headerOctets(elements);
  if (isPacked(dcs)) writeSeptets(writer, elements, header, data);
  else writeOctets(writer, elements, header, data);
}

function writeSeptets(writer: OctetWriter, elements: readonly InformationElement[], header: number, data: Uint8Array) {
  const headerSeptets = septetsOf(header);
  const length = headerSeptets + data.length;
  if (length > MAX_SEPTETS) throw new SmsError('too_long', `user data of ${length} septets, at most 160 fit`);
  if (!areSeptets(data)) throw new SmsError('invalid', 'user data holds a septet above 127');
  writer.octet(length);
  writeHeader(writer, elements);
  writer.octets(packSeptets(data, headerSeptets * 7 - header * 8));
}

function writeOctets(writer: OctetWriter, elements: readonly InformationElement[], header: number, data: Uint8Array) {
  const length = header + data.length;
  if (length > MAX_OCTETS) throw new SmsError('too_long', `user data of ${length} octets, at most 140 fit`);
  writer.octet(length);
  writeHeader(writer, elements);
  writer.octets(data);
}

function writeHeader(writer: OctetWriter, elements: readonly InformationElement[]): void {
  if (elements.length === 0) return;
  const header = encodeElements(elements);
  writer.octet(header.length);
  writer.octets(header);
}
