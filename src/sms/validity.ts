import type { OctetReader } from './octet-reader.ts';
import type { OctetWriter } from './octet-writer.ts';
import { readTimeStamp, swap, type TimeStamp, unswap, writeTimeStamp } from './time-stamp.ts';

/** How long the service centre keeps trying, TS 23.040 9.2.3.12. */
export type Validity = RelativeValidity | AbsoluteValidity | EnhancedValidity;

export interface RelativeValidity {
  readonly format: 'relative';
  /** TP-VP, 0 to 255, see `validitySeconds`. */
  readonly value: number;
}

export interface AbsoluteValidity {
  readonly format: 'absolute';
  readonly time: TimeStamp;
}

export interface EnhancedValidity {
  readonly format: 'enhanced';
  /** One attempt only. */
  readonly singleShot: boolean;
  /** Undefined when the field names no period, or in a way that the standard reserves. */
  readonly seconds: number | undefined;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** TS 23.040 9.2.3.12.1: values up to `last` mean `(value + offset) * unit` seconds and `base` more. */
const STEPS = [
  { last: 143, unit: 5 * MINUTE, offset: 1, base: 0 },
  { last: 167, unit: 30 * MINUTE, offset: -143, base: 12 * HOUR },
  { last: 196, unit: DAY, offset: -166, base: 0 },
  { last: 255, unit: WEEK, offset: -192, base: 0 },
] as const;

/** Seconds that a relative TP-VP stands for. */
export function relativeSeconds(value: number): number {
  const step = STEPS.find(({ last }) => value <= last) ?? STEPS[3];
  return (value + step.offset) * step.unit + step.base;
}

/** The longest relative validity that is not longer than asked, within 5 minutes and 63 weeks. */
export function relativeValidity(seconds: number): RelativeValidity {
  let value = 255;
  while (value > 0 && relativeSeconds(value) > seconds) value--;
  return { format: 'relative', value };
}

/** TP-VPF, TS 23.040 9.2.3.3. */
export function validityFormat(validity: Validity | undefined): number {
  switch (validity?.format) {
    case undefined:
      return 0;
    case 'enhanced':
      return 1;
    case 'relative':
      return 2;
    case 'absolute':
      return 3;
  }
}

export function readValidity(reader: OctetReader, format: number): Validity | undefined {
  switch (format) {
    case 1:
      return decodeEnhanced(reader.octets(7, 'TP-VP'));
    case 2:
      return { format: 'relative', value: reader.octet('TP-VP') };
    case 3:
      return { format: 'absolute', time: readTimeStamp(reader, 'TP-VP') };
    default:
      return undefined;
  }
}

export function writeValidity(writer: OctetWriter, validity: Validity): void {
  switch (validity.format) {
    case 'relative':
      writer.octet(validity.value);
      break;
    case 'absolute':
      writeTimeStamp(writer, validity.time);
      break;
    case 'enhanced':
      writer.octets(encodeEnhanced(validity));
  }
}

// TS 23.040 9.2.3.12.3: the functionality indicator, then what its low bits announce.
const EXTENSION = 0x80;
const SINGLE_SHOT = 0x40;

function decodeEnhanced(octets: Uint8Array): EnhancedValidity {
  const [indicator = 0] = octets;
  let at = 1;
  for (let octet = indicator; (octet & EXTENSION) !== 0 && at < octets.length; at++) octet = octets[at] ?? 0;
  const [first = 0, second = 0, third = 0] = octets.subarray(at);
  return {
    format: 'enhanced',
    singleShot: (indicator & SINGLE_SHOT) !== 0,
    seconds: enhancedSeconds(indicator & 0x07, first, second, third),
  };
}

function enhancedSeconds(format: number, first: number, second: number, third: number): number | undefined {
  switch (format) {
    case 1:
      return relativeSeconds(first);
    case 2:
      return first;
    case 3: {
      const [hours, minutes, seconds] = [unswap(first), unswap(second), unswap(third)];
      if (hours === undefined || minutes === undefined || seconds === undefined) return undefined;
      return hours * HOUR + minutes * MINUTE + seconds;
    }
    default:
      return undefined;
  }
}

const MAX_HHMMSS = 100 * HOUR - 1;

function encodeEnhanced({ singleShot, seconds }: EnhancedValidity): Uint8Array {
  const octets = new Uint8Array(7);
  const fields = enhancedFields(seconds);
  octets.set(fields);
  if (singleShot) octets[0] = (fields[0] ?? 0) | SINGLE_SHOT;
  return octets;
}

function enhancedFields(seconds: number | undefined): readonly number[] {
  if (seconds === undefined) return [0];
  if (seconds <= 255) return [2, seconds];
  if (seconds > MAX_HHMMSS) return [1, relativeValidity(seconds).value];
  return [3, swap(Math.floor(seconds / HOUR)), swap(Math.floor(seconds / MINUTE) % 60), swap(seconds % 60)];
}
