import { decodeSeptets, decodeUcs2, fromHex, octetText, unpackUssd } from '../sms/index.ts';
import { isHex } from './at/unsolicited.ts';
import type { ModemFamily } from './families.ts';

/**
 * The text of a +CUSD string. Modems give it as characters of the set that +CSCS selected, or in hexadecimal: UCS2,
 * packed septets, or octets. <dcs> is often wrong about that, so the text itself decides; where it leaves a doubt, <dcs>
 * and the family of the modem do.
 */
export function ussdText(text: string, dcs: number, family: ModemFamily): string {
  // Some modems write the octet with a sign.
  const coding = codingOf(dcs & 0xff);
  const found = hexText(text, family.packedUssd ? [coding, 'packed'] : [coding]);
  if (found !== undefined) return found;
  if (isHex(text) && coding === 'ucs2') return decodeUcs2(fromHex(text));
  if (isHex(text) && family.packedUssd && hasHexLetter(text)) return unpacked(fromHex(text));
  return plainText(text, family);
}

/** A name that the modem gives, such as that of an operator: as it is, or in hexadecimal. */
export function nameText(text: string): string {
  return hexText(text, []) ?? text;
}

type Coding = 'ucs2' | 'packed' | 'octets';

/** TS 23.038 5: the alphabet of a cell broadcast or USSD string; undefined where that is the default one. */
function codingOf(dcs: number): Coding | undefined {
  const isGeneral = (dcs & 0xc0) === 0x40 || (dcs & 0xf0) === 0x90;
  if (dcs === 0x11 || (isGeneral && (dcs & 0x0c) === 0x08)) return 'ucs2';
  if ((isGeneral && (dcs & 0x0c) === 0x04) || (dcs & 0xf4) === 0xf4) return 'octets';
  return undefined;
}

function plainText(text: string, family: ModemFamily): string {
  const octets = Buffer.from(text, 'latin1');
  // A septet has no eighth bit: that is another character set than was asked for.
  if (octets.some((octet) => octet > 0x7f)) return octetText(octets) ?? text;
  return family.asciiUssd ? text : decodeSeptets(octets);
}

/** Digits alone are a number or an amount, unless there are so many that no text has them in a row. */
const MANY_DIGITS = 16;
/** A reading is believed when so much of it is what texts are made of. */
const BELIEVED = 0.9;
const FEWEST_CHARACTERS = 3;

const hasHexLetter = (text: string) => /[A-Fa-f]/.test(text);

/** What the hexadecimal digits say; undefined when they are more likely the text itself. `likely` names the codings that <dcs> and the family speak for. */
function hexText(text: string, likely: readonly (Coding | undefined)[]): string | undefined {
  if (!isHex(text)) return undefined;
  const octets = fromHex(text);
  const sure = sureText(octets, text);
  if (sure !== undefined) return sure;
  const isBelievable = hasHexLetter(text) || text.length >= MANY_DIGITS;
  const order: readonly Coding[] = ['ucs2', 'octets', 'packed'];
  for (const coding of [...order.filter((each) => likely.includes(each)), ...order]) {
    const isLikely = likely.includes(coding);
    if (!isBelievable && !isLikely) continue;
    const reading = readAs(coding, octets, isLikely);
    if (reading === undefined) continue;
    const shares = commonShare(reading);
    if (isLikely ? shares > 0.5 : shares >= BELIEVED && reading.length >= fewest(coding)) return reading;
  }
  return undefined;
}

/** Two letters of UCS2 are eight digits already. */
const fewest = (coding: Coding) => (coding === 'ucs2' ? 2 : FEWEST_CHARACTERS);

function readAs(coding: Coding, octets: Uint8Array, isLikely: boolean): string | undefined {
  switch (coding) {
    case 'ucs2':
      return octets.length % 2 === 0 && (isOfOneScript(octets) || (isLikely && !isAsciiText(octets)))
        ? decodeUcs2(octets)
        : undefined;
    case 'octets':
      return octetText(octets);
    case 'packed':
      return unpacked(octets);
  }
}

const unpacked = (octets: Uint8Array) => decodeSeptets(unpackUssd(octets));

/** Octets from which on the coding can be beyond doubt, whatever <dcs> and the family say. */
const SURE_OCTETS = 8;

/**
 * The text of octets that cannot well be anything else: UCS2 of a script or two throughout; UCS2 of ideographs throughout
 * where packed septets would give signs that no text has; octets without an eighth bit, which half of all packed ones have.
 */
function sureText(octets: Uint8Array, digits: string): string | undefined {
  if (latinInUcs2.test(digits)) return decodeUcs2(octets);
  if (octets.length < SURE_OCTETS || (!hasHexLetter(digits) && digits.length < MANY_DIGITS)) return undefined;
  if (isAsciiText(octets)) return octetText(octets);
  if (octets.length % 2 !== 0) return undefined;
  const text = decodeUcs2(octets);
  if (isOfOneScript(octets)) return commonShare(text) >= BELIEVED ? text : undefined;
  const isIdeographs = hasHexLetter(digits) && commonShare(text) === 1 && commonShare(unpacked(octets)) < 1;
  return isIdeographs ? text : undefined;
}

/** Two characters of ASCII or more. */
const latinInUcs2 = /^(?:00[2-7].){2,}$/;

/** Octets that are all letters of ASCII are no ideographs. */
const isAsciiText = (octets: Uint8Array) =>
  octets.length >= 6 && octets.every((octet) => octet >= 0x20 && octet < 0x7f);

/** Rows of Unicode that are alphabets: Latin to Georgian. */
const LAST_ALPHABET = 0x10;

/** Rows of punctuation, symbols, surrogates and variation selectors: they stand beside letters of every script. */
const isRowOfSigns = (row: number) => (row >= 0x20 && row <= 0x2b) || (row >= 0xd8 && row <= 0xdf) || row === 0xfe;

/** Whether the high octets are those of ASCII, punctuation, emoji, and not more than two rows of alphabets. */
function isOfOneScript(octets: Uint8Array): boolean {
  const rows = new Set(octets.filter((row, at) => at % 2 === 0 && !isRowOfSigns(row)));
  const hasLatin = rows.delete(0x00);
  return rows.size <= 2 && [...rows].every((row) => row <= LAST_ALPHABET) && (hasLatin || rows.size > 0);
}

/** How much of it is letters, digits, blanks and the signs of sentences and codes, 0 to 1. */
function commonShare(text: string): number {
  const characters = [...text];
  const common = characters.filter(
    (c) => /[A-Za-z0-9 \r\n.,:;!?'"()*#+\-/%&=€$£_@\u2010-\u2026]/.test(c) || isLetter(c),
  );
  return characters.length === 0 ? 0 : common.length / characters.length;
}

/** Of any script, or an emoji. The Greek capitals of the GSM alphabet are rather the sign of a wrong reading. */
function isLetter(c: string): boolean {
  const code = c.codePointAt(0) ?? 0;
  if (code < 0xc0 || code === 0xd7 || code === 0xf7) return false;
  if (code >= 0x1f000 && code < 0x40000) return true;
  return code < 0x2000 ? !/[ΔΦΓΛΩΠΨΣΘΞ]/.test(c) : code >= 0x3040 && (code < 0xd800 || code >= 0xf900) && code < 0xfffd;
}
