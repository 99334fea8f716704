import { type PhoneNumber, parsePhoneNumber, sameSubscriber } from '../../base/phone-number.ts';
import type { ForwardingToSmsConfig } from '../../config/config.ts';
import {
  type Delivery,
  type DeliveryEvent,
  type DeliveryOutcome,
  type DeliveryRequest,
  type GatewayModule,
  type ModuleContext,
  noReceipts,
} from '../host/contract.ts';
import { HourlyCount } from '../kit/hourly-count.ts';
import { isBinary } from '../kit/readable-text.ts';
import { acceptsSender } from '../kit/sender-filter.ts';
import { sentWithinHour } from '../kit/sent-within-hour.ts';
import { submitDelivery } from '../kit/submit-delivery.ts';

/** How long a message waits whose recipient has had enough of them within the hour. */
const FULL_HOUR_WAIT_MS = 5 * 60_000;

/** Sends received messages on to other phones, a delivery each. Never to the phone that a message came from. */
export class ForwardingToSms implements GatewayModule {
  readonly counters = { forwarded: 0 };
  readonly #context: ModuleContext<ForwardingToSmsConfig>;
  readonly #sent: HourlyCount;

  constructor(context: ModuleContext<ForwardingToSmsConfig>) {
    this.#context = context;
    this.#sent = new HourlyCount(context.clock);
  }

  /** Recalls what went out within the hour: a restart must not give a ring of gateways another round. */
  async start(): Promise<void> {
    for await (const { number, age } of sentWithinHour(this.#context)) this.#sent.add(number, age);
  }

  async stop(): Promise<void> {}

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    if (event.kind !== 'message') return [];
    const { message } = event;
    const { config } = this.#context;
    // A binary message has no text, and other phones would make nothing of its octets.
    if (isBinary(message)) return [];
    if (!acceptsSender({ mode: config.mode, numbers: config.senders_number }, message.number)) return [];
    if (!config.every_sms && this.#context.isRuleMessage(message)) return [];
    const recipients = [...new Set(config.number)].filter((recipient) => !sameSubscriber(recipient, message.number));
    return recipients.map((target) => ({ target }));
  }

  async deliver(delivery: Delivery): Promise<DeliveryOutcome> {
    if (delivery.kind !== 'message') return noReceipts;
    const { message, target } = delivery;
    const { config, outbox, name } = this.#context;
    const number = this.#recipient(target);
    if (number === undefined)
      return { type: 'rejected', reason: 'the recipient is not in the config any more', moot: true };
    if (config.max_per_hour > 0 && this.#sent.of(number) >= config.max_per_hour) {
      const reason = `the recipient had ${config.max_per_hour} messages within the hour`;
      return { type: 'retry', reason, after: FULL_HOUR_WAIT_MS };
    }
    const outcome = await submitDelivery(outbox, {
      ...{ number, source: name, clientRef: `${message.id}/${number}` },
      content: { type: 'text', text: config.sender_num ? `${message.text}\nfrom: ${message.number}` : message.text },
      ...(config.modem !== undefined && { modem: config.modem }),
    });
    if (outcome.type !== 'done') return outcome;
    this.#sent.add(number);
    this.counters.forwarded += 1;
    return outcome;
  }

  #recipient(target: string): PhoneNumber | undefined {
    const number = parsePhoneNumber(target);
    return number !== undefined && this.#context.config.number.includes(number) ? number : undefined;
  }
}
