import { isoTime } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import { configuredUrl, type HttpUrl } from '../../base/http-url.ts';
import type { JsonObject } from '../../base/json.ts';
import type { WebhookConfig } from '../../config/config.ts';
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
import {
  deliveriesTo,
  eventFields,
  eventOfDelivery,
  type GatewayEvent,
  targetsOf,
  testEvent,
  testReport,
} from '../kit/event.ts';
import { type ExchangeOptions, exchange, isSuccess, openAhead, outcomeOf } from '../kit/exchange.ts';
import { KeptConnection } from '../kit/kept-connection.ts';
import { certificates } from '../kit/tls.ts';
import { requestOf } from './request.ts';

/** What is remembered of a target. */
interface Target {
  readonly config: WebhookConfig;
  readonly address: HttpUrl;
  readonly limit: RetryLimit;
  /** Shared by those to one server, as some have but one connection at a time. */
  readonly kept: KeptConnection;
  last?: { readonly time: number; readonly result: string };
}

/** Hands events to web servers: each gets them in their order, and none waits for another. */
export class Webhooks implements GatewayModule {
  readonly concurrency = 4;
  readonly counters = { delivered: 0, rejected: 0 };
  readonly #context: ModuleContext<readonly WebhookConfig[]>;
  readonly #configs: ReadonlyMap<string, WebhookConfig>;
  readonly #targets: ReadonlyMap<string, Target>;

  constructor(context: ModuleContext<readonly WebhookConfig[]>) {
    this.#context = context;
    this.#configs = targetsOf(context.config, ({ url }) => url);
    const servers = new Map<string, KeptConnection>();
    this.#targets = new Map(
      [...this.#configs].map(([name, config]) => {
        const address = configuredUrl(config.url);
        const server = serverOf(address, config);
        const kept = servers.get(server) ?? new KeptConnection(context.clock);
        servers.set(server, kept);
        return [name, { config, address, limit: new RetryLimit(context.clock, config.retry_hours), kept }];
      }),
    );
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    for (const { kept } of this.#targets.values()) kept.end();
  }

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    return deliveriesTo(this.#configs, event, this.#context);
  }

  prepare(name: string): void {
    const target = this.#targets.get(name);
    // Its own authorities are read when the request goes.
    if (target === undefined || target.config.ca_file !== undefined) return;
    const { config, address, kept } = target;
    openAhead(address.url, kept, { verify: config.ssl_verify });
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { clock, log, outbox } = this.#context;
    const target = this.#targets.get(delivery.target);
    const event = await eventOfDelivery(delivery, outbox);
    if (target === undefined) return { type: 'rejected', reason: 'there is no such webhook any more', moot: true };
    if (event === undefined) return { type: 'rejected', reason: 'nothing is known of the event', moot: true };
    const { config, limit, kept } = target;
    const tried = await outcomeOf(() => this.#request(target, event, { signal, kept }), {
      ...{ successCodes: config.success_codes, clock, signal },
    });
    const outcome = limit.apply(tried, { received: event.time, time: event.time });
    target.last = { time: clock.now(), result: outcome.type === 'done' ? 'delivered' : outcome.reason };
    if (outcome.type === 'done') {
      this.counters.delivered += 1;
      const what = event.id === undefined ? event.event : `${event.event} of message ${event.id}`;
      log.info(`${what} is delivered to webhook ${delivery.target}`);
    } else if (outcome.type === 'rejected') this.counters.rejected += 1;
    return outcome;
  }

  /** Sends a test to every target. */
  async test(signal: AbortSignal): Promise<string> {
    const { clock } = this.#context;
    const both = AbortSignal.any([signal, this.#context.signal]);
    const tests = [...this.#targets].map(async ([name, target]) => {
      const { config, address } = target;
      const started = clock.monotonic();
      try {
        const { status } = await this.#request(target, testEvent(clock.now()), { signal: both });
        const good = isSuccess(status, config.success_codes);
        const ms = Math.round(clock.monotonic() - started);
        return { good, text: `webhook ${name}: ${address.url.host} answered ${status} after ${ms} ms` };
      } catch (error) {
        both.throwIfAborted();
        return { good: false, text: `webhook ${name}: ${describeError(error)}` };
      }
    });
    return testReport(await Promise.all(tests));
  }

  status(): JsonObject {
    const webhooks = [...this.#targets.values()].map(({ config, address, last }) => ({
      section: config.section,
      host: address.url.host,
      ...(last && { last_try: isoTime(last.time), last_result: last.result }),
    }));
    return { webhooks };
  }

  async #request(
    { config, address }: Target,
    event: GatewayEvent,
    connection: Pick<ExchangeOptions, 'signal' | 'kept'>,
  ): Promise<HttpAnswer> {
    const { clock, system } = this.#context;
    const { ca_file, ssl_verify: verify, timeout } = config;
    // Read at each request: one bad file stops one webhook, and is looked at again.
    const ca = ca_file === undefined ? {} : { ca: await certificates(ca_file) };
    const fields = eventFields(event, await system.routerName());
    const request = requestOf(fields, address, config, clock.now());
    return exchange(request, { timeout: timeout * 1000, verify, ...ca, clock, ...connection });
  }
}

/** The server, and how it is verified. */
const serverOf = ({ url }: HttpUrl, { ssl_verify, ca_file = '' }: WebhookConfig): string =>
  `${url.origin} ${ssl_verify} ${ca_file}`;
