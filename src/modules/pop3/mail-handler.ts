import { describeError, isPermanent } from '../../base/errors.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { Pop3Config } from '../../config/config.ts';
import type { ModuleContext } from '../host/contract.ts';
import { MAIL_BOOK } from '../kit/reply-token.ts';
import { decide } from './decide.ts';
import type { FailureReplies } from './failure-replies.ts';
import type { Mail } from './mail.ts';
import { parseMail } from './parse-mail.ts';
import { digest, type SentMails } from './sent-mails.ts';

/**
 * What a mail came to, with the references to be noted. `sent`: its SMS are durable in the outbox. `told`: its writer
 * will know why it is none.
 */
export type Handled =
  | { readonly type: 'sent'; readonly references: readonly string[] }
  | { readonly type: 'told'; readonly reason: string; readonly references: readonly string[] }
  | { readonly type: 'ignored'; readonly reason: string };

/** A mail that was fetched. */
export interface Fetched {
  /** What it is known by, whatever the server calls it: the same for each look at the same mail. */
  readonly identity: string;
  readonly mail: Mail | undefined;
}

/** The outcome that a mail has whose writer was told. */
const TOLD = 'told';

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

  async read(raw: Buffer): Promise<Fetched> {
    try {
      const mail = await parseMail(raw);
      return { mail, identity: identityOf(mail, raw) };
    } catch (error) {
      this.#parts.context.log.debug(() => `a mail cannot be read: ${describeError(error)}`);
      return { mail: undefined, identity: contentOf(raw) };
    }
  }

  /** Throws when the outbox or the store cannot take it at the moment. */
  async handle(fetched: Fetched, uniqueId: string | undefined): Promise<Handled> {
    const { context, config, replies, sent } = this.#parts;
    const { mail, identity } = fetched;
    if (mail === undefined) return { type: 'ignored', reason: 'it cannot be read' };
    const told = sent.reference(identity, TOLD);
    if (sent.has(told)) return { type: 'told', reason: 'its writer was told before', references: [told] };
    const decision = decide(mail, config, context.notebook(MAIL_BOOK));
    if (decision.type === 'send') return this.#send({ mail, identity }, uniqueId, decision.numbers, decision.text);
    context.log.debug(() => `a mail of ${mail.from ?? 'nobody'} makes no SMS: ${decision.tell ?? decision.reason}`);
    const { reason, tell } = decision;
    const tells = tell !== undefined && (await replies?.tell(mail, tell));
    return tells ? { type: 'told', reason, references: [told] } : { type: 'ignored', reason };
  }

  async #send(
    { mail, identity }: { readonly mail: Mail; readonly identity: string },
    uniqueId: string | undefined,
    numbers: readonly PhoneNumber[],
    text: string,
  ): Promise<Handled> {
    const { sent, replies } = this.#parts;
    const references: string[] = [];
    let told = false;
    for (const number of numbers) {
      const reference = sent.reference(identity, number);
      // In the outbox a reference holds for a day: a mail that says little of itself may come again within it.
      const telling = mail.messageId !== undefined && mail.date !== undefined;
      const clientRef = telling ? reference : sent.reference(`${identity} ${uniqueId ?? ''}`, number);
      const failure = sent.has(reference) ? undefined : await this.#submit(mail, number, text, clientRef);
      if (failure === undefined) references.push(reference);
      else if (await replies?.tell(mail, failure)) told = true;
    }
    if (references.length > 0) return { type: 'sent', references };
    const reason = 'its text or number cannot be sent';
    return told ? { type: 'told', reason, references: [sent.reference(identity, TOLD)] } : { type: 'ignored', reason };
  }

  /** Why it can never be sent; undefined when it is in the outbox. */
  async #submit(mail: Mail, number: PhoneNumber, text: string, clientRef: string): Promise<string | undefined> {
    const { context, config, replies } = this.#parts;
    try {
      const { id } = await context.outbox.submit({
        ...{ number, source: context.name, clientRef },
        content: { type: 'text', text },
        ...(config.modem !== undefined && { modem: config.modem }),
      });
      this.submitted += 1;
      await replies?.expect(id, mail);
      return undefined;
    } catch (error) {
      if (isPermanent(error)) return error.message;
      throw error;
    }
  }
}

/** By its Message-ID (RFC 5322 3.6.4), but careless programs give the same one to all mails; else by its content. */
function identityOf({ messageId, date = '', from = '', subject, text }: Mail, raw: Buffer): string {
  return messageId === undefined ? contentOf(raw) : digest(messageId, date, from, subject, text);
}

/** Lines that servers write into a mail, and change while it lies there. */
const written =
  /^(?:Status|X-Status|X-Keywords|X-UID|X-UIDL|X-IMAPbase|X-Mozilla-[A-Za-z0-9-]+|Content-Length|Lines):.*(?:\r?\n[ \t].*)*\r?\n/gim;

function contentOf(raw: Buffer): string {
  const text = raw.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  return digest(text.slice(0, end + 2).replace(written, ''), text.slice(end + 2).trimEnd());
}
