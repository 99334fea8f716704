import type { Shift } from '../alphabet/national.ts';
import { encodeUcs2 } from '../alphabet/ucs2.ts';
import { encodeDcs } from '../dcs.ts';
import { SmsError } from '../error.ts';
import { septetForm, shiftsOf } from './septet-form.ts';
import { type Part, type Split, type SplitOptions, split } from './split.ts';

export interface SegmentOptions extends SplitOptions {
  /** Default `auto`: UCS2 only for what no 7-bit alphabet holds. */
  readonly encoding?: 'auto' | 'gsm7' | 'ucs2';
  /** Replace what would force UCS2 (curly quotes, dashes, accents) when that avoids it. Default false. */
  readonly transliterate?: boolean;
  /** National language identifiers whose tables may be used: recipients' phones must know them. Default none. */
  readonly nationalTables?: readonly number[];
  /** Exactly the pairs of tables to choose from, in place of the default alphabet and `nationalTables`. */
  readonly shifts?: readonly Shift[];
  /** Message class 0: shown at once, not stored. Default false. */
  readonly flash?: boolean;
}

/** A text as parts. */
export interface Segmentation {
  readonly encoding: 'gsm7' | 'ucs2';
  readonly dcs: number;
  /** The text that the parts carry: after transliteration. */
  readonly text: string;
  /** Septets (an extension character takes two) or UTF-16 code units, in all. */
  readonly characters: number;
  /** How many of those fit in one part. */
  readonly perPart: number;
  /** How many of those are left in the last part. */
  readonly remaining: number;
  readonly parts: readonly Part[];
}

/** More do not fit in 255 parts of any alphabet. */
const MAX_UNITS = 255 * 160;

/**
 * The cheapest legal form of a text. Septets never need more parts than UCS2, so they come first.
 * Throws SmsError `too_long` above 255 parts, `unencodable` when `gsm7` is asked for and cannot hold the text.
 */
export function segment(text: string, options: SegmentOptions = {}): Segmentation {
  if (text.length > MAX_UNITS) throw new SmsError('too_long', 'the message needs more than 255 parts');
  const { encoding = 'auto', flash = false } = options;
  const messageClass = flash ? 0 : undefined;

  if (encoding !== 'ucs2') {
    const dcs = encodeDcs('gsm7', messageClass);
    const shifts = options.shifts ?? shiftsOf(options.nationalTables ?? []);
    const form = septetForm(text, { ...options, dcs, shifts, transliterate: options.transliterate ?? false });
    if (form) return { encoding: 'gsm7', dcs, text: form.text, ...count(form, form.length, 1) };
    if (encoding === 'gsm7') throw new SmsError('unencodable', 'a character is not in the GSM 7-bit alphabet');
  }
  const dcs = encodeDcs('ucs2', messageClass);
  return { encoding: 'ucs2', dcs, text, ...count(split(dcs, encodeUcs2(text), options), text.length, 2) };
}

function count({ parts, capacity }: Split, characters: number, octetsEach: number) {
  const used = parts.at(-1)?.data.length ?? 0;
  return {
    characters,
    perPart: capacity / octetsEach,
    remaining: (capacity - used) / octetsEach,
    parts,
  };
}
