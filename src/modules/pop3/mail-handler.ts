import { describeError, type ErrorCode, GatewayError } from '../../base/errors.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { Pop3Config } from '../../config/config.ts';
import type { ModuleContext } from '../host/module.ts';
import { MAIL_BOOK } from '../kit/mail/reply-token.ts';
import { decide } from './decide.ts';
import type { FailureReplies } from './failure-replies.ts';
import type { Mail } from './mail.ts';
import { parseMail } from './parse-mail.ts';
import type { SentMails } from './sent-mails.ts';

/** `sent`: its SMS are durable in the outbox, known by these references. `told`: its writer will know why it is none. */
export type Handled =
  | { readonly type: 'sent'; readonly references: readonly string[] }
  | { readonly type: 'ignored' | 'told'; readonly reason: string };

/** What the outbox will say of the same text and number every time. */
const permanent: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_argument',
  'invalid_number',
  'invalid_text',
  'text_too_long',
]);

interface HandlerParts {
  readonly context: Pick<ModuleContext<unknown>, 'name' | 'outbox' | 'notebook' | 'log'>;
  readonly config: Pop3Config;
  readonly sent: SentMails;
  /** Absent where nobody is told of failures. */
  readonly replies: FailureReplies | undefined;
}

/** Makes SMS of mails. */
export class MailHandler {
  /** SMS so far. */
  submitted = 0;
  readonly #parts: HandlerParts;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /** Throws when the outbox or the store cannot take it at the moment. */
  async handle(raw: Buffer, uniqueId: string | undefined): Promise<Handled> {
    const { context, config, replies } = this.#parts;
    const mail = await this.#parsed(raw);
    if (mail === undefined) return { type: 'ignored', reason: 'it cannot be read' };
    const decision = decide(mail, config, context.notebook(MAIL_BOOK));
    if (decision.type === 'send') return this.#send(mail, uniqueId, decision.numbers, decision.text);
    context.log.debug(() => `a mail of ${mail.from ?? 'nobody'} makes no SMS: ${decision.tell ?? decision.reason}`);
    const told = decision.tell !== undefined && (await replies?.tell(mail, decision.tell));
    return { type: told ? 'told' : 'ignored', reason: decision.reason };
  }

  async #parsed(raw: Buffer): Promise<Mail | undefined> {
    try {
      return await parseMail(raw);
    } catch (error) {
      this.#parts.context.log.debug(() => `a mail cannot be read: ${describeError(error)}`);
      return undefined;
    }
  }

  async #send(
    mail: Mail,
    uniqueId: string | undefined,
    numbers: readonly PhoneNumber[],
    text: string,
  ): Promise<Handled> {
    const { sent, replies } = this.#parts;
    const references: string[] = [];
    let told = false;
    for (const number of numbers) {
      const reference = sent.reference(mail, uniqueId, number);
      const failure = sent.has(reference) ? undefined : await this.#submit(mail, number, text, reference);
      if (failure === undefined) references.push(reference);
      else if (await replies?.tell(mail, failure)) told = true;
    }
    if (references.length > 0) return { type: 'sent', references };
    return { type: told ? 'told' : 'ignored', reason: 'its text or number cannot be sent' };
  }

  /** Why it can never be sent; undefined when it is in the outbox. */
  async #submit(mail: Mail, number: PhoneNumber, text: string, reference: string): Promise<string | undefined> {
    const { context, config, replies } = this.#parts;
    try {
      const { id } = await context.outbox.submit({
        ...{ number, source: context.name, clientRef: reference },
        content: { type: 'text', text },
        ...(config.modem !== undefined && { modem: config.modem }),
      });
      this.submitted += 1;
      await replies?.expect(id, mail);
      return undefined;
    } catch (error) {
      if (error instanceof GatewayError && permanent.has(error.code)) return error.message;
      throw error;
    }
  }
}
