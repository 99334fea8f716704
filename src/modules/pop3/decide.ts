import type { PhoneNumber } from '../../base/phone-number.ts';
import type { Pop3Config } from '../../config/config.ts';
import type { Notebook } from '../../store/notes.ts';
import { OWN_MAIL } from '../kit/mailer.ts';
import { answeredNumber, beforeToken } from '../kit/reply-token.ts';
import type { Mail } from './mail.ts';
import { ownText, withoutMarks } from './quoted-text.ts';
import { numbersOf } from './subject.ts';

/** What is to be done with a mail. `tell`: its writer meant it to be an SMS, and may know this about why it is none. */
export type Decision =
  | { readonly type: 'send'; readonly numbers: readonly PhoneNumber[]; readonly text: string }
  | { readonly type: 'ignore'; readonly reason: string; readonly tell?: string };

const ignore = (reason: string, tell?: string): Decision => ({
  type: 'ignore',
  reason,
  ...(tell !== undefined && { tell }),
});

/** The rules of the config. `book` knows the reply tokens. */
export function decide(mail: Mail, config: Pop3Config, book: Notebook): Decision {
  if (mail.messageId?.startsWith(OWN_MAIL)) return ignore('it comes from this gateway');
  const answered = answeredNumber(mail.subject, book);
  // A program that answers would tell its news to a stranger; the token shows that a person may.
  if (answered !== undefined && mail.automatic) return ignore('it is an automatic answer');
  if (answered === undefined && !isAllowed(mail.from, config.allow_from)) return ignore('its sender is not allowed');
  const rules = { loose: config.loose_subject, most: config.max_recipients };
  const numbers = answered === undefined ? numbersOf(mail.subject, rules) : [answered];
  if (numbers === undefined) return ignore('its subject is no phone number');
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
