import { type PhoneNumber, parsePhoneNumber, plainNumberText } from '../../base/phone-number.ts';
import type { Pop3Config } from '../../config/config.ts';
import type { Notebook } from '../../store/notes.ts';
import { OWN_MAIL } from '../kit/mailer.ts';
import { answeredNumber, beforeToken } from '../kit/reply-token.ts';
import { ownText, withoutMarks } from './mail-text.ts';
import type { Mail } from './parse-mail.ts';

/** What to do with a mail. `explanation`: a sentence for the writer of a mail that was meant as an SMS. */
export type Decision =
  | { readonly type: 'send'; readonly numbers: readonly PhoneNumber[]; readonly text: string }
  | { readonly type: 'ignore'; readonly reason: string; readonly explanation?: string };

const ignore = (reason: string, explanation?: string): Decision => ({
  type: 'ignore',
  reason,
  ...(explanation !== undefined && { explanation }),
});

/** Decides by the config. `book` holds the secret of the reply tokens. */
export function decide(mail: Mail, config: Pop3Config, book: Notebook): Decision {
  if (mail.messageId?.startsWith(OWN_MAIL)) return ignore('it comes from this gateway');
  const answered = answeredNumber(mail.subject, book);
  // An automatic answer must not reach the sender of the SMS. A person's answer needs no allowed address: it has a token.
  if (answered !== undefined && mail.automatic) return ignore('it is an automatic answer');
  if (answered === undefined && !isAllowed(mail.from, config.allow_from)) return ignore('its sender is not allowed');
  const rules = { loose: config.loose_subject, most: config.max_recipients };
  const numbers = answered === undefined ? numbersOf(mail.subject, rules) : [answered];
  if (numbers === undefined) return ignore('its subject is not a phone number');
  const sendable = beforeToken(mail.text, answered, book);
  const text = answered !== undefined || config.strip_signature ? ownText(sendable) : withoutMarks(sendable).trim();
  if (text === '') return ignore('it has no text', 'the mail has no text');
  const { length } = [...text];
  if (length > config.limit) {
    return ignore('its text is too long', `the text has ${length} characters, and may have ${config.limit}`);
  }
  return { type: 'send', numbers, text };
}

function isAllowed(from: string | undefined, allowed: Pop3Config['allow_from']): boolean {
  if (allowed.length === 0) return true;
  const domain = from?.slice(from.lastIndexOf('@'));
  return allowed.map((entry) => entry.toLowerCase()).some((entry) => entry === from || entry === domain);
}

export interface SubjectRules {
  /** Also with `Re:`, `[EXTERNAL]`, `tel:` and the like in front, and with blanks, dashes and brackets within. */
  readonly loose: boolean;
  /** Greatest number of phone numbers, separated by commas. */
  readonly most: number;
}

/**
 * Prefixes that programs put in front of a subject: of answers and forwarded mails, in many languages; a remark of the
 * mail server, such as `[EXTERNAL]`; the scheme of a link to a number (RFC 3966, RFC 5724), or a word for it.
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

/** Without the additions of programs: `Fwd: sms:+37060000001?body=hello`, `tel:%2B37060000001;ext=1 [EXTERNAL]`. */
const withoutSurroundings = (text: string): string =>
  text
    .replace(prefix, '')
    .replace(/%2b/gi, '+')
    .replace(/[?;]\s*[a-z-]{1,30}=.*$/i, '')
    .replace(/\[[^\]\d+]{1,40}\]\s{0,9}$/, '');

/** The phone numbers in the subject; undefined when it has other text, or too many numbers. */
export function numbersOf(subject: string, { loose, most }: SubjectRules): readonly PhoneNumber[] | undefined {
  // The non-breaking hyphen is copied from web pages. Other dashes are refused in a strict number.
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
