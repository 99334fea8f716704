import { GatewayError } from '../base/errors.ts';
import { sameSubscriber } from '../base/phone-number.ts';
import { addressOf, encodeDeliver, encodePdu, type Submit, timeStamp, toHex } from '../sms/index.ts';
import { DeliveryQueue, type Mobile, type Reception } from './delivery-queue.ts';
import type { Faults } from './faults.ts';
import type { IncomingMessage, NetworkCounters, SentMessage, SentPart } from './messages.ts';
import type { Latency } from './options.ts';
import { SentLog } from './sent-log.ts';
import type { Subscriber } from './subscriber.ts';
import type { Timers } from './timers.ts';
import { centreAddress, deliverPdus, pduInfo, statusReportPdu } from './tpdus.ts';

/** The modem, seen from the network. */
export interface Host {
  isReachable(): boolean;
  receiveMessage(pdu: Uint8Array): Promise<Reception>;
  receiveReport(pdu: Uint8Array): Promise<Reception>;
}

export interface NetworkParts {
  readonly now: () => number;
  readonly timers: Timers;
  readonly latency: Latency;
  readonly faults: Faults;
  readonly host: Host;
  readonly number: string;
  readonly smsc: string;
  readonly operator: string;
  /** Who answers what is sent; nobody when undefined. */
  readonly subscriber: Subscriber | undefined;
  readonly onPart: (part: SentPart) => void;
  readonly onSent: (message: SentMessage) => void;
}

/** A service centre with one modem, and everybody else behind it. */
export class Network {
  readonly number: string;
  readonly smsc: string;
  readonly operator: string;
  readonly log: SentLog = new SentLog();
  readonly #parts: NetworkParts;
  readonly #messages: DeliveryQueue;
  readonly #reports: DeliveryQueue;
  #reference = 0;

  constructor(parts: NetworkParts) {
    this.number = parts.number;
    this.smsc = parts.smsc;
    this.operator = parts.operator;
    this.#parts = parts;
    const { host, timers, latency } = parts;
    const queue = (receive: Mobile['receive']) =>
      new DeliveryQueue({ isReachable: () => host.isReachable(), receive }, timers, latency.redelivery);
    this.#messages = queue((pdu) => host.receiveMessage(pdu));
    this.#reports = queue((pdu) => host.receiveReport(pdu));
  }

  get counters(): NetworkCounters {
    return {
      parts: this.log.partCount,
      messages: this.log.messageCount,
      duplicates: this.log.duplicates,
      delivered: this.#messages.delivered,
      reports: this.#reports.delivered,
      waiting: this.#messages.waiting + this.#reports.waiting,
    };
  }

  /** Takes a SMS-SUBMIT from the modem, with the TP-MR that the modem gave it. */
  submit(submit: Submit, tpdu: Uint8Array): void {
    const time = this.#parts.now();
    const { part, message } = this.log.add(submit, toHex(tpdu), time);
    if (submit.statusReportRequest) this.#sendReport(submit, time);
    if (sameSubscriber(submit.to.value, this.number)) this.#loopBack(submit, time);
    this.#parts.onPart(part);
    if (message === undefined) return;
    this.#parts.onSent(message);
    this.#answer(message);
  }

  /** Somebody sends a SMS to the modem. */
  send(message: IncomingMessage): void {
    this.#reference = (this.#reference + 1) % 256;
    const time = message.time ?? this.#parts.now();
    const pdus = deliverPdus(message, { smsc: this.smsc, reference: this.#reference, time });
    if (this.#messages.full) throw new GatewayError('queue_full', 'too many messages wait for the modem');
    const late = pdus.length > 1 ? this.#parts.faults.take('part_late') : undefined;
    for (const [at, pdu] of pdus.entries()) {
      if (late?.part === at + 1) this.#parts.timers.after(late.ms, () => this.#messages.push(pdu));
      else this.#messages.push(pdu);
    }
  }

  /** A TPDU for the modem as it is, with its SMSC field. */
  push(pdu: Uint8Array): void {
    const isReport = pduInfo(pdu, 'to-mobile').tpdu?.type === 'status-report';
    const queue = isReport ? this.#reports : this.#messages;
    if (queue.full) throw new GatewayError('queue_full', 'too many messages wait for the modem');
    queue.push(pdu);
  }

  /** The modem is reachable again or has room again. */
  wake(): void {
    this.#messages.wake();
    this.#reports.wake();
  }

  #sendReport(submit: Submit, time: number): void {
    if (this.#parts.faults.take('lose_report') !== undefined) return;
    const status = this.#parts.faults.take('report_status')?.status ?? 0;
    this.#parts.timers.after(this.#parts.latency.report, () => {
      const report = { status: status & 0xff, time, discharged: this.#parts.now() };
      this.#reports.push(statusReportPdu(submit, this.smsc, report));
    });
  }

  /** A message to the modem's own number comes back to it. */
  #loopBack({ pid, dcs, userData }: Submit, time: number): void {
    const tpdu = encodeDeliver({
      pid,
      dcs,
      userData,
      moreMessages: false,
      from: addressOf(this.number),
      time: timeStamp(time),
    });
    this.#messages.push(encodePdu(centreAddress(this.smsc), tpdu));
  }

  #answer(message: SentMessage): void {
    const { subscriber, latency, timers, now } = this.#parts;
    const text = subscriber?.answer(message, now());
    if (text === undefined) return;
    timers.after(latency.answerBack, () => {
      if (!this.#messages.full) this.send({ from: message.to, text });
    });
  }
}
