/**
 * Phone numbers as people and config files write them. A PhoneNumber is in the one form used inside: `+` and the
 * international number, or the digits as dialled (national numbers, short codes, `*` and `#` services).
 */
declare const brand: unique symbol;
export type PhoneNumber = string & { readonly [brand]: 'PhoneNumber' };

/** TS 23.040 9.1.2.5: an address field holds at most 20 semi-octets. */
const MAX_DIGITS = 20;

/**
 * The number in its inner form, or undefined when the text is none. `00` in front is the international prefix
 * (the form that the original's manual asks for); blanks, dashes, dots and brackets between digits are decoration.
 */
export function parsePhoneNumber(text: string): PhoneNumber | undefined {
  const bare = text.trim().replace(/[\s\-.()/]/g, '');
  const match = /^(\+|00)?([0-9*#]+)$/.exec(bare);
  const digits = match?.[2];
  if (digits === undefined || digits.length > MAX_DIGITS) return undefined;
  const international = match?.[1] !== undefined;
  if (international && !/^[1-9][0-9]{2,}$/.test(digits)) return undefined;
  return (international ? `+${digits}` : digits) as PhoneNumber;
}

/** Digits that two forms of one subscriber number share at the least, when only one of them is international. */
const SUFFIX = 7;

/**
 * Whether two addresses mean the same subscriber: equal, or one in national and the other in international form.
 * Networks give status reports and senders in either form, so equality of strings is not enough.
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
