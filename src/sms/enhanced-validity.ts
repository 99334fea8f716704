import type { OctetReader } from './octet-reader.ts';
import type { OctetWriter } from './octet-writer.ts';
import { relativeSeconds, relativeValidity } from './relative-validity.ts';
import { swap, unswap } from './time-stamp.ts';

/** TS 23.040 9.2.3.12.3, without functionality extensions. */
export interface EnhancedValidity {
  readonly format: 'enhanced';
  /** One attempt only. */
  readonly singleShot: boolean;
  /** How the field says the period: not at all, as a relative TP-VP, in 0 to 255 seconds, or as hours, minutes, seconds. */
  readonly form: 'none' | 'relative' | 'seconds' | 'hhmmss';
  /** 0 for `none`. */
  readonly seconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

// The functionality indicator of the enhanced format; its low bits tell the form.
const EXTENSION = 0x80;
const SINGLE_SHOT = 0x40;
const FORM = 0x07;
const FORMS: readonly EnhancedValidity['form'][] = ['none', 'relative', 'seconds', 'hhmmss'];
const OCTETS = 7;

export function readEnhancedValidity(reader: OctetReader): EnhancedValidity {
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

export function writeEnhancedValidity(writer: OctetWriter, { singleShot, form, seconds }: EnhancedValidity): void {
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
