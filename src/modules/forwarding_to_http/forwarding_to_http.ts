import { describeError, GatewayError } from '../../base/errors.ts';
import type { ForwardingToHttpConfig } from '../../config/config.ts';
import type {
  Delivery,
  DeliveryEvent,
  DeliveryOutcome,
  DeliveryRequest,
  GatewayModule,
  ModuleContext,
} from '../host/contract.ts';
import { certificates } from '../kit/ca-certificates.ts';
import { readableText } from '../kit/readable-text.ts';
import { RetryLimit } from '../kit/retry-limit.ts';
import { acceptsSender } from '../kit/sender-filter.ts';
import type { HttpAnswer } from './answer-head.ts';
import { exchange } from './exchange.ts';
import { type Forwarded, fieldsOf } from './fields.ts';
import { reportFacts, reportNote } from './report.ts';
import { requestOf, targetOf } from './request.ts';
import { isSuccess, verdict } from './verdict.ts';

/** Two queues: a report that fails holds up no message. */
const MESSAGES = 'http';
const REPORTS = 'reports';

/** Hands received messages, and delivery reports where that is wanted, to a web server. */
export class ForwardingToHttp implements GatewayModule {
  readonly counters = { forwarded: 0, reports: 0, rejected: 0 };
  readonly #context: ModuleContext<ForwardingToHttpConfig>;
  readonly #retryLimit: RetryLimit;
  #ca: string | undefined;

  constructor(context: ModuleContext<ForwardingToHttpConfig>) {
    this.#context = context;
    this.#retryLimit = new RetryLimit(context.clock, context.config.retry_hours);
  }

  /** Throws GatewayError config_invalid for a CA file that is none. */
  async start(): Promise<void> {
    const { ca_file } = this.#context.config;
    if (ca_file !== undefined) this.#ca = await certificates(ca_file);
  }

  async stop(): Promise<void> {}

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    const { config } = this.#context;
    if (event.kind === 'receipt') {
      const note = config.delivery_reports ? reportNote(event.message) : undefined;
      return note === undefined ? [] : [{ target: REPORTS, note }];
    }
    const { message } = event;
    if (!acceptsSender({ mode: config.mode, numbers: config.number }, message.number)) return [];
    if (!config.every_sms && this.#context.isRuleMessage(message)) return [];
    return [{ target: MESSAGES }];
  }

  deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    if (delivery.kind === 'receipt') return this.#hand(reportFacts(delivery.note), 'reports', signal);
    const { message } = delivery;
    return this.#hand({ ...message, text: readableText(message) }, 'forwarded', signal);
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
    const { status } = await this.#request(forwarded, AbortSignal.any([signal, this.#context.signal]));
    const where = `${targetOf(config).url.host} answered ${status}`;
    if (!isSuccess(status, config.success_codes)) throw new GatewayError('peer_rejected', where);
    return `${where} after ${Math.round(clock.monotonic() - started)} ms`;
  }

  async #hand(forwarded: Forwarded, counter: 'forwarded' | 'reports', signal: AbortSignal): Promise<DeliveryOutcome> {
    const outcome = this.#retryLimit.apply(await this.#try(forwarded, signal), forwarded);
    if (outcome.type === 'done') this.counters[counter] += 1;
    if (outcome.type === 'rejected') this.counters.rejected += 1;
    return outcome;
  }

  async #try(forwarded: Forwarded, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { config, clock } = this.#context;
    try {
      return verdict(await this.#request(forwarded, signal), config.success_codes, clock.now());
    } catch (error) {
      signal.throwIfAborted();
      const type = error instanceof GatewayError && error.code === 'peer_rejected' ? 'rejected' : 'retry';
      return { type, reason: describeError(error) };
    }
  }

  #request(forwarded: Forwarded, signal: AbortSignal): Promise<HttpAnswer> {
    const { config, clock } = this.#context;
    return exchange(requestOf(fieldsOf(forwarded, config), config, clock.now()), {
      timeout: config.timeout * 1000,
      verify: config.verify_cert === 'verify',
      ...(this.#ca !== undefined && { ca: this.#ca }),
      clock,
      signal,
    });
  }
}
