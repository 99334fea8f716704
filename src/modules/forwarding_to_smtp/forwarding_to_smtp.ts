import { GatewayError } from '../../base/errors.ts';
import { parsePhoneNumber } from '../../base/phone-number.ts';
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
import { Mailer } from '../kit/mail/mailer.ts';
import { messageIdOf } from '../kit/mail/message-id.ts';
import { MAIL_BOOK, replyToken } from '../kit/mail/reply-token.ts';
import { RetryLimit } from '../kit/retry-limit.ts';
import { acceptsSender } from '../kit/sender-filter.ts';
import { forwardedMail } from './forwarded-mail.ts';

export interface ForwardingToEmailConfig {
  readonly smtp: ForwardingToSmtpConfig;
  /** Whether Email to SMS is on, to take answers. */
  readonly answers: boolean;
}

const noRecipient: DeliveryOutcome = { type: 'rejected', reason: 'it is no recipient any more', moot: true };

/** Forwards received messages by email, each recipient apart: one bad address holds up nobody else. */
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
    const { mode, number, every_sms, recipemail } = this.#context.config.smtp;
    if (!acceptsSender({ mode, numbers: number }, message.number)) return [];
    if (!every_sms && this.#context.isRuleMessage(message)) return [];
    return [...new Set(recipemail)].map((target) => ({ target }));
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    if (delivery.kind !== 'message') return noReceipts;
    const { message, target } = delivery;
    const { config } = this.#context;
    if (!config.smtp.recipemail.includes(target)) return noRecipient;
    const mail = forwardedMail(message, target, config.smtp, await this.#token(message));
    const outcome = this.#retryLimit.apply(await this.#mailer.send(mail, signal), message);
    if (outcome.type === 'done') this.counters.forwarded += 1;
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

  /** Undefined where an answer cannot go back. */
  async #token({ number }: InboxMessage): Promise<string | undefined> {
    const { config, notebook } = this.#context;
    const sender = config.smtp.reply_by_mail && config.answers ? parsePhoneNumber(number) : undefined;
    return sender === undefined ? undefined : replyToken(sender, notebook(MAIL_BOOK));
  }
}
