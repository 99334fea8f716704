import { decodeSeptets, encodeSeptets } from './alphabet/gsm7.ts';
import { packSeptets, unpackSeptets } from './alphabet/packing.ts';
import { ESCAPE } from './alphabet/table.ts';
import { SmsError } from './error.ts';
import type { OctetReader, OctetWriter } from './octets.ts';

/** TS 23.040 9.1.2.5, in the order of the three bits. */
const TYPES = [
  'unknown',
  'international',
  'national',
  'network',
  'subscriber',
  'alphanumeric',
  'abbreviated',
  'reserved',
] as const;

export type NumberType = (typeof TYPES)[number];

export interface Address {
  readonly type: NumberType;
  /** Numbering plan, 0 to 15; 1 is ISDN/telephone. */
  readonly plan: number;
  /** Digits `0-9*#abc`, with `+` in front when international; text when alphanumeric. */
  readonly value: string;
}

const ISDN = 1;
const MAX_SEMI_OCTETS = 20;
const MAX_NAME_SEPTETS = 11;
/** TS 24.011 8.2.5.1: type and 20 digits. */
export const MAX_SMSC_OCTETS = 11;

const DIGITS = '0123456789*#abc';
/** Both digits of an octet. A filler (0xF) yields no digit at either place. */
const DIGIT_PAIRS: readonly string[] = Array.from(
  { length: 256 },
  (_, octet) => DIGITS.charAt(octet & 0x0f) + DIGITS.charAt(octet >> 4),
);

/** A number: `+370…` is international, other digits (and `*#abc`) unknown. Throws SmsError for anything else. */
export function addressOf(number: string): Address {
  const [, plus, digits = ''] = /^(\+?)([0-9*#abc]+)$/.exec(number) ?? [];
  if (digits === '') throw new SmsError('invalid', 'not a phone number');
  if (digits.length > MAX_SEMI_OCTETS) throw new SmsError('too_long', `${digits.length} digits, at most 20 fit`);
  return { type: plus === '+' ? 'international' : 'unknown', plan: ISDN, value: number };
}

/** A name as sender, cut to the 11 septets that fit. Throws SmsError `unencodable` outside the default alphabet. */
export function nameAddress(name: string): Address {
  const septets = nameSeptets(name);
  const whole = septets[MAX_NAME_SEPTETS - 1] === ESCAPE ? MAX_NAME_SEPTETS - 1 : MAX_NAME_SEPTETS;
  return { type: 'alphanumeric', plan: 0, value: decodeSeptets(septets.subarray(0, whole)) };
}

/** An address field of a TPDU: its length counts semi-octets, without filler. */
export function readAddress(reader: OctetReader, field: string): Address {
  const semiOctets = reader.octet(field);
  if (semiOctets > MAX_SEMI_OCTETS) throw new SmsError('invalid', `${field} of ${semiOctets} digits, at most 20 exist`);
  const type = reader.octet(field);
  return decodeAddress(type, reader.octets((semiOctets + 1) >> 1, field), semiOctets);
}

/** A service centre address: its length counts octets, with the type. Undefined for none. */
export function readSmsc(reader: OctetReader): Address | undefined {
  const octets = reader.octet('SMSC');
  if (octets === 0) return undefined;
  if (octets > MAX_SMSC_OCTETS) throw new SmsError('invalid', `SMSC of ${octets} octets, at most 11 exist`);
  const type = reader.octet('SMSC');
  return decodeAddress(type, reader.octets(octets - 1, 'SMSC'), 2 * (octets - 1));
}

function decodeAddress(octet: number, octets: Uint8Array, semiOctets: number): Address {
  const type = TYPES[(octet >> 4) & 0x07] ?? 'unknown';
  const plan = octet & 0x0f;
  if (type === 'alphanumeric') {
    const septets = unpackSeptets(octets, Math.floor((semiOctets * 4) / 7));
    return { type, plan, value: decodeSeptets(septets) };
  }
  const digits = decodeDigits(octets, semiOctets);
  return { type, plan, value: type === 'international' && digits !== '' ? `+${digits}` : digits };
}

function decodeDigits(octets: Uint8Array, count: number): string {
  const whole = count >> 1;
  let digits = '';
  for (let at = 0; at < whole; at++) digits += DIGIT_PAIRS[octets[at] ?? 0xff];
  // Of an odd last octet only the low digit counts, whatever fills the high one.
  return count & 1 ? digits + DIGITS.charAt((octets[whole] ?? 0xff) & 0x0f) : digits;
}

export function writeAddress(writer: OctetWriter, address: Address): void {
  const { octets, semiOctets } = encodeValue(address);
  writer.octet(semiOctets);
  writer.octet(typeOctet(address));
  writer.octets(octets);
}

export function writeSmsc(writer: OctetWriter, address: Address | undefined): void {
  if (address === undefined) {
    writer.octet(0);
    return;
  }
  const { octets } = encodeValue(address);
  writer.octet(octets.length + 1);
  writer.octet(typeOctet(address));
  writer.octets(octets);
}

function typeOctet({ type, plan }: Address): number {
  return 0x80 | (TYPES.indexOf(type) << 4) | (plan & 0x0f);
}

function encodeValue({ type, value }: Address): { octets: Uint8Array; semiOctets: number } {
  if (type === 'alphanumeric') return encodeName(value);
  const digits = value.startsWith('+') ? value.slice(1) : value;
  if (digits.length > MAX_SEMI_OCTETS) throw new SmsError('too_long', `${digits.length} digits, at most 20 fit`);
  const octets = new Uint8Array((digits.length + 1) >> 1);
  for (let at = 0; at < digits.length; at += 2) {
    octets[at >> 1] = nibble(digits.charAt(at)) | (at + 1 < digits.length ? nibble(digits.charAt(at + 1)) << 4 : 0xf0);
  }
  return { octets, semiOctets: digits.length };
}

function nibble(digit: string): number {
  const value = DIGITS.indexOf(digit);
  if (value < 0) throw new SmsError('invalid', 'an address holds something else than digits, * and #');
  return value;
}

function encodeName(name: string): { octets: Uint8Array; semiOctets: number } {
  const septets = nameSeptets(name);
  if (septets.length > MAX_NAME_SEPTETS) throw new SmsError('too_long', `name of ${septets.length} septets, 11 fit`);
  return { octets: packSeptets(septets), semiOctets: Math.ceil((septets.length * 7) / 4) };
}

function nameSeptets(name: string): Uint8Array {
  const septets = encodeSeptets(name);
  if (septets === undefined) throw new SmsError('unencodable', 'a name must be in the GSM 7-bit default alphabet');
  return septets;
}
