import { encodeSeptets, isEncodable } from './alphabet/gsm7.ts';
import { hasLockingTable, hasSingleTable, NO_SHIFT, type Shift, shiftElements } from './alphabet/national.ts';
import { areSeptets } from './alphabet/packing.ts';
import { transliterate } from './alphabet/transliteration.ts';
import { encodeUcs2 } from './alphabet/ucs2.ts';
import { decodeDcs, encodeDcs, isPacked } from './dcs.ts';
import { SmsError } from './error.ts';
import { concatenationOf } from './information-elements.ts';
import { type Part, type Split, type SplitOptions, split } from './split.ts';

export interface SegmentOptions extends SplitOptions {
  /** Default `auto`: UCS2 only for texts that no 7-bit alphabet can hold. */
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

/** 255 parts hold no more in any alphabet, characters. */
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

/** The text in septets; transliterated when that is allowed and the text does not fit as it is. */
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

/** A text in GSM 7-bit, split. */
export interface SeptetForm {
  readonly text: string;
  /** Septets of the text, headers not counted. */
  readonly length: number;
  readonly split: Split;
  /** How many national tables the reader must know. */
  readonly tables: number;
}

/** The pairs of tables to choose from when the recipients' phones know these languages. */
function shiftsOf(languages: readonly number[]): readonly Shift[] {
  const lockings = [0, ...languages.filter(hasLockingTable)];
  const singles = [0, ...languages.filter(hasSingleTable)];
  return lockings.flatMap((locking) => singles.map((single) => ({ locking, single })));
}

/** The cheapest form of a text in septets; undefined when no pair of tables can hold it. */
function septetForm(
  text: string,
  dcs: number,
  shifts: readonly Shift[],
  options: SplitOptions,
): SeptetForm | undefined {
  let best: SeptetForm | undefined;
  for (const shift of shifts) {
    const septets = encodeSeptets(text, shift);
    if (septets === undefined) continue;
    const elements = shiftElements(shift);
    const form = {
      text,
      length: septets.length,
      split: split(dcs, septets, options, elements),
      tables: elements.length,
    };
    if (best === undefined || isCheaper(form, best)) best = form;
    // The default alphabet in one part cannot be beaten.
    if (best.tables === 0 && best.split.parts.length === 1) break;
  }
  return best;
}

/** Fewer parts; of equals fewer tables, which more phones know; of equals fewer septets. */
function isCheaper(form: SeptetForm, best: SeptetForm): boolean {
  const saved =
    best.split.parts.length - form.split.parts.length || best.tables - form.tables || best.length - form.length;
  return saved > 0;
}

/**
 * Octets that are already in the alphabet of `dcs` (one septet an octet for GSM 7-bit, UTF-16BE for UCS2) as parts.
 * Throws SmsError `too_long` above 255 parts, `invalid` for septets above 127 and for half a UCS2 unit. Half
 * a unit is allowed where the options hold a concatenation element: then the data is a part that somebody else cut.
 */
export function segmentData(dcs: number, data: Uint8Array, options: SplitOptions = {}): readonly Part[] {
  if (isPacked(dcs) && !areSeptets(data)) {
    throw new SmsError('invalid', 'a septet is above 127');
  }
  const isPart = concatenationOf({ elements: options.elements ?? [] }) !== undefined;
  if (decodeDcs(dcs).alphabet === 'ucs2' && data.length % 2 !== 0 && !isPart) {
    throw new SmsError('invalid', `UCS2 data of ${data.length} octets is no whole number of characters`);
  }
  return split(dcs, data, options).parts;
}
