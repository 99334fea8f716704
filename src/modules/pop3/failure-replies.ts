import { describeError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { Mutex } from '../../base/mutex.ts';
import { type MessageId, type OutboxMessage, outboxStates } from '../../store/message.ts';
import type { Notebook } from '../../store/notes.ts';
import type { ModuleContext } from '../host/contract.ts';
import { HourlyCount } from '../kit/hourly-count.ts';
import type { Mailer } from '../kit/mailer.ts';
import { messageIdOf } from '../kit/mailer.ts';
import type { Mail } from './parse-mail.ts';

/** Time for which an SMS is watched, and a reply is retried. */
const KEEP_MS = 3 * 86_400_000;
/** Mails that are watched; mails beyond the limit get no reply. */
const MAX_WATCHED = 1_000;
/** Replies an hour to one address: From lines are easily forged, and the gateway must not flood anybody. */
const PER_HOUR = 10;

/** A stored entry. `reason` when the failure is known. */
interface Entry {
  readonly to: string;
  readonly subject: string;
  readonly messageId?: string;
  readonly time: number;
  readonly reason?: string;
}

type Fate = { readonly failed: string } | 'well' | 'open';

export interface FailureRepliesParts {
  readonly context: Pick<ModuleContext<unknown>, 'name' | 'outbox' | 'bus' | 'log' | 'health' | 'clock' | 'signal'>;
  readonly book: Notebook;
  readonly mailer: Mailer;
  /** Address that the replies come from. */
  readonly sender: string;
}

/** Sends a mail to the writer of a mail whose SMS failed, also after a restart. */
export class FailureReplies {
  replied = 0;
  readonly #parts: FailureRepliesParts;
  readonly #perAddress: HourlyCount;
  readonly #turn = new Mutex();

  constructor(parts: FailureRepliesParts) {
    this.#parts = parts;
    this.#perAddress = new HourlyCount(parts.context.clock);
  }

  start(owner: object): void {
    const { bus, name } = this.#parts.context;
    bus.on('sms.failed', owner, ({ source }) => {
      if (source === name) this.settle();
    });
    this.settle();
  }

  /** Resolves when no reply is under way. The signal must have aborted. */
  async stop(): Promise<void> {
    await this.#turn.idle();
  }

  /** Watches an SMS of the mail. */
  async watch(id: MessageId, mail: Mail): Promise<void> {
    await this.#note(`sms ${id}`, mail);
  }

  /** The mail is not sent as SMS. Resolves to whether a reply will be sent; it is durable then. */
  async explain(mail: Mail, reason: string): Promise<boolean> {
    return this.#note(messageIdOf([mail.messageId ?? '', mail.date ?? '', reason], ''), mail, reason);
  }

  /** Sends the replies that are due. Later calls retry failed replies. */
  settle(): void {
    this.#turn
      .run(() => this.#settleAll())
      .catch((error: unknown) => {
        const { log, health, signal } = this.#parts.context;
        if (signal.aborted) return;
        log.warning(`replies about failed SMS are retried later: ${describeError(error)}`);
        health.failed('replies', `replies about failed SMS are retried later: ${describeError(error)}`);
      });
  }

  async #note(key: string, mail: Mail, reason?: string): Promise<boolean> {
    const { book, sender, context } = this.#parts;
    const { answerTo: to, subject, messageId, automatic } = mail;
    if (to === undefined || automatic || to === sender.toLowerCase()) return false;
    if (book.entries().length >= MAX_WATCHED && book.get(key) === undefined) return false;
    const entry = {
      ...{ to, subject: subject.slice(0, 100), time: context.clock.now() },
      ...(messageId !== undefined && messageId.length < 250 && { messageId }),
      ...(reason !== undefined && { reason: reason.slice(0, 200) }),
    };
    await book.write({ [key]: JSON.stringify(entry satisfies JsonObject) });
    return true;
  }

  async #settleAll(): Promise<void> {
    const { book, context } = this.#parts;
    for (const [key, text] of book.entries()) {
      const entry = JSON.parse(text) as Entry;
      const fate = await this.#fate(key, entry);
      context.signal.throwIfAborted();
      const old = context.clock.now() - entry.time > KEEP_MS;
      const over = fate === 'open' ? old : fate === 'well' || (await this.#reply(key, entry, fate.failed)) || old;
      if (over) await book.erase([key]);
    }
    if (book.entries().length === 0) context.health.succeeded('replies');
  }

  async #fate(key: string, { reason }: Entry): Promise<Fate> {
    if (reason !== undefined) return { failed: reason };
    const message = await this.#parts.context.outbox.get(Number(key.slice('sms '.length)) as MessageId);
    return message === undefined ? 'well' : fateOf(message);
  }

  /** Whether the entry is finished. */
  async #reply(key: string, { to, subject, messageId }: Entry, reason: string): Promise<boolean> {
    const { mailer, sender, context } = this.#parts;
    if (this.#perAddress.of(to) >= PER_HOUR) {
      context.log.warning(`no reply to ${to} about a failed SMS: it got ${PER_HOUR} within the hour`);
      return true;
    }
    const outcome = await mailer.send(
      {
        to,
        subject: `SMS not sent: ${subject}`,
        text: `Your mail could not be delivered as SMS: ${reason}.`,
        messageId: messageIdOf(['failure', key, messageId ?? ''], sender),
        automatic: 'auto-replied',
        ...(messageId !== undefined && { inReplyTo: messageId }),
      },
      context.signal,
    );
    if (outcome.type !== 'done') {
      context.log.warning(`a mail about a failed SMS was not accepted: ${outcome.reason}`);
      context.health.failed('replies', `a mail about a failed SMS was not accepted: ${outcome.reason}`);
      return outcome.type === 'rejected';
    }
    context.health.succeeded('replies');
    this.#perAddress.add(to);
    this.replied += 1;
    return true;
  }
}

function fateOf({ state, number, error }: OutboxMessage): Fate {
  if (state === 'delivered') return 'well';
  const { settled, success } = outboxStates[state];
  return settled && !success ? { failed: `the message to ${number} is ${state}${error ? ` (${error})` : ''}` } : 'open';
}
