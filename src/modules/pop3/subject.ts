import { type PhoneNumber, parsePhoneNumber } from '../../base/phone-number.ts';

export interface SubjectRules {
  /** Also with `Re:` and the like in front, and with blanks, dashes and brackets within. */
  readonly loose: boolean;
  /** How many numbers, separated by commas, there may be. */
  readonly most: number;
}

/** What mail programs put in front of a subject, in the languages of Europe. */
const prefix = /^\s*(?:(?:re|fwd?|aw|wg|sv|vs|vb|tr|rv|antw|ats|odp|ynt|r|i)\s*(?:\[\d+\])?\s*:\s*)+/i;

/** The phone numbers that the subject is; undefined when it is anything else, or too many of them. */
export function numbersOf(subject: string, { loose, most }: SubjectRules): readonly PhoneNumber[] | undefined {
  const bare = loose ? subject.replace(prefix, '') : subject;
  const texts = most === 1 ? [bare] : bare.split(/[,;]/);
  if (texts.length > most) return undefined;
  const numbers: PhoneNumber[] = [];
  for (const text of texts) {
    const number = loose || /^\s*\+?[0-9]+\s*$/.test(text) ? parsePhoneNumber(text) : undefined;
    if (number === undefined) return undefined;
    if (!numbers.includes(number)) numbers.push(number);
  }
  return numbers;
}
