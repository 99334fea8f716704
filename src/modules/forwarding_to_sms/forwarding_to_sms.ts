import { type PhoneNumber, parsePhoneNumber, sameSubscriber } from '../../base/phone-number.ts';
import { counted } from '../../base/printable.ts';
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
import { submitDelivery } from '../kit/delivery.ts';
import { HourlyCount, sentWithinHour } from '../kit/hourly-count.ts';
import { acceptsMessage, isBinary } from '../kit/received-message.ts';

/** Pause of a message whose recipient has reached `max_per_hour`, ms. */
const FULL_HOUR_WAIT_MS = 5 * 60_000;

/** Forwards received messages to other phones, a delivery for each, but never to the sender. */
export class ForwardingToSms implements GatewayModule {
  readonly counters = { forwarded: 0 };
  readonly #context: ModuleContext<ForwardingToSmsConfig>;
  readonly #sent: HourlyCount;

  constructor(context: ModuleContext<ForwardingToSmsConfig>) {
    this.#context = context;
    this.#sent = new HourlyCount(context.clock);
  }

  /** Counts the messages of the last hour, so that a restart does not give a ring of gateways another round. */
  async start(): Promise<void> {
    for await (const { number, age } of sentWithinHour(this.#context)) this.#sent.add(number, age);
  }

  async stop(): Promise<void> {}

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    if (event.kind !== 'message') return [];
    const { message } = event;
    const { config } = this.#context;
    // A binary message has no text to forward.
    if (isBinary(message)) return [];
    if (!acceptsMessage({ ...config, numbers: config.senders_number }, message, this.#context)) return [];
    // A loop costs more than a message that is missed: here numbers that end alike are one.
    const isSender = (recipient: string) => !message.alphanumeric && sameSubscriber(recipient, message.number);
    const recipients = [...new Set(config.number)].filter((recipient) => !isSender(recipient));
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
      const reason = `the recipient had ${counted(config.max_per_hour, 'message')} within the hour`;
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
    this.#context.log.info(`message ${message.id} is forwarded to ${number}`);
    return outcome;
  }

  #recipient(target: string): PhoneNumber | undefined {
    const number = parsePhoneNumber(target);
    return number !== undefined && this.#context.config.number.includes(number) ? number : undefined;
  }
}
