import type { OctetReader, OctetWriter } from './octets.ts';
import { readTimeStamp, swap, type TimeStamp, unswap, writeTimeStamp } from './time-stamp.ts';

/** How long the service centre keeps trying, TS 23.040 9.2.3.12. */
export type Validity = RelativeValidity | AbsoluteValidity | EnhancedValidity;

/** TS 23.040 9.2.3.12.2. */
interface AbsoluteValidity {
  readonly format: 'absolute';
  readonly time: TimeStamp;
}

/** TS 23.040 9.2.3.12.1. */
interface RelativeValidity {
  readonly format: 'relative';
  /** TP-VP, 0 to 255, see `relativeSeconds`. */
  readonly value: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** Seconds by value. */
const PERIODS: readonly number[] = Array.from({ length: 256 }, (_, value) => {
  if (value <= 143) return (value + 1) * 5 * MINUTE;
  if (value <= 167) return 12 * HOUR + (value - 143) * 30 * MINUTE;
  if (value <= 196) return (value - 166) * DAY;
  return (value - 192) * WEEK;
});

/** Seconds that a relative TP-VP stands for. */
export function relativeSeconds(value: number): number {
  return PERIODS[value & 0xff] ?? 0;
}

/** The longest relative validity that is not longer than asked, within 5 minutes and 63 weeks. */
export function relativeValidity(seconds: number): RelativeValidity {
  const value = PERIODS.findLastIndex((period) => period <= seconds);
  return { format: 'relative', value: Math.max(value, 0) };
}

/** TS 23.040 9.2.3.12.3, without functionality extensions. */
interface EnhancedValidity {
  readonly format: 'enhanced';
  /** One attempt only. */
  readonly singleShot: boolean;
  /** How the field says the period: not at all, as a relative TP-VP, in 0 to 255 seconds, or as hours, minutes, seconds. */
  readonly form: 'none' | 'relative' | 'seconds' | 'hhmmss';
  /** 0 for `none`. */
  readonly seconds: number;
}

// The functionality indicator of the enhanced format; its low bits give the form.
const EXTENSION = 0x80;
const SINGLE_SHOT = 0x40;
const FORM = 0x07;
const FORMS: readonly EnhancedValidity['form'][] = ['none', 'relative', 'seconds', 'hhmmss'];
const OCTETS = 7;

function readEnhancedValidity(reader: OctetReader): EnhancedValidity {
  const octets = reader.octets(OCTETS, 'TP-VP');
  const [indicator = 0] = octets;
  let at = 1;
  for (let octet = indicator; (octet & EXTENSION) !== 0 && at < octets.length; at++) octet = octets[at] ?? 0;
  const singleShot = (indicator & SINGLE_SHOT) !== 0;
  const form = FORMS[indicator & FORM] ?? 'none';
  const seconds = enhancedSeconds(form, octets.subarray(at));
  return seconds === undefined
    ? { format: 'enhanced', singleShot, form: 'none', seconds: 0 }
    : { format: 'enhanced', singleShot, form, seconds };
}

function enhancedSeconds(form: EnhancedValidity['form'], octets: Uint8Array): number | undefined {
  const [first = 0, second = 0, third = 0] = octets;
  switch (form) {
    case 'none':
      return 0;
    case 'relative':
      return relativeSeconds(first);
    case 'seconds':
      return first;
    case 'hhmmss': {
      const [hours, minutes, seconds] = [unswap(first), unswap(second), unswap(third)];
      if (hours === undefined || minutes === undefined || seconds === undefined) return undefined;
      return hours * HOUR + minutes * MINUTE + seconds;
    }
  }
}

function writeEnhancedValidity(writer: OctetWriter, { singleShot, form, seconds }: EnhancedValidity): void {
  const octets = new Uint8Array(OCTETS);
  octets.set([FORMS.indexOf(form) | (singleShot ? SINGLE_SHOT : 0), ...enhancedPeriod(form, seconds)]);
  writer.octets(octets);
}

function enhancedPeriod(form: EnhancedValidity['form'], seconds: number): readonly number[] {
  switch (form) {
    case 'none':
      return [];
    case 'relative':
      return [relativeValidity(seconds).value];
    case 'seconds':
      return [Math.min(seconds, 255)];
    case 'hhmmss': {
      const bounded = Math.min(seconds, 100 * HOUR - 1);
      return [Math.floor(bounded / HOUR), Math.floor(bounded / MINUTE) % 60, bounded % 60].map(swap);
    }
  }
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
      return readEnhancedValidity(reader);
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
      writeEnhancedValidity(writer, validity);
  }
}
