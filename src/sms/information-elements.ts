import { SmsError } from './error.ts';

/** One element of a user data header, TS 23.040 9.2.3.24. */
export interface InformationElement {
  readonly id: number;
  readonly data: Uint8Array;
}

/** Anything with a user data header. */
export interface WithElements {
  readonly elements: readonly InformationElement[];
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
export function concatenationOf({ elements }: WithElements): Concatenation | undefined {
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

/** Application port addressing, TS 23.040 9.2.3.24.3 (8-bit) and 9.2.3.24.4 (16-bit). */
export interface Ports {
  readonly bits: 8 | 16;
  readonly destination: number;
  readonly source: number;
}

const PORTS_8 = 0x04;
const PORTS_16 = 0x05;

/** Of several port elements the last counts (TS 23.040 9.2.3.24). */
export function portsOf({ elements }: WithElements): Ports | undefined {
  for (let at = elements.length - 1; at >= 0; at--) {
    const element = elements[at];
    const ports = element && readPorts(element);
    if (ports) return ports;
  }
  return undefined;
}

function readPorts({ id, data }: InformationElement): Ports | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = data;
  if (id === PORTS_8 && data.length === 2) return { bits: 8, destination: a, source: b };
  if (id === PORTS_16 && data.length === 4) return { bits: 16, destination: (a << 8) | b, source: (c << 8) | d };
  return undefined;
}

export function portsElement({ bits, destination, source }: Ports): InformationElement {
  return bits === 8
    ? { id: PORTS_8, data: Uint8Array.of(destination, source) }
    : { id: PORTS_16, data: Uint8Array.of(destination >> 8, destination, source >> 8, source) };
}
