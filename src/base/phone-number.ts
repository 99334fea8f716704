/**
 * Phone numbers as people and config files write them. A PhoneNumber is in the one form used inside: `+` and the
 * international number, or the digits as dialled (national numbers, short codes, `*` and `#` services).
 */
declare const brand: unique symbol;
export type PhoneNumber = string & { readonly [brand]: 'PhoneNumber' };

/** TS 23.040 9.1.2.5: an address field holds at most 20 semi-octets. */
const MAX_DIGITS = 20;

/**
 * What comes along when a number is copied from a page or an address book, and means nothing: directional marks and
 * isolates, zero-width characters, byte order mark, soft hyphen.
 */
const UNSEEN = /[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;
const DASHES = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/g;
/** Where the decimal digits of other scripts begin: Arabic-Indic, its eastern form, Devanagari, full-width. */
const ZEROS = [0x0660, 0x06f0, 0x0966, 0xff10];
const OTHER_DIGITS = /[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\uff10-\uff19]/g;
/** Full-width forms of the signs within numbers. */
const OTHER_SIGNS = /[\uff03\uff08-\uff0b\uff0e\uff0f]/g;

/**
 * The text in ASCII as far as it is made of what numbers are written with; nothing is judged, and other characters stay.
 * To be called before the form of a number is looked at.
 */
export function plainNumberText(text: string): string {
  return text
    .replace(UNSEEN, '')
    .replace(DASHES, '-')
    .replace(OTHER_DIGITS, (digit) => String(digitValue(digit.charCodeAt(0))))
    .replace(OTHER_SIGNS, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
}

function digitValue(code: number): number {
  const zero = ZEROS.find((start) => code >= start && code <= start + 9) ?? code;
  return code - zero;
}

/** Country codes whose numbers may begin with a 0, which is dialled from abroad as well. */
const ZERO_STAYS = /^(?:39|225|229|241|242|378|379)/;
/** Country codes behind which no number begins with a 0: there it is a trunk prefix that is not dialled from abroad. */
const ZERO_GOES: ReadonlySet<string> = new Set(
  (
    '20 27 30 31 32 33 34 36 40 41 43 44 45 46 48 49 51 54 55 58 60 61 62 63 64 66 81 82 84 86 90 91 92 94 98 ' +
    '212 213 234 254 255 256 351 353 355 358 359 370 371 372 373 375 380 381 382 385 386 387 389 420 421'
  ).split(' '),
);

const hasTrunkZero = (digits: string) =>
  [2, 3].some((length) => ZERO_GOES.has(digits.slice(0, length)) && digits.charAt(length) === '0');

/**
 * The number in its inner form, or undefined when the text is no number. `00` in front is the international prefix
 * (the form that the original's manual asks for); blanks, dashes, dots and brackets between digits are decoration.
 * `(0)` behind a country code is dropped where it is a trunk prefix. Where a 0 is dialled, or cannot follow the code,
 * the text is no number.
 */
export function parsePhoneNumber(text: string): PhoneNumber | undefined {
  const plain = withoutTrunkZero(plainNumberText(text).trim());
  if (plain === undefined) return undefined;
  const bare = plain.replace(/[\s\-.()/]/g, '');
  const match = /^(\+|00)?([0-9*#]+)$/.exec(bare);
  const digits = match?.[2];
  if (digits === undefined || digits.length > MAX_DIGITS) return undefined;
  const international = match?.[1] !== undefined;
  if (international && (!/^[1-9][0-9]{2,}$/.test(digits) || hasTrunkZero(digits))) return undefined;
  return (international ? `+${digits}` : digits) as PhoneNumber;
}

/** `+49 (0) 209…` → `+49 209…`. Undefined where the 0 may have to be dialled. */
function withoutTrunkZero(text: string): string | undefined {
  const match = /^((?:\+|00)[\s\-./]*([1-9][0-9]{0,2})[\s\-./]*)\(\s*0\s*\)(.*)$/s.exec(text);
  if (match === null) return text;
  const [, head = '', countryCode = '', rest = ''] = match;
  return ZERO_STAYS.test(countryCode) ? undefined : `${head}${rest}`;
}

/** Digits that two forms of one subscriber number share at the least, when only one of them is international. */
const SUFFIX = 7;

/**
 * Whether two addresses may mean the same subscriber: equal, or one in national and the other in international form.
 * Networks give status reports in either form, so equality of strings is not enough. Numbers of two countries that end
 * alike pass: where somebody's rights depend on it, `isSameNumber` decides.
 */
export function sameSubscriber(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.startsWith('+') === b.startsWith('+')) return false;
  const [international, national] = a.startsWith('+') ? [a.slice(1), b] : [b.slice(1), a];
  if (!/^[0-9]+$/.test(national) || !/^[0-9]+$/.test(international)) return false;
  const significant = national.replace(/^0+/, '');
  if (significant.length >= SUFFIX && international.endsWith(significant)) return true;
  // Trunk prefixes other than 0 (8 in Lithuania, 1 in North America, 06 in Hungary): drop one digit more.
  const trunkless = significant.slice(1);
  return trunkless.length >= SUFFIX && international.endsWith(trunkless);
}

/** Prefixes that a national number is dialled with, where it is another than 0. */
const TRUNK_PREFIXES: ReadonlyMap<string, readonly string[]> = new Map([
  ['1', ['1']],
  ['7', ['8']],
  ['36', ['06']],
  ['52', ['01', '044', '045']],
  ['370', ['8', '0']],
  ['375', ['8', '80']],
  ['993', ['8']],
]);
/** Digits of the shortest national number that can be a subscriber's in international form. */
const SHORTEST_NATIONAL = 6;
/** Digits that a number as dialled has at the least before its end may decide, where the country is unknown. */
const LONG_NATIONAL = 9;
/** Digits from which on a number without `+` may be an international one. */
const LONG_INTERNATIONAL = 10;

/**
 * Whether two numbers are surely one: rights of senders depend on it. A national number is a number of the country
 * `countryCode` and of no other. Where the country is unknown, a national number of nine digits or more is compared by
 * its end. Names of senders are no numbers, even where they are made of digits: the caller keeps them out.
 */
export function isSameNumber(a: string, b: string, countryCode: string | undefined): boolean {
  if (a === b) return true;
  const [forms, others] = [internationalForms(a, countryCode), internationalForms(b, countryCode)];
  if (forms.some((form) => others.includes(form))) return true;
  if (countryCode !== undefined) return false;
  const national = a.startsWith('+') ? b : a;
  return national.length >= LONG_NATIONAL && sameSubscriber(a, b);
}

/** What is dialled for `+` in a country, where that does not begin with 00; national numbering plans, as ITU-T E.164 lists them. */
const INTERNATIONAL_PREFIXES: ReadonlyMap<string, string> = new Map([
  ...['375', '7', '992', '993', '998'].map((country) => [country, '810'] as const),
  ...([
    ['1', '011'],
    ['81', '010'],
  ] as const),
]);

const trunksOf = (countryCode: string): readonly string[] => TRUNK_PREFIXES.get(countryCode) ?? ['0'];

/** Beginnings of international numbers, without `+`, that the beginning of a number stands for in the country. */
export function internationalBeginnings(begin: string, countryCode: string): readonly string[] {
  if (begin.startsWith('00')) return [begin.slice(2)];
  const rests = trunksOf(countryCode)
    .filter((trunk) => begin.startsWith(trunk))
    .map((trunk) => (ZERO_STAYS.test(countryCode) ? begin : begin.slice(trunk.length)));
  return rests.map((rest) => countryCode + rest);
}

/** The international numbers, without `+`, that a number can stand for in the country. */
export function internationalForms(number: string, countryCode: string | undefined): readonly string[] {
  const [, plus, digits = ''] = /^(\+|00)?([0-9]+)$/.exec(number) ?? [];
  if (plus !== undefined) return [digits];
  const abroad = INTERNATIONAL_PREFIXES.get(countryCode ?? '');
  if (abroad !== undefined && digits.startsWith(abroad) && digits.length >= LONG_INTERNATIONAL) {
    return [digits.slice(abroad.length)];
  }
  const whole = digits.length >= LONG_INTERNATIONAL && !digits.startsWith('0') ? [digits] : [];
  if (countryCode === undefined || digits.length < SHORTEST_NATIONAL) return whole;
  const trunks = ['', ...trunksOf(countryCode)].filter((prefix) => digits.startsWith(prefix));
  const national = trunks
    .map((prefix) => digits.slice(prefix.length))
    .filter((rest) => ZERO_STAYS.test(countryCode) || !rest.startsWith('0'));
  return [...whole, ...national.map((rest) => countryCode + rest)];
}
