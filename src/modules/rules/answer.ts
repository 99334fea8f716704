import { type PhoneNumber, parsePhoneNumber } from '../../base/phone-number.ts';
import { segment } from '../../sms/index.ts';
import type { OutboxMessage } from '../../store/message.ts';
import { replyModem } from '../kit/delivery.ts';
import type { Execution, RulesContext } from './context.ts';

/**
 * Submits an answer to whoever the rule says; `kind` tells the answers of one execution apart. Repeated, it gives what
 * was submitted the first time. Throws as Outbox.submit.
 */
export async function sendAnswer(
  context: RulesContext,
  { rule, message }: Pick<Execution, 'rule' | 'message'>,
  kind: string,
  text: string,
): Promise<readonly OutboxMessage[]> {
  const { outbox, name } = context;
  const fixed = rule.action === 'switch_modem' ? undefined : rule.modem;
  return Promise.all(
    recipients(rule, message.number).map((number) =>
      outbox.submit({
        ...{ number, source: name, clientRef: `${message.id}:${kind}:${number}` },
        content: { type: 'text', text: cutToParts(printable(text), rule.max_parts) },
        ...(fixed === undefined ? replyModem(message, context) : { modem: fixed }),
      }),
    ),
  );
}

function recipients({ to_other_phone, to_number }: Execution['rule'], sender: string): readonly PhoneNumber[] {
  if (to_other_phone) return [...new Set(to_number)];
  const number = parsePhoneNumber(sender);
  return number === undefined ? [] : [number];
}

const ELLIPSIS = '...';

/** The text, or as much of its begin as fits in that many parts of a long SMS. */
export function cutToParts(text: string, parts: number): string {
  if (fits(text, parts)) return text;
  const characters = [...text];
  let [fitting, tooMany] = [0, characters.length];
  while (tooMany - fitting > 1) {
    const middle = (fitting + tooMany) >> 1;
    if (fits(characters.slice(0, middle).join('') + ELLIPSIS, parts)) fitting = middle;
    else tooMany = middle;
  }
  return characters.slice(0, fitting).join('').trimEnd() + ELLIPSIS;
}

/** Characters that no part can be short of, to keep the measuring cheap. */
const MAX_IN_PART = 160;

const fits = (text: string, parts: number): boolean =>
  text.length <= parts * MAX_IN_PART && segment(text).parts.length <= parts;

/** What programs print is made for terminals. */
const printable = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all but the line break
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')
    .trim();
