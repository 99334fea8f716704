import type { Clock } from '../../base/clock.ts';
import { LruMap } from '../../base/lru-map.ts';
import { counted } from '../../base/printable.ts';
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
import { replyModem, submitDelivery } from '../kit/delivery.ts';
import { HourlyCount, sentWithinHour } from '../kit/hourly-count.ts';
import { fillPlaceholders, placeholderValues } from '../kit/placeholders.ts';
import { acceptsMessage, isBinary, isSubscriber, senderNumber } from '../kit/received-message.ts';

/** Senders whose refusal is in the log. */
const MAX_REFUSED = 1_000;

/** Answers received messages with a fixed text, and deletes them where the config says so. */
export class AutoReply implements GatewayModule {
  readonly counters = { replied: 0, refused: 0, deleted: 0 };
  readonly #context: ModuleContext<AutoReplyConfig>;
  readonly #guard: ReplyGuard;
  readonly #refused = new LruMap<string, true>(MAX_REFUSED);

  constructor(context: ModuleContext<AutoReplyConfig>) {
    this.#context = context;
    this.#guard = new ReplyGuard(context.clock, context.config.max_per_hour);
  }

  /** Counts the replies of the last hour, so that a restart does not give a loop another round. */
  async start(): Promise<void> {
    for await (const { number, text, age } of sentWithinHour(this.#context)) this.#guard.replied(number, text, age);
  }

  async stop(): Promise<void> {}

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    if (event.kind !== 'message') return [];
    const reply = this.#answers(event.message) ? [{ target: 'reply', incidental: true } as const] : [];
    return this.#context.config.delete_msg ? [...reply, { target: 'discard', incidental: true }] : reply;
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
    const { udh, messageClass, notice } = message;
    // Binary messages are for programs. Networks send their notices with class 0, TS 23.038 4.
    if (isBinary(message) || udh !== undefined || messageClass === 0 || notice !== undefined) return false;
    if (!isSubscriber(message, config.min_digits)) return false;
    return acceptsMessage({ ...config, numbers: config.number }, message, this.#context);
  }

  async #reply(message: InboxMessage): Promise<DeliveryOutcome> {
    const { config, outbox, name } = this.#context;
    const number = senderNumber(message);
    if (number === undefined)
      return { type: 'rejected', reason: 'the sender is not a number that can be answered', moot: true };
    const text = await fillPlaceholders(config.msg, placeholderValues(message, this.#context));
    const refusal = this.#guard.refusal(number, message.text, text);
    if (refusal !== undefined) return this.#refuse(number, refusal);
    const outcome = await submitDelivery(outbox, {
      ...{ number, source: name, clientRef: `${message.id}` },
      content: { type: 'text', text },
      ...replyModem(message, this.#context),
    });
    // An answer that comes hours later helps nobody, and those to many forged senders would wait in a queue.
    if (outcome.type === 'retry') return this.#refuse(number, outcome.reason, true);
    if (outcome.type !== 'done') return outcome;
    this.#guard.replied(number, text);
    this.#refused.delete(number);
    this.counters.replied += 1;
    this.#context.log.info(`message ${message.id} from ${number} is answered`);
    return outcome;
  }

  /** `known`: the log has the reason already. */
  #refuse(number: string, reason: string, known = false): DeliveryOutcome {
    const { log } = this.#context;
    this.counters.refused += 1;
    const text = `a message from ${number} is not answered: ${reason}`;
    if (known || this.#refused.has(number)) log.debug(text);
    else log.warning(text);
    this.#refused.set(number, true);
    return { type: 'done' };
  }

  /** The message disappears from the lists now, and from the store when its other deliveries are made. */
  async #discard({ id }: InboxMessage): Promise<DeliveryOutcome> {
    if (await this.#context.inbox.delete(id)) this.counters.deleted += 1;
    return { type: 'done' };
  }
}

/** Replies that are recognised when they come back. */
const MAX_TEXTS = 100;
/** A reply of this length is also recognised within a longer text: machines quote what they answer. */
const QUOTABLE = 20;

/**
 * Ends conversations with machines: a sender gets a limited number of replies an hour, and a text that is a reply of this
 * gateway gets no reply, whoever sends it.
 */
class ReplyGuard {
  readonly #answered: HourlyCount;
  readonly #perHour: number;
  readonly #texts = new LruMap<string, true>(MAX_TEXTS);

  constructor(clock: Clock, perHour: number) {
    this.#answered = new HourlyCount(clock);
    this.#perHour = perHour;
  }

  /** Why this reply must not be sent; undefined when it may. */
  refusal(sender: string, received: string, reply: string): string | undefined {
    if (this.#isOwn(received, reply)) return 'its text is a reply of this gateway';
    if (this.#answered.of(sender) < this.#perHour) return undefined;
    return `it was answered ${counted(this.#perHour, 'time')} within the hour`;
  }

  /** Counts a reply that was sent `age` milliseconds ago. */
  replied(sender: string, reply: string, age = 0): void {
    this.#answered.add(sender, age);
    this.#texts.set(comparable(reply), true);
  }

  #isOwn(received: string, reply: string): boolean {
    const text = comparable(received);
    return [comparable(reply), ...this.#texts.keys()].some(
      (own) => text === own || (own.length >= QUOTABLE && text.includes(own)),
    );
  }
}

const comparable = (text: string): string => text.trim().replace(/\s+/g, ' ');
