import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { aborted, unlessAborted, within } from '../../base/abort.ts';
import { BackOff } from '../../base/back-off.ts';
import { sleep } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import { FaultLog } from '../../base/fault-log.ts';
import { formatHostPort } from '../../base/host-port.ts';
import type { JsonObject } from '../../base/json.ts';
import type { MqttConfig } from '../../config/config.ts';
import { topicsOf } from '../../config/schema/mqtt.ts';
import type {
  Delivery,
  DeliveryEvent,
  DeliveryOutcome,
  DeliveryRequest,
  GatewayModule,
  ModuleContext,
} from '../host/contract.ts';
import { tlsOptions } from '../kit/tls.ts';
import { Broker, type BrokerOptions, type ProtocolVersion, type Qos } from './broker.ts';
import { type DiscoveryFacts, publishDiscovery } from './discovery.ts';
import { isHopeless, wantsOlder } from './failure.ts';
import { idIn, receivedPayload, sentPayload } from './payloads.ts';
import { Requests } from './requests.ts';
import { Retained } from './retained.ts';
import { States } from './states.ts';

const RECEIVED = 'received';
const SENT = 'sent';
const BROKER = 'broker';
const SUBSCRIPTION = 'subscription';
/** Pauses between two connections, ms. */
const RECONNECT = { first: 1_000, longest: 120_000, jitter: 0.2 };
/** A connection that lasted so long was a good one, ms. */
const GOOD_MS = 60_000;
/** Time to say goodbye, ms. */
const GOODBYE_MS = 2_000;
/** Deliveries to a topic under way at once. */
const WINDOW = 8;
/** Publishes messages and states to an MQTT broker, and takes requests from it. */
export class Mqtt implements GatewayModule {
  readonly concurrency = 2 * WINDOW;
  readonly #context: ModuleContext<MqttConfig>;
  readonly #topics: ReturnType<typeof topicsOf>;
  readonly #retained: Retained;
  readonly #states: States;
  readonly #requests: Requests | undefined;
  readonly #counters = { received: 0, sent: 0, connections: 0 };
  readonly #faults: FaultLog;
  #clientId = '';
  #names: { readonly host?: string; readonly serial?: string } = {};
  #version: ProtocolVersion = 5;
  #broker: Broker | undefined;
  #running: Promise<void> | undefined;

  constructor(context: ModuleContext<MqttConfig>) {
    this.#context = context;
    this.#topics = topicsOf(context.config);
    const { log, config, name } = context;
    this.#retained = new Retained({ notebook: context.notebook(name), log, qos: this.#qos, retain: config.retain });
    this.#states = new States(context, this.#topics, this.#retained);
    this.#faults = new FaultLog(context.log);
    const { send, ...published } = this.#topics;
    if (send === undefined) return;
    const own = new Set(Object.values(published).filter((topic) => topic !== undefined));
    this.#requests = new Requests(context, { send, answer: published.answer, published: own });
  }

  /** Throws GatewayError config_invalid for files without a certificate. A broker that is away is waited for. */
  async start(): Promise<void> {
    const { config, system } = this.#context;
    const [host, serial] = await Promise.all([system.routerName(), system.serial()]);
    this.#names = { ...(host !== undefined && { host }), ...(serial !== undefined && { serial }) };
    this.#clientId = config.client_id ?? clientIdOf(serial ?? host);
    await this.#tls();
    this.#states.start();
    this.#context.bus.on('config.changed', this, () => {
      if (this.#broker !== undefined) void this.#discover(this.#broker);
    });
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#context.bus.off(this);
    await this.#running;
    this.#states.stop();
    this.#requests?.stop();
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, ...this.#requests?.counters };
  }

  status(): JsonObject {
    const { host } = this.#context.config;
    const broker = this.#broker;
    return {
      broker: formatHostPort({ host, port: this.#port }),
      connected: broker !== undefined,
      client_id: this.#clientId,
      ...(broker !== undefined && { protocol: protocolName(broker.version) }),
    };
  }

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    if (event.kind === 'receipt') {
      return this.#topics.sent === undefined
        ? []
        : [{ target: SENT, note: JSON.stringify(sentPayload(event.message)) }];
    }
    // Modems have a topic of their own, which also says what makes no event.
    if (event.kind === 'modem') return [];
    const { config, isRuleMessage } = this.#context;
    const isWanted = this.#topics.received !== undefined && (config.every_sms || !isRuleMessage(event.message));
    return isWanted ? [{ target: RECEIVED }] : [];
  }

  window(): number {
    return WINDOW;
  }

  async deliver(delivery: Delivery): Promise<DeliveryOutcome> {
    const isReceipt = delivery.kind !== 'message';
    const topic = isReceipt ? this.#topics.sent : this.#topics.received;
    if (topic === undefined) return { type: 'rejected', reason: 'its topic is switched off', moot: true };
    const broker = this.#broker;
    if (broker === undefined) return { type: 'waiting', reason: 'there is no connection to the broker' };
    const payload = isReceipt ? delivery.note : JSON.stringify(receivedPayload(delivery.message));
    try {
      await broker.publish({ topic, payload, qos: this.#qos });
    } catch (error) {
      const reason = describeError(error);
      if (isHopeless(error)) return { type: 'rejected', reason };
      // With the connection it comes again.
      return broker.ended.aborted ? { type: 'waiting', reason } : { type: 'retry', reason, passable: true };
    }
    this.#counters[isReceipt ? 'sent' : 'received'] += 1;
    if (!isReceipt) this.#context.log.info(`message ${idIn(payload)} is published`);
    return { type: 'done' };
  }

  /** A connection of its own beside the one in use. */
  async test(signal: AbortSignal): Promise<string> {
    const { config, clock } = this.#context;
    const started = clock.monotonic();
    const options = { ...(await this.#options()), clientId: `${this.#clientId}-test`, session: 0 };
    const { will: _, ...quiet } = options;
    const broker = await this.#connect(quiet, AbortSignal.any([signal, this.#context.signal]));
    await broker.close();
    const who = config.username === undefined ? 'without a login' : `as ${config.username}`;
    const where = formatHostPort({ host: config.host, port: this.#port });
    const secured = config.tls ? ' over TLS' : '';
    const ms = Math.round(clock.monotonic() - started);
    return `${where} accepts the gateway ${who}${secured}, ${protocolName(broker.version)}, after ${ms} ms`;
  }

  get #qos(): Qos {
    return this.#context.config.qos as Qos;
  }

  get #port(): number {
    const { port, tls } = this.#context.config;
    return port ?? (tls ? 8883 : 1883);
  }

  /** Keeps a connection until the module stops. Never rejects. */
  async #run(): Promise<void> {
    const { clock, signal, health } = this.#context;
    const backOff = new BackOff(RECONNECT);
    while (!signal.aborted) {
      const started = clock.monotonic();
      try {
        await this.#connection(signal);
      } catch (error) {
        if (signal.aborted) return;
        health.failed(BROKER, describeError(error));
        this.#faults.fault(BROKER, describeError(error));
      }
      if (clock.monotonic() - started >= GOOD_MS) backOff.reset();
      const pause = backOff.next();
      health.triedAgain(BROKER, clock.now() + pause);
      await sleep(clock, pause, signal).catch(() => undefined);
    }
  }

  /** One connection from its beginning to its end. Rejects with the reason, or resolves when the module stops. */
  async #connection(signal: AbortSignal): Promise<void> {
    const { availability } = this.#topics;
    if (availability !== undefined) await this.#retained.expect(availability);
    const broker = await this.#connect(await this.#options(), signal);
    try {
      // Requests that waited at the broker are there already.
      const taking = this.#requests?.run(broker) ?? aborted(broker.ended);
      taking.catch(() => undefined);
      await unlessAborted(this.#begin(broker), signal);
      await unlessAborted(taking, signal);
      throw broker.ended.reason;
    } catch (error) {
      if (!signal.aborted) throw error;
      await this.#sayGoodbye(broker);
    } finally {
      this.#broker = undefined;
      this.#states.detach();
      await broker.close();
    }
  }

  async #begin(broker: Broker): Promise<void> {
    const { health, log, config, wake } = this.#context;
    await this.#subscribe(broker);
    this.#retained.keepOnly(broker, this.#stateTopics);
    await this.#announce(broker, 'online');
    this.#broker = broker;
    this.#counters.connections += 1;
    health.succeeded(BROKER);
    const where = formatHostPort({ host: config.host, port: this.#port });
    if (!this.#faults.over(BROKER, `is connected to ${where} again`)) log.info(`is connected to ${where}`);
    this.#states.attach(broker);
    wake(RECEIVED);
    wake(SENT);
    await this.#discover(broker);
  }

  /** An account that may only publish does that. */
  async #subscribe(broker: Broker): Promise<void> {
    const { health } = this.#context;
    if (this.#requests === undefined) return;
    try {
      await broker.subscribe(this.#requests.filters, this.#qos === 0 ? 0 : 1);
      health.succeeded(SUBSCRIPTION);
      this.#faults.over(SUBSCRIPTION, 'may take requests again');
    } catch (error) {
      if (broker.ended.aborted) throw error;
      const text = `no requests are taken: ${describeError(error)}`;
      health.failed(SUBSCRIPTION, text);
      this.#faults.fault(SUBSCRIPTION, text);
    }
  }

  async #announce(broker: Broker, payload: 'online' | 'offline'): Promise<void> {
    const { availability: topic } = this.#topics;
    if (topic === undefined) return;
    await this.#retained.publish(broker, topic, payload);
  }

  get #stateTopics(): readonly string[] {
    const { availability } = this.#topics;
    return availability === undefined ? this.#states.topics : [availability, ...this.#states.topics];
  }

  async #sayGoodbye(broker: Broker): Promise<void> {
    const { clock, log } = this.#context;
    await within(this.#announce(broker, 'offline'), 'the goodbye', { clock, ms: GOODBYE_MS }).catch(
      (error: unknown) => {
        log.debug(`"offline" is not published: ${describeError(error)}`);
      },
    );
  }

  async #connect(options: Omit<BrokerOptions, 'version'>, signal: AbortSignal): Promise<Broker> {
    try {
      return await Broker.connect({ ...options, version: this.#version }, signal);
    } catch (error) {
      if (this.#version === 4 || !wantsOlder(error)) throw error;
      this.#version = 4;
      return Broker.connect({ ...options, version: 4 }, signal);
    }
  }

  async #options(): Promise<Omit<BrokerOptions, 'version'>> {
    const { config, clock } = this.#context;
    const { host, username, password, keepalive, session_hours, timeout, retain } = config;
    const tls = await this.#tls();
    const { availability } = this.#topics;
    return {
      ...{ host, port: this.#port, clientId: this.#clientId, keepalive, clock },
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls !== undefined && { tls }),
      ...(availability !== undefined && {
        will: { topic: availability, payload: 'offline', qos: this.#qos, retain },
      }),
      session: this.#requests === undefined || this.#qos === 0 ? 0 : session_hours * 3600,
      timeout: timeout * 1000,
    };
  }

  /** Read again for each connection: certificates are renewed. Throws GatewayError config_invalid. */
  async #tls(): Promise<ConnectionOptions | undefined> {
    const { config } = this.#context;
    if (!config.tls) return undefined;
    const trust = await tlsOptions(config.host, config);
    const { tls_cert, tls_key } = config;
    if (tls_cert === undefined || tls_key === undefined) return trust;
    try {
      const [cert, key] = await Promise.all([readFile(tls_cert), readFile(tls_key)]);
      return { ...trust, cert, key };
    } catch (error) {
      throw new GatewayError('config_invalid', `tls_cert or tls_key: ${describeError(error)}`, { cause: error });
    }
  }

  /** At the beginning of a connection, and when groups or modems may be others. Never rejects. */
  async #discover(broker: Broker): Promise<void> {
    try {
      const { config, notebook, name } = this.#context;
      await publishDiscovery(broker, notebook(name), this.#discoveryFacts(), config.discovery);
    } catch (error) {
      this.#context.log.debug(`Home Assistant is not informed: ${describeError(error)}`);
    }
  }

  #discoveryFacts(): DiscoveryFacts {
    const { config, modems, shared } = this.#context;
    return {
      ...{ prefix: config.discovery_prefix, clientId: this.#clientId, qos: this.#qos, topics: this.#topics },
      ...this.#names,
      modems: modems.list().map((modem) => modem.status().name),
      groups: shared.groups.map((group) => group.name),
      numbers: config.notify,
    };
  }
}

/** The same after each start. */
function clientIdOf(name: string | undefined): string {
  const plain = name?.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 40) ?? '';
  return plain === '' ? 'sms-gateway' : `sms-gateway-${plain}`;
}

const protocolName = (version: ProtocolVersion): string => (version === 5 ? 'MQTT 5' : 'MQTT 3.1.1');
