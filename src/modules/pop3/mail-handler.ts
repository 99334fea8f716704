import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { describeError, isPermanent } from '../../base/errors.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { Pop3Config } from '../../config/config.ts';
import type { Notebook } from '../../store/notes.ts';
import { LimitReached } from '../../store/outbox/ceilings.ts';
import type { ModuleContext } from '../host/contract.ts';
import { MAIL_BOOK } from '../kit/reply-token.ts';
import { decide } from './decide.ts';
import type { FailureReplies } from './failure-replies.ts';
import { type Mail, parseMail } from './parse-mail.ts';

/**
 * The outcome of a mail, with the references to note. `sent`: its SMS are durable in the outbox. `explained`: its writer
 * gets a mail about why it is not sent.
 */
export type Handled =
  | { readonly type: 'sent'; readonly references: readonly string[] }
  | { readonly type: 'explained'; readonly reason: string; readonly references: readonly string[] }
  | { readonly type: 'ignored'; readonly reason: string };

/** A fetched mail. */
export interface Fetched {
  /** Recognises the mail, whatever unique id the server gives it: the same in each session. */
  readonly identity: string;
  readonly mail: Mail | undefined;
}

/** Stands in the stored references of explained mails. */
const EXPLAINED = 'told';

interface HandlerParts {
  readonly context: Pick<ModuleContext<unknown>, 'name' | 'outbox' | 'notebook' | 'log'>;
  readonly config: Pop3Config;
  readonly sent: SentMails;
  /** Absent where the config sends no mails about failures. */
  readonly replies: FailureReplies | undefined;
}

/** Submits mails as SMS. */
export class MailHandler {
  /** Number of submitted SMS. */
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

  /**
   * Throws errors that pass: of the outbox and the store. LimitReached of one recipient: the others have their SMS, and
   * the mail is to be handled again later.
   */
  async handle(fetched: Fetched, uniqueId: string | undefined): Promise<Handled> {
    const { context, config, replies, sent } = this.#parts;
    const { mail, identity } = fetched;
    if (mail === undefined) return { type: 'ignored', reason: 'it cannot be read' };
    const explained = sent.reference(identity, EXPLAINED);
    if (sent.has(explained)) {
      return { type: 'explained', reason: 'its writer was informed before', references: [explained] };
    }
    const decision = decide(mail, config, context.notebook(MAIL_BOOK));
    if (decision.type === 'send') return this.#send({ mail, identity }, uniqueId, decision.numbers, decision.text);
    context.log.debug(
      () => `a mail of ${mail.from ?? 'nobody'} makes no SMS: ${decision.explanation ?? decision.reason}`,
    );
    const { reason, explanation } = decision;
    const willReply = explanation !== undefined && (await replies?.explain(mail, explanation));
    return willReply ? { type: 'explained', reason, references: [explained] } : { type: 'ignored', reason };
  }

  async #send(
    { mail, identity }: { readonly mail: Mail; readonly identity: string },
    uniqueId: string | undefined,
    numbers: readonly PhoneNumber[],
    text: string,
  ): Promise<Handled> {
    const { sent, replies } = this.#parts;
    const references: string[] = [];
    let explained = false;
    let limited: LimitReached | undefined;
    for (const number of numbers) {
      const reference = sent.reference(identity, number);
      // The outbox keeps a client reference for a day. Equal mails without Message-ID or date may arrive within it.
      const isUnique = mail.messageId !== undefined && mail.date !== undefined;
      const clientRef = isUnique ? reference : sent.reference(`${identity} ${uniqueId ?? ''}`, number);
      let failure: string | undefined;
      try {
        failure = sent.has(reference) ? undefined : await this.#submit(mail, number, text, clientRef);
      } catch (error) {
        if (!(error instanceof LimitReached)) throw error;
        limited = error;
        if (error.whose === 'recipient') continue;
        break;
      }
      if (failure === undefined) references.push(reference);
      else if (await replies?.explain(mail, failure)) explained = true;
    }
    if (limited !== undefined) {
      // The mail may wait for longer than the outbox knows its references.
      if (references.length > 0) await sent.remember(references);
      throw limited;
    }
    if (references.length > 0) return { type: 'sent', references };
    const reason = 'its text or number cannot be sent';
    return explained
      ? { type: 'explained', reason, references: [sent.reference(identity, EXPLAINED)] }
      : { type: 'ignored', reason };
  }

  /** Submits an SMS. Returns the reason of a permanent refusal, undefined when the SMS is in the outbox. */
  async #submit(mail: Mail, number: PhoneNumber, text: string, clientRef: string): Promise<string | undefined> {
    const { context, config, replies } = this.#parts;
    try {
      const { id } = await context.outbox.submit({
        ...{ number, source: context.name, clientRef },
        content: { type: 'text', text },
        ...(config.modem !== undefined && { modem: config.modem }),
      });
      this.submitted += 1;
      await replies?.watch(id, mail);
      return undefined;
    } catch (error) {
      if (isPermanent(error)) return error.message;
      throw error;
    }
  }
}

/** From the Message-ID (RFC 5322 3.6.4) and more, as some programs repeat it; without one from the content. */
function identityOf({ messageId, date = '', from = '', subject, text }: Mail, raw: Buffer): string {
  return messageId === undefined ? contentOf(raw) : digest(messageId, date, from, subject, text);
}

/** Header lines that servers add to a stored mail and change later. */
const written =
  /^(?:Status|X-Status|X-Keywords|X-UID|X-UIDL|X-IMAPbase|X-Mozilla-[A-Za-z0-9-]+|Content-Length|Lines):.*(?:\r?\n[ \t].*)*\r?\n/gim;

function contentOf(raw: Buffer): string {
  const text = raw.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  return digest(text.slice(0, end + 2).replace(written, ''), text.slice(end + 2).trimEnd());
}

const DAY_MS = 86_400_000;
/** Days for which notes about another mailbox are kept, in case the config returns to it. */
const KEEP_DAYS = 60;

export const digest = (...facts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22);

/**
 * The mails that are handled, sent as SMS or explained to their writers, and perhaps still in the mailbox. A mail is noted
 * when its SMS is durable, and forgotten when the server has confirmed the deletion. Until then no broken connection,
 * crash or month without power makes a second SMS of it.
 */
export class SentMails {
  readonly #book: Notebook;
  readonly #clock: Clock;
  readonly #mailbox: string;

  constructor(book: Notebook, { host, username }: Pop3Config, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
    this.#mailbox = digest(host, username);
  }

  /** The key of a mail of this mailbox and one of its outcomes, such as a number. */
  reference(identity: string, outcome: string): string {
    return `${this.#mailbox} ${digest(identity, outcome)}`;
  }

  has(reference: string): boolean {
    return this.#book.get(reference) !== undefined;
  }

  /** Resolves when the notes are durable. */
  async remember(references: readonly string[]): Promise<void> {
    const news = references.filter((reference) => !this.has(reference));
    await this.#book.write(Object.fromEntries(news.map((reference) => [reference, `${this.#clock.now()}`])));
  }

  async forget(references: readonly string[]): Promise<void> {
    await this.#book.erase(references);
  }

  /** Forgets all other mails of this mailbox. */
  async keepOnly(references: ReadonlySet<string>): Promise<void> {
    const gone = this.#all().filter(({ key, own }) => own && !references.has(key));
    await this.#book.erase(gone.map(({ key }) => key));
  }

  /** Forgets old notes about other mailboxes. */
  async prune(): Promise<void> {
    const before = this.#clock.now() - KEEP_DAYS * DAY_MS;
    const old = this.#all().filter(({ own, time }) => !own && time < before);
    await this.#book.erase(old.map(({ key }) => key));
  }

  #all() {
    return this.#book
      .entries()
      .map(([key, time]) => ({ key, time: Number(time), own: key.startsWith(`${this.#mailbox} `) }));
  }
}
