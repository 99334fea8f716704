/**
 * SMS texts and senders are chosen by strangers, and a terminal obeys control characters: escape sequences (C0, C1)
 * and the marks that reverse the direction of writing. They are shown as \uXXXX, which in JSON means the same text.
 */
const dangerous = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text that stays on its line and does nothing to a terminal. */
export const printable = (text: string): string => text.replace(dangerous, escaped);

/** The same, with line breaks and tabs kept. */
export const printableLines = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replace(dangerous, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));
