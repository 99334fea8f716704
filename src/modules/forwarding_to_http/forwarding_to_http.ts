import { describeError, GatewayError } from '../../base/errors.ts';
import type { ForwardingToHttpConfig } from '../../config/config.ts';
import type { InboxMessage, OutboxMessage } from '../../store/message.ts';
import type { DeliveryOutcome, GatewayModule, ModuleContext, Telling } from '../host/module.ts';
import { RetryLimit } from '../host/retry-limit.ts';
import { certificates } from '../kit/ca-certificates.ts';
import { readableText } from '../kit/readable-text.ts';
import { acceptsSender } from '../kit/sender-filter.ts';
import type { HttpAnswer } from './answer-head.ts';
import { exchange } from './exchange.ts';
import { fieldsOf, type Told } from './fields.ts';
import { reportNote, toldOf } from './report.ts';
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

  wants(message: InboxMessage): readonly string[] {
    const { config } = this.#context;
    if (!acceptsSender({ mode: config.mode, numbers: config.number }, message.number)) return [];
    if (!config.every_sms && this.#context.isRuleMessage(message)) return [];
    return [MESSAGES];
  }

  deliver(message: InboxMessage, _target: string, signal: AbortSignal): Promise<DeliveryOutcome> {
    return this.#hand({ ...message, text: readableText(message) }, 'forwarded', signal);
  }

  wantsOutcome(message: OutboxMessage): readonly Telling[] {
    const note = this.#context.config.delivery_reports ? reportNote(message) : undefined;
    return note === undefined ? [] : [{ target: REPORTS, note }];
  }

  tell(note: string, _target: string, signal: AbortSignal): Promise<DeliveryOutcome> {
    return this.#hand(toldOf(note), 'reports', signal);
  }

  async test(signal: AbortSignal): Promise<string> {
    const { config, clock } = this.#context;
    const now = clock.now();
    const told = { number: '+000', text: 'Test of the SMS gateway', time: now, received: now, modem: 'test', id: 0 };
    const started = clock.monotonic();
    const { status } = await this.#request(told, AbortSignal.any([signal, this.#context.signal]));
    const where = `${targetOf(config).url.host} answered ${status}`;
    if (!isSuccess(status, config.success_codes)) throw new GatewayError('peer_rejected', where);
    return `${where} after ${Math.round(clock.monotonic() - started)} ms`;
  }

  async #hand(told: Told, counter: 'forwarded' | 'reports', signal: AbortSignal): Promise<DeliveryOutcome> {
    const outcome = this.#retryLimit.apply(await this.#try(told, signal), told);
    if (outcome.type === 'done') this.counters[counter] += 1;
    if (outcome.type === 'rejected') this.counters.rejected += 1;
    return outcome;
  }

  async #try(told: Told, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { config, clock } = this.#context;
    try {
      return verdict(await this.#request(told, signal), config.success_codes, clock.now());
    } catch (error) {
      signal.throwIfAborted();
      const type = error instanceof GatewayError && error.code === 'peer_rejected' ? 'rejected' : 'retry';
      return { type, reason: describeError(error) };
    }
  }

  #request(told: Told, signal: AbortSignal): Promise<HttpAnswer> {
    const { config, clock } = this.#context;
    return exchange(requestOf(fieldsOf(told, config), config, clock.now()), {
      timeout: config.timeout * 1000,
      verify: config.verify_cert === 'verify',
      ...(this.#ca !== undefined && { ca: this.#ca }),
      clock,
      signal,
    });
  }
}
