import { GatewayError } from '../../base/errors.ts';
import type { HttpUrl } from '../../base/http-url.ts';
import { isJsonObject } from '../../base/json.ts';
import type { ForwardingToHttpConfig } from '../../config/config.ts';
import { type InboxMessage, type OutboxMessage, outboxStates } from '../../store/message.ts';
import type {
  Delivery,
  DeliveryEvent,
  DeliveryOutcome,
  DeliveryRequest,
  GatewayModule,
  ModuleContext,
} from '../host/contract.ts';
import type { HttpAnswer } from '../kit/answer-head.ts';
import { RetryLimit } from '../kit/delivery.ts';
import { type ExchangeOptions, exchange, isSuccess, openAhead, outcomeOf } from '../kit/exchange.ts';
import { composeAhead, type HttpRequest } from '../kit/http-request.ts';
import { KeptConnection } from '../kit/kept-connection.ts';
import { acceptsMessage, readableText } from '../kit/received-message.ts';
import { certificates } from '../kit/tls.ts';
import { type Forwarded, fieldsOf, requestOf, targetOf } from './request.ts';

/** How a request goes out. */
type Connection = Pick<ExchangeOptions, 'signal' | 'kept'>;

/** Two targets, so that a failing report does not delay messages. */
const MESSAGES = 'http';
const REPORTS = 'reports';

/** Sends received messages to a web server, and delivery reports where the config says so. */
export class ForwardingToHttp implements GatewayModule {
  readonly counters = { forwarded: 0, reports: 0, rejected: 0 };
  readonly #context: ModuleContext<ForwardingToHttpConfig>;
  readonly #target: HttpUrl;
  readonly #retryLimit: RetryLimit;
  /** For both targets, as some servers have but one connection at a time. */
  readonly #kept: KeptConnection;
  #ca: string | undefined;
  /** The request for the message that comes next. */
  #next: { readonly message: InboxMessage; readonly request: HttpRequest } | undefined;

  constructor(context: ModuleContext<ForwardingToHttpConfig>) {
    this.#context = context;
    this.#target = targetOf(context.config);
    this.#retryLimit = new RetryLimit(context.clock, context.config.retry_hours);
    this.#kept = new KeptConnection(context.clock);
  }

  /** Throws GatewayError config_invalid for a CA file without a certificate. */
  async start(): Promise<void> {
    const { ca_file } = this.#context.config;
    if (ca_file !== undefined) this.#ca = await certificates(ca_file);
  }

  async stop(): Promise<void> {
    this.#kept.end();
  }

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    const { config } = this.#context;
    if (event.kind === 'modem') return [];
    if (event.kind === 'receipt') {
      const note = config.delivery_reports ? reportNote(event.message) : undefined;
      return note === undefined ? [] : [{ target: REPORTS, note }];
    }
    const { message } = event;
    const accepted = acceptsMessage({ ...config, numbers: config.number }, message, this.#context);
    return accepted ? [{ target: MESSAGES }] : [];
  }

  prepare(_target: string, message?: InboxMessage): void {
    openAhead(this.#target.url, this.#kept, this.#certificates);
    // A signature says when the request goes, and the disk may take its time.
    const isTimed = this.#context.config.hmac_secret !== undefined;
    if (message === undefined || isTimed) return;
    this.#next = { message, request: composeAhead(this.#requestFor(forwardedOf(message))) };
  }

  deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    const connection = { signal, kept: this.#kept };
    const next = this.#next;
    this.#next = undefined;
    if (delivery.kind !== 'message') {
      const report = reportFacts(delivery.note);
      return this.#hand(report, () => this.#requestFor(report), 'reports', connection);
    }
    const { message } = delivery;
    const request = () => (next?.message === message ? next.request : this.#requestFor(forwardedOf(message)));
    return this.#hand(message, request, 'forwarded', connection);
  }

  async test(signal: AbortSignal): Promise<string> {
    const { config, clock } = this.#context;
    const now = clock.now();
    const forwarded = {
      number: '+000',
      text: 'Test of the SMS gateway',
      time: now,
      received: now,
      modem: 'test',
      id: 0,
    };
    const started = clock.monotonic();
    const connection = { signal: AbortSignal.any([signal, this.#context.signal]) };
    const { status } = await this.#exchange(this.#requestFor(forwarded), connection);
    const where = `${this.#target.url.host} answered ${status}`;
    if (!isSuccess(status, config.success_codes)) throw new GatewayError('peer_rejected', where);
    return `${where} after ${Math.round(clock.monotonic() - started)} ms`;
  }

  async #hand(
    facts: Pick<Forwarded, 'id' | 'time' | 'received'>,
    request: () => HttpRequest,
    counter: 'forwarded' | 'reports',
    connection: Connection,
  ): Promise<DeliveryOutcome> {
    const { config, clock } = this.#context;
    const { signal } = connection;
    const tried = await outcomeOf(() => this.#exchange(request(), connection), {
      ...{ successCodes: config.success_codes, clock, signal },
    });
    const outcome = this.#retryLimit.apply(tried, facts);
    if (outcome.type === 'done') {
      this.counters[counter] += 1;
      const what = counter === 'reports' ? `the report of message ${facts.id}` : `message ${facts.id}`;
      this.#context.log.info(`${what} is forwarded to ${this.#target.url.host}`);
    }
    if (outcome.type === 'rejected') this.counters.rejected += 1;
    return outcome;
  }

  #requestFor(forwarded: Forwarded): HttpRequest {
    const { config, clock } = this.#context;
    return requestOf(fieldsOf(forwarded, config), this.#target, config, clock.now());
  }

  #exchange(request: HttpRequest, connection: Connection): Promise<HttpAnswer> {
    const { config, clock } = this.#context;
    return exchange(request, { timeout: config.timeout * 1000, ...this.#certificates, clock, ...connection });
  }

  get #certificates(): Pick<ExchangeOptions, 'verify' | 'ca'> {
    return {
      verify: this.#context.config.verify_cert === 'verify',
      ...(this.#ca !== undefined && { ca: this.#ca }),
    };
  }
}

const forwardedOf = (message: InboxMessage): Forwarded => ({ ...message, text: readableText(message) });

/** The delivery report of the message in its present state; undefined where none is due: after `sent` one follows. */
function reportNote({ number, state, changed, modem = '', id }: OutboxMessage): string | undefined {
  const due = state === 'delivered' || outboxStates[state].failure;
  return due ? JSON.stringify({ number, state, changed, modem, id }) : undefined;
}

/** Reads what reportNote wrote. */
function reportFacts(note: string): Forwarded {
  const value: unknown = JSON.parse(note);
  const { number, state, changed, modem, id } = isJsonObject(value) ? value : {};
  const at = Number(changed);
  return { number: `${number}`, text: `${state}`, time: at, received: at, modem: `${modem}`, id: Number(id) };
}
