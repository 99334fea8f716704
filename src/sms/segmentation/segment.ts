import { isEncodable } from '../alphabet/gsm7.ts';
import { NO_SHIFT, type Shift } from '../alphabet/national.ts';
import { transliterate } from '../alphabet/transliteration.ts';
import { encodeUcs2 } from '../alphabet/ucs2.ts';
import { encodeDcs } from '../dcs.ts';
import { SmsError } from '../error.ts';
import { type SeptetForm, septetForm, shiftsOf } from './septet-form.ts';
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

const DEFAULT_ALPHABET: readonly Shift[] = [NO_SHIFT];

/**
 * The cheapest legal form of a text. Septets never need more parts than UCS2, so they come first.
 * Throws SmsError `too_long` above 255 parts, `unencodable` when `gsm7` is asked for and cannot hold the text.
 */
export function segment(text: string, options: SegmentOptions = {}): Segmentation {
  if (text.length > MAX_UNITS) throw new SmsError('too_long', 'the message needs more than 255 parts');
  const messageClass = options.flash ? 0 : undefined;

  if (options.encoding !== 'ucs2') {
    const dcs = encodeDcs('gsm7', messageClass);
    const form = plainForm(text, dcs, options);
    if (form) return segmentation('gsm7', dcs, form.text, form.length, form.split);
    if (options.encoding === 'gsm7') throw new SmsError('unencodable', 'a character is not in the GSM 7-bit alphabet');
  }
  const dcs = encodeDcs('ucs2', messageClass);
  return segmentation('ucs2', dcs, text, text.length, split(dcs, encodeUcs2(text), options));
}

/** The text in septets, transliterated when that is allowed and nothing else helps. */
function plainForm(text: string, dcs: number, options: SegmentOptions): SeptetForm | undefined {
  const shifts = options.shifts ?? (options.nationalTables ? shiftsOf(options.nationalTables) : DEFAULT_ALPHABET);
  const form = septetForm(text, dcs, shifts, options);
  if (form !== undefined || !options.transliterate) return form;
  const plain = transliterate(text, (unit) => shifts.some((shift) => isEncodable(unit, shift)));
  return septetForm(plain, dcs, shifts, options);
}

function segmentation(
  encoding: Segmentation['encoding'],
  dcs: number,
  text: string,
  characters: number,
  { parts, capacity }: Split,
): Segmentation {
  const octetsEach = encoding === 'ucs2' ? 2 : 1;
  const free = capacity - (parts.at(-1)?.data.length ?? 0);
  return {
    encoding,
    dcs,
    text,
    characters,
    perPart: capacity / octetsEach,
    remaining: free / octetsEach,
    parts,
  };
}
