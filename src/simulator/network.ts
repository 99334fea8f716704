import { GatewayError } from '../base/errors.ts';
import { LruMap } from '../base/lru-map.ts';
import { sameSubscriber } from '../base/phone-number.ts';
import { addressOf, encodeDeliver, encodePdu, type Submit, timeStamp, toHex } from '../sms/index.ts';
import type { Faults } from './faults.ts';
import type { IncomingMessage, NetworkCounters, SentMessage, SentPart } from './messages.ts';
import type { Latency } from './options.ts';
import { SentLog } from './sent-log.ts';
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
  /** Who answers what is sent; undefined for no answers. */
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

/** What the modem says to a TPDU: took it, has no room (RP-ERROR 22), or did not want it now. */
export type Reception = 'taken' | 'full' | 'refused';

export interface Mobile {
  /** Whether the network finds it. */
  isReachable(): boolean;
  receive(pdu: Uint8Array): Promise<Reception>;
}

/** Most TPDUs that wait for the modem. */
const MAX_WAITING = 10_000;

/** The service centre's waiting line to one modem, in order, one at a time. */
class DeliveryQueue {
  readonly #mobile: Mobile;
  readonly #timers: Timers;
  readonly #retryAfter: number;
  readonly #pdus: Uint8Array[] = [];
  #running = false;
  /** Grows when the modem has room or is there again. */
  #wakes = 0;
  #cancelRetry: () => void = () => {};
  delivered = 0;

  /** `retryAfter` in ms: when a refused TPDU is tried again. */
  constructor(mobile: Mobile, timers: Timers, retryAfter: number) {
    this.#mobile = mobile;
    this.#timers = timers;
    this.#retryAfter = retryAfter;
  }

  get waiting(): number {
    return this.#pdus.length;
  }

  get full(): boolean {
    return this.waiting >= MAX_WAITING;
  }

  push(pdu: Uint8Array): void {
    if (this.full) return;
    this.#pdus.push(pdu);
    if (this.waiting === 1) this.wake();
  }

  /** The modem has room again (SMMA), or is reachable again: go on. */
  wake(): void {
    this.#wakes++;
    if (!this.#running && this.waiting > 0) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      const [pdu] = this.#pdus;
      const wakes = this.#wakes;
      if (pdu === undefined || !this.#mobile.isReachable()) break;
      const reception = await this.#mobile.receive(pdu);
      if (reception === 'taken') {
        this.#pdus.shift();
        this.delivered++;
      } else if (wakes === this.#wakes) {
        this.#cancelRetry();
        if (reception === 'refused') this.#cancelRetry = this.#timers.after(this.#retryAfter, () => this.wake());
        break;
      }
    }
    this.#running = false;
  }
}

const ANSWERS_AN_HOUR = 10;
const HOUR = 3_600_000;
/** Numbers whose answers are counted; the oldest is forgotten first. */
const MAX_NUMBERS = 1_000;

export type Answerer = (message: SentMessage) => string | undefined;

/** A text that quotes what came, for the newcomer to see that it arrived. */
export const friendlyAnswer: Answerer = ({ text }) => {
  const quoted = [...text].length > 40 ? `${[...text].slice(0, 40).join('')}...` : text;
  return text === '' ? 'Got your message, it was no text.' : `Hello! I got your message: ${quoted}`;
};

/** The person at the other end, who answers, but does not keep two machines talking to each other for ever. */
export class Subscriber {
  readonly #answerer: Answerer;
  readonly #answered = new LruMap<string, { readonly times: number[]; last: string }>(MAX_NUMBERS);

  constructor(answerer: Answerer | undefined) {
    this.#answerer = answerer ?? friendlyAnswer;
  }

  /** What to answer, or undefined. `now` in ms. */
  answer(message: SentMessage, now: number): string | undefined {
    // Services and short codes are no people.
    if (!/^\+?[0-9]{7,}$/.test(message.to)) return undefined;
    const before = this.#answered.get(message.to) ?? { times: [], last: '' };
    const times = before.times.filter((time) => now - time < HOUR);
    if (times.length >= ANSWERS_AN_HOUR) return undefined;
    // Our own text coming back is a machine's answer.
    if (before.last !== '' && message.text.includes(before.last)) return undefined;
    const text = this.#answerer(message);
    if (text === undefined) return undefined;
    this.#answered.set(message.to, { times: [...times, now], last: text });
    return text;
  }
}
