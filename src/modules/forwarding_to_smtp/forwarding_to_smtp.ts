import { GatewayError } from '../../base/errors.ts';
import type { ForwardingToSmtpConfig } from '../../config/config.ts';
import type { InboxMessage } from '../../store/message.ts';
import {
  type Delivery,
  type DeliveryEvent,
  type DeliveryOutcome,
  type DeliveryRequest,
  type GatewayModule,
  type ModuleContext,
  noReceipts,
} from '../host/contract.ts';
import { RetryLimit } from '../kit/delivery.ts';
import { Mailer, messageIdOf, type OutgoingMail } from '../kit/mailer.ts';
import { acceptsMessage, readableText, senderNumber } from '../kit/received-message.ts';
import { MAIL_BOOK, replyToken } from '../kit/reply-token.ts';

export interface ForwardingToEmailConfig {
  readonly smtp: ForwardingToSmtpConfig;
  /** Whether mails invite answers: that is wanted, and Email to SMS is on to receive them. */
  readonly answers: boolean;
}

const noRecipient: DeliveryOutcome = {
  type: 'rejected',
  reason: 'the recipient is not in the config any more',
  moot: true,
};

/** Forwards received messages by email, a delivery for each recipient: a bad address does not delay the others. */
export class ForwardingToEmail implements GatewayModule {
  readonly counters = { forwarded: 0, rejected: 0 };
  readonly #context: ModuleContext<ForwardingToEmailConfig>;
  readonly #mailer: Mailer;
  readonly #retryLimit: RetryLimit;

  constructor(context: ModuleContext<ForwardingToEmailConfig>) {
    this.#context = context;
    this.#mailer = new Mailer(context.config.smtp, context.clock);
    this.#retryLimit = new RetryLimit(context.clock, context.config.smtp.retry_hours);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    if (event.kind !== 'message') return [];
    const { message } = event;
    const { number, recipemail, ...filter } = this.#context.config.smtp;
    if (!acceptsMessage({ ...filter, numbers: number }, message, this.#context)) return [];
    return [...new Set(recipemail)].map((target) => ({ target }));
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    if (delivery.kind !== 'message') return noReceipts;
    const { message, target } = delivery;
    const { config } = this.#context;
    if (!config.smtp.recipemail.includes(target)) return noRecipient;
    const mail = forwardedMail(message, target, config.smtp, await this.#token(message));
    const outcome = this.#retryLimit.apply(await this.#mailer.send(mail, signal), message);
    if (outcome.type === 'done') {
      this.counters.forwarded += 1;
      this.#context.log.info(`message ${message.id} is forwarded to ${target}`);
    }
    if (outcome.type === 'rejected') this.counters.rejected += 1;
    return outcome;
  }

  async test(signal: AbortSignal): Promise<string> {
    const { smtp } = this.#context.config;
    const [to = smtp.senderemail] = smtp.recipemail;
    const outcome = await this.#mailer.send(
      {
        to,
        subject: 'SMS gateway test',
        text: 'This mail shows that the SMS gateway can send mail.',
        messageId: messageIdOf(['test', this.#context.clock.now()], smtp.senderemail),
        automatic: 'auto-generated',
      },
      signal,
    );
    if (outcome.type === 'done') return `${smtp.smtpip} has taken a test mail to ${to}`;
    throw new GatewayError(outcome.type === 'retry' ? 'connection_failed' : 'peer_rejected', outcome.reason);
  }

  /** The reply token of the sender; undefined where no answer can go back. */
  async #token(message: InboxMessage): Promise<string | undefined> {
    const { config, notebook } = this.#context;
    const sender = config.answers ? senderNumber(message) : undefined;
    return sender === undefined ? undefined : replyToken(sender, notebook(MAIL_BOOK));
  }
}

/** The mail that forwards the message. `token`: see reply-token.ts. */
function forwardedMail(
  message: InboxMessage,
  to: string,
  { subject, senderemail, sender_num }: ForwardingToSmtpConfig,
  token?: string,
): OutgoingMail {
  const { id, number, time, received } = message;
  const content = readableText(message);
  return {
    to,
    subject: [subject, token].filter(Boolean).join(' '),
    text: sender_num ? `${content}\nSMS forwarded from: ${number}` : content,
    messageId: messageIdOf([id, received, time, number, to], senderemail),
    automatic: 'auto-generated',
  };
}
