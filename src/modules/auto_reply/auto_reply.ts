import { parsePhoneNumber } from '../../base/phone-number.ts';
import type { AutoReplyConfig } from '../../config/config.ts';
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
import { placeholderValues } from '../kit/placeholder-values.ts';
import { fillPlaceholders } from '../kit/placeholders.ts';
import { isBinary } from '../kit/readable-text.ts';
import { replyModem } from '../kit/reply-modem.ts';
import { acceptsSender, isSubscriber } from '../kit/sender-filter.ts';
import { sentWithinHour } from '../kit/sent-within-hour.ts';
import { submitDelivery } from '../kit/submit-delivery.ts';
import { ReplyGuard } from './reply-guard.ts';

/** Senders whose refusal is remembered as told. */
const MAX_TOLD = 1_000;

/** Answers received messages with a fixed text, and deletes them where that is wanted. */
export class AutoReply implements GatewayModule {
  readonly counters = { replied: 0, refused: 0, deleted: 0 };
  readonly #context: ModuleContext<AutoReplyConfig>;
  readonly #guard: ReplyGuard;
  /** Senders whose refusal the log tells of already. */
  readonly #told = new Set<string>();

  constructor(context: ModuleContext<AutoReplyConfig>) {
    this.#context = context;
    this.#guard = new ReplyGuard(context.clock, context.config.max_per_hour);
  }

  /** Recalls the replies of the last hour: a restart must not give a loop another round. */
  async start(): Promise<void> {
    for await (const { number, text, age } of sentWithinHour(this.#context)) this.#guard.replied(number, text, age);
  }

  async stop(): Promise<void> {}

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    if (event.kind !== 'message') return [];
    const reply = this.#answers(event.message) ? [{ target: 'reply' }] : [];
    return this.#context.config.delete_msg ? [...reply, { target: 'discard' }] : reply;
  }

  async deliver(delivery: Delivery): Promise<DeliveryOutcome> {
    if (delivery.kind !== 'message') return noReceipts;
    const { message } = delivery;
    switch (delivery.target) {
      case 'reply':
        return this.#reply(message);
      case 'discard':
        return this.#discard(message);
      default:
        return { type: 'rejected', reason: 'auto reply has no such target any more', moot: true };
    }
  }

  #answers(message: InboxMessage): boolean {
    const { config } = this.#context;
    const { number, udh, messageClass, notice } = message;
    // Binary messages are for programs; class 0 is how networks show notices, TS 23.038 4.
    if (isBinary(message) || udh !== undefined || messageClass === 0 || notice !== undefined) return false;
    if (!isSubscriber(number, config.min_digits)) return false;
    if (!acceptsSender({ mode: config.mode, numbers: config.number }, number)) return false;
    return config.every_sms || !this.#context.isRuleMessage(message);
  }

  async #reply(message: InboxMessage): Promise<DeliveryOutcome> {
    const { config, outbox, name } = this.#context;
    const number = parsePhoneNumber(message.number);
    if (number === undefined)
      return { type: 'rejected', reason: 'the sender is no number that can be answered', moot: true };
    const text = await fillPlaceholders(config.msg, placeholderValues(message, this.#context));
    const refusal = this.#guard.refusal(number, message.text, text);
    if (refusal !== undefined) return this.#refuse(number, refusal);
    const outcome = await submitDelivery(outbox, {
      ...{ number, source: name, clientRef: `${message.id}` },
      content: { type: 'text', text },
      ...replyModem(message, this.#context),
    });
    if (outcome.type !== 'done') return outcome;
    this.#guard.replied(number, text);
    this.#told.delete(number);
    this.counters.replied += 1;
    return outcome;
  }

  #refuse(number: string, reason: string): DeliveryOutcome {
    const { log } = this.#context;
    this.counters.refused += 1;
    const text = `a message of ${number} is not answered: ${reason}`;
    if (this.#told.has(number)) log.debug(text);
    else log.warning(text);
    if (this.#told.size < MAX_TOLD) this.#told.add(number);
    return { type: 'done' };
  }

  /** What other functions still have to do with it keeps the message until they have, out of sight. */
  async #discard({ id }: InboxMessage): Promise<DeliveryOutcome> {
    if (await this.#context.inbox.delete(id)) this.counters.deleted += 1;
    return { type: 'done' };
  }
}
