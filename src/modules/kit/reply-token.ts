import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type PhoneNumber, parsePhoneNumber } from '../../base/phone-number.ts';
import type { Notebook } from '../../store/notes.ts';

/** The notebook that the mail functions share. */
export const MAIL_BOOK = 'mail';
const SECRET = 'reply secret';
/** 60 bits: too many to guess by sending mails. */
const TAG_LENGTH = 12;
/** 32 characters that survive mail programs and are not confused when read aloud. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';

/**
 * Stands in the subject of a forwarded message, so that an answer goes back as SMS: the sender's number, and a tag that
 * only this gateway can make for it. `[SMS +37060000001 k3f9x2b7mqar]`
 */
export async function replyToken(number: PhoneNumber, book: Notebook): Promise<string> {
  if (book.get(SECRET) === undefined) await book.write({ [SECRET]: randomBytes(32).toString('base64url') });
  return `[SMS ${number} ${tag(number, book.get(SECRET) ?? '')}]`;
}

/** The number that a mail with this subject answers; undefined without a token of this gateway. */
export function answeredNumber(subject: string, book: Notebook): PhoneNumber | undefined {
  const secret = book.get(SECRET);
  const [, digits = '', given = ''] = /\[SMS (\+?[0-9]{1,20})\s+([a-z0-9]{12})\]/.exec(subject) ?? [];
  const number = parsePhoneNumber(digits);
  if (secret === undefined || number === undefined) return undefined;
  return timingSafeEqual(Buffer.from(tag(number, secret)), Buffer.from(given)) ? number : undefined;
}

/** A token, also as mail programs wrap and quote it. */
const shape = /\[SMS[\s>]{1,10}\+?[0-9]{1,20}[\s>]{1,10}[a-z0-9]{12}\b/i;
const headerLine = /^[\s>*]*[^\s:：][^:：]{0,24}[:：]/;

/**
 * The text up to the line of the first token, without the header lines right above that line: the recipient of the text
 * must not learn the token. `answered`: the tag of this number counts wherever it stands.
 */
export function beforeToken(text: string, answered: PhoneNumber | undefined, book: Notebook): string {
  const own = answered === undefined ? -1 : text.indexOf(tag(answered, book.get(SECRET) ?? ''));
  const places = [text.search(shape), own].filter((place) => place >= 0);
  if (places.length === 0) return text;
  const lines = text
    .slice(0, Math.min(...places))
    .split('\n')
    .slice(0, -1);
  const above = lines.findLastIndex((line) => !headerLine.test(line.slice(0, 100)));
  const isHeader = lines.length - above - 1 >= 2 && lines.length - above - 1 <= 10;
  return lines.slice(0, isHeader ? above + 1 : lines.length).join('\n');
}

function tag(number: PhoneNumber, secret: string): string {
  const digest = createHmac('sha256', secret).update(number).digest();
  return [...digest.subarray(0, TAG_LENGTH)].map((octet) => alphabet[octet % alphabet.length]).join('');
}
