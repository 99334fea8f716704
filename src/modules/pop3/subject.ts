import { type PhoneNumber, parsePhoneNumber, plainNumberText } from '../../base/phone-number.ts';

export interface SubjectRules {
  /** Also with `Re:`, `[EXTERNAL]`, `tel:` and the like in front, and with blanks, dashes and brackets within. */
  readonly loose: boolean;
  /** How many numbers, separated by commas, there may be. */
  readonly most: number;
}

/**
 * What programs put in front of a subject: that it is an answer or forwarded, in many languages; a remark of the mail
 * server, such as `[EXTERNAL]`; the scheme of a link to a number (RFC 3966, RFC 5724), or a word for it.
 */
const prefix = new RegExp(
  `^(?:\\s*(?:${[
    '(?:re|fwd?|aw|wg|sv|vs|vb|vl|vá|tr|rv|rif|enc|res|antw|ats|atb|odp|pd|fs|ilt|ynt|doorst|r|i|отв|ответ|пер|απ|πρθ|σχετ)' +
      '\\s*(?:\\[\\d+\\]|\\(\\d+\\))?\\s*[:：]',
    '(?:回复|回覆|答复|转发|轉寄|返信|転送|회신|전달|השב|הועבר|رد)\\s*[:：]',
    '[[{(]\\s*[^\\]})\\d+]{1,40}[\\]})]\\s*:?',
    '\\*+\\s*[^*\\d+]{1,40}\\*+',
    '(?:external|extern|caution|spam)\\s*:',
    '(?:tel|sms|smsto|callto|phone|telefon|telephone|mobile|mobil|handy|nr)\\s*(?::(?://)?|\\.)',
  ].join('|')}))+`,
  'i',
);

/** Without what programs put around a number: `Fwd: sms:+37060000001?body=hello`, `tel:%2B37060000001;ext=1 [EXTERNAL]`. */
const withoutSurroundings = (text: string): string =>
  text
    .replace(prefix, '')
    .replace(/%2b/gi, '+')
    .replace(/[?;]\s*[a-z-]{1,30}=.*$/i, '')
    .replace(/\[[^\]\d+]{1,40}\]\s{0,9}$/, '');

/** The phone numbers that the subject is; undefined when it is anything else, or too many of them. */
export function numbersOf(subject: string, { loose, most }: SubjectRules): readonly PhoneNumber[] | undefined {
  // The hyphen that does not break comes along from web pages; as any other dash it would be no part of a strict number.
  const plain = plainNumberText(subject.replace(/\u2011/g, ''));
  const bare = loose ? plain.replace(prefix, '') : plain;
  const texts = most === 1 ? [bare] : bare.split(/[,;](?!\s*[a-z-]+=)/i);
  if (texts.length > most) return undefined;
  const numbers: PhoneNumber[] = [];
  for (const text of texts) {
    const written = loose ? withoutSurroundings(text) : text;
    const number = loose || /^\s*\+?[0-9]+\s*$/.test(text) ? parsePhoneNumber(written) : undefined;
    if (number === undefined) return undefined;
    if (!numbers.includes(number)) numbers.push(number);
  }
  return numbers;
}
