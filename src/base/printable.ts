/**
 * SMS texts and senders are chosen by strangers. A control character must not forge a line of the log or obey a
 * terminal's escape sequences (C0, C1), and a direction mark must not turn a text around. They are shown as \uXXXX, which in
 * JSON means the same text.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const dangerous = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text that stays on its line and does nothing to a terminal. */
export const printable = (text: string): string => text.replace(dangerous, escaped);

/** The same, with line breaks and tabs kept. */
export const printableLines = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replace(dangerous, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));

/** `1 message`, `2 messages`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
