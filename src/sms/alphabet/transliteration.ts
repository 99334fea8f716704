/** Letters that stand for themselves without their marks, by plain letter. */
const LETTERS: Readonly<Record<string, string>> = {
  A: 'ÁÀÂÃĀĂĄǍ',
  a: 'áâãāăąǎ',
  C: 'ĆĈĊČ',
  c: 'çćĉċč',
  D: 'ĎĐÐ',
  d: 'ďđ',
  E: 'ÈÊËĒĔĖĘĚ',
  e: 'êëēĕėęě',
  G: 'ĜĞĠĢ',
  g: 'ĝğġģ',
  H: 'ĤĦ',
  h: 'ĥħ',
  I: 'ÌÍÎÏĨĪĬĮİ',
  i: 'íîïĩīĭįı',
  J: 'Ĵ',
  j: 'ĵ',
  K: 'Ķ',
  k: 'ķ',
  L: 'ĹĻĽŁ',
  l: 'ĺļľł',
  N: 'ŃŅŇ',
  n: 'ńņň',
  O: 'ÒÓÔÕŌŎŐ',
  o: 'óôõōŏő',
  R: 'ŔŖŘ',
  r: 'ŕŗř',
  S: 'ŚŜŞŠȘ',
  s: 'śŝşšș',
  T: 'ŢŤŦȚ',
  t: 'ţťŧț',
  U: 'ÙÚÛŨŪŬŮŰŲ',
  u: 'úûũūŭůűų',
  W: 'Ŵ',
  w: 'ŵ',
  Y: 'ÝŶŸ',
  y: 'ýÿŷ',
  Z: 'ŹŻŽ',
  z: 'źżž',
};

/** Typography that word processors and phones put in. */
const SIGNS: Readonly<Record<string, string>> = {
  "'": '‘’‚‛′‹›`´',
  '"': '“”„‟″«»',
  '-': '‐‑‒–—―−',
  '...': '…',
  '*': '•·',
  '/': '⁄',
  ' ': '\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000',
  '\n': '\u2028\u2029',
  // Invisible: soft hyphen, joiners, direction and byte order marks.
  '': '\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff',
  OE: 'Œ',
  oe: 'œ',
  TH: 'Þ',
  th: 'þ',
  TM: '™',
  '(C)': '©',
  '(R)': '®',
};

const replacements: ReadonlyMap<string, string> = new Map(
  [...Object.entries(LETTERS), ...Object.entries(SIGNS)].flatMap(([plain, characters]) =>
    Array.from(characters, (character): [string, string] => [character, plain]),
  ),
);

/** Marks that stand after their letter; the common ones are composed with it first. */
const COMBINING_MARK = /[\u0300-\u036f]/g;

/** The text with a plain replacement for each character that is not `encodable` and has one. */
export function transliterate(text: string, encodable: (unit: number) => boolean): string {
  let plain = '';
  for (const character of text.normalize('NFC').replace(COMBINING_MARK, '')) {
    plain += encodable(character.charCodeAt(0)) ? character : (replacements.get(character) ?? character);
  }
  return plain;
}
