import { setMaxListeners } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type IClientOptions, type IPublishPacket, MqttClient } from 'mqtt';
import { budgets, limitsOf } from '../../access/budgets.ts';
import { type Deferred, deferred, onAbort, unlessAborted, within } from '../../base/abort.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { formatHostPort } from '../../base/host-port.ts';
import { failure } from './failure.ts';
import { PacketGuard } from './packet-guard.ts';

const limits = limitsOf(budgets.mqtt);

/** 4 is MQTT 3.1.1. */
export type ProtocolVersion = 5 | 4;
export type Qos = 0 | 1 | 2;

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  /** Plain TCP when absent. */
  readonly tls?: ConnectionOptions;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** Seconds. */
  readonly keepalive: number;
  /** Seconds that the broker keeps the session after the connection has gone; 0 begins a new one each time. */
  readonly session: number;
  readonly version: ProtocolVersion;
  readonly will?: Publication;
  /** For each answer of the broker, ms. */
  readonly timeout: number;
  readonly clock: Clock;
}

export interface Publication {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain?: boolean;
  /** MQTT 5.0 3.3.2.3.6: what the requester recognises its answer by. */
  readonly correlation?: Buffer;
}

/** A publication that the broker sends. */
export interface Incoming {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** Perhaps sent before: its first delivery was not acknowledged. */
  readonly dup: boolean;
  /** To acknowledge it by; undefined with QoS 0. */
  readonly packetId?: number;
  readonly responseTopic?: string;
  readonly correlation?: Buffer;
}

/**
 * One connection to a broker, from CONNECT to its end. The only file that imports mqtt, of which it uses the client
 * without its reconnecting: a new connection is a new client, and what was not acknowledged is known to the callers.
 * A request is acknowledged by `acknowledge`, whenever its taker has stored it.
 */
export class Broker {
  readonly version: ProtocolVersion;
  /** Whether the broker has kept the session of an earlier connection. */
  readonly resumed: boolean;
  readonly #ended = new AbortController();
  readonly #client: MqttClient;
  readonly #socket: Socket;
  readonly #options: BrokerOptions;
  readonly #inbox: Inbox;
  readonly #guard: PacketGuard;
  readonly #window: number;
  readonly #maxPacket: number;
  #inFlight = 0;
  readonly #waiting: Deferred<void>[] = [];

  /** Throws GatewayError connection_failed, peer_rejected, timeout, or the signal's reason. */
  static async connect(options: BrokerOptions, signal: AbortSignal): Promise<Broker> {
    signal.throwIfAborted();
    const attempt = new Attempt(options);
    const removeListener = onAbort(signal, () => attempt.fail(signal.reason));
    try {
      const resumed = await within(attempt.connected, `the answer of ${where(options)}`, {
        clock: options.clock,
        ms: options.timeout,
        signal,
      });
      return new Broker(options, attempt, resumed);
    } catch (error) {
      attempt.fail(error);
      throw error;
    } finally {
      removeListener();
    }
  }

  private constructor(options: BrokerOptions, { client, socket, inbox, guard, failed }: Attempt, resumed: boolean) {
    this.version = options.version;
    this.resumed = resumed;
    this.#options = options;
    this.#client = client;
    this.#socket = socket;
    this.#inbox = inbox;
    this.#guard = guard;
    const { receiveMaximum = limits.inFlight, maximumPacketSize = Number.POSITIVE_INFINITY } =
      client.serverProperties ?? {};
    this.#window = Math.min(limits.inFlight, receiveMaximum);
    this.#maxPacket = maximumPacketSize;
    // Each publication under way listens.
    setMaxListeners(0, this.ended);
    onAbort(failed, () => this.#end(failed.reason));
  }

  /** Aborts when the connection has gone; the reason says why. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Resolves when the broker has acknowledged it; with QoS 0 when it is on its way. Throws GatewayError
   * connection_failed, timeout, peer_rejected, too_large.
   */
  async publish({ topic, payload, qos, retain = false, correlation }: Publication): Promise<void> {
    if (Buffer.byteLength(payload) + Buffer.byteLength(topic) + 64 > this.#maxPacket) {
      throw new GatewayError('too_large', `the broker takes packets of ${this.#maxPacket} octets at most`);
    }
    await this.#slot();
    try {
      this.#guard.published(qos);
      const properties = this.version === 5 && correlation !== undefined && { correlationData: correlation };
      await this.#answered(
        'the publication',
        this.#client.publishAsync(topic, payload, { qos, retain, ...(properties && { properties }) }),
      );
    } finally {
      this.#inFlight -= 1;
      this.#waiting.shift()?.resolve();
    }
  }

  /**
   * Own publications do not come back, and retained ones are recognised, where the broker knows MQTT 5. Throws
   * GatewayError, peer_rejected when the broker does not allow it.
   */
  async subscribe(filters: readonly string[], qos: 0 | 1): Promise<void> {
    const options = this.version === 5 ? { qos, nl: true, rap: true, rh: 0 as const } : { qos };
    const granted = await this.#answered('the subscription', this.#client.subscribeAsync([...filters], options));
    const refused = granted.find((each) => Number(each.qos) >= 0x80);
    if (refused !== undefined) {
      throw new GatewayError('peer_rejected', `the broker does not let this account subscribe to ${refused.topic}`);
    }
  }

  /** The next publication of the broker. Throws the reason for which the connection has gone. */
  next(): Promise<Incoming> {
    return this.#inbox.next(this.ended);
  }

  /** MQTT 5.0 3.4: the broker forgets the publication. */
  acknowledge(packetId: number): void {
    if (!this.ended.aborted) this.#socket.write(Buffer.from([0x40, 2, packetId >> 8, packetId & 0xff]));
  }

  /** Says goodbye, so that the broker sends no last will; resolves when the connection is closed. */
  async close(): Promise<void> {
    if (this.ended.aborted) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    // MQTT 5.0 3.14: DISCONNECT, normal.
    this.#socket.end(Buffer.from([0xe0, 0]));
    await Promise.race([closed, sleep(this.#options.clock, limits.closeMs, this.ended).catch(() => undefined)]);
    this.#end(new GatewayError('stopping', 'the connection to the broker is closed'));
  }

  async #answered<T>(what: string, work: Promise<T>): Promise<T> {
    const { clock, timeout } = this.#options;
    // A broker that does not answer is not there.
    const late = () =>
      this.#end(new GatewayError('timeout', `the answer to ${what} took longer than ${timeout / 1000} s`));
    const cancel = clock.after(timeout, late);
    try {
      return await unlessAborted(work, this.ended);
    } catch (error) {
      throw failure(error, where(this.#options));
    } finally {
      cancel();
    }
  }

  async #slot(): Promise<void> {
    this.ended.throwIfAborted();
    this.#inFlight += 1;
    if (this.#inFlight <= this.#window) return;
    const turn = deferred();
    this.#waiting.push(turn);
    try {
      await unlessAborted(turn.promise, this.ended);
    } catch (error) {
      this.#inFlight -= 1;
      throw error;
    }
  }

  #end(reason: unknown): void {
    this.#socket.destroy();
    if (!this.ended.aborted) this.#ended.abort(failure(reason, where(this.#options)));
  }
}

/** A connection until the broker has accepted it, and what may end it afterwards. */
class Attempt {
  readonly client: MqttClient;
  readonly socket: Socket;
  readonly inbox = new Inbox();
  readonly guard: PacketGuard;
  /** Resolves to whether the broker has kept the session. */
  readonly connected: Promise<boolean>;
  readonly #failed = new AbortController();
  readonly #options: BrokerOptions;

  constructor(options: BrokerOptions) {
    this.#options = options;
    const { host, port, tls, clock } = options;
    this.guard = new PacketGuard(clock);
    this.socket = tls === undefined ? connectTcp({ host, port }) : connectTls({ ...tls, host, port });
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('data', (chunk) => {
      const fault = this.guard.check(chunk);
      if (fault !== undefined) this.fail(new GatewayError('peer_rejected', fault));
    });
    this.client = new MqttClient(() => this.socket, clientOptions(options));
    const connected = deferred<boolean>();
    connected.promise.catch(() => undefined);
    this.connected = connected.promise;
    onAbort(this.failed, () => connected.reject(this.failed.reason));
    this.client.handleMessage = (packet, done) => this.inbox.put(packet, done);
    this.client.on('connect', ({ sessionPresent }) => connected.resolve(sessionPresent));
    // The package goes on after malformed packets.
    this.client.on('error', (error) => this.fail(error));
    this.client.on('disconnect', ({ reasonCode }) => this.fail(reasonCode ?? 0));
    this.client.on('close', () =>
      this.fail(new GatewayError('connection_failed', `${where(options)} closed the connection`)),
    );
    this.client.connect();
  }

  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  fail(reason: unknown): void {
    this.socket.destroy();
    if (!this.failed.aborted) this.#failed.abort(failure(reason, where(this.#options), !this.client.connected));
  }
}

/** What the broker has published and nobody has taken. When it is full, nothing more is read. */
class Inbox {
  readonly #queue: Incoming[] = [];
  #held: (() => void) | undefined;
  #arrived: (() => void) | undefined;

  /** `done` is called when the next may come. Acknowledges nothing. */
  put(packet: IPublishPacket, done: (error?: Error) => void): void {
    const take = () => {
      this.#queue.push(incoming(packet));
      this.#arrived?.();
      // An error keeps the package from acknowledging; it has no other effect.
      done(new Error('acknowledged when it is stored'));
    };
    if (this.#queue.length < limits.waiting) take();
    else this.#held = take;
  }

  async next(signal: AbortSignal): Promise<Incoming> {
    for (;;) {
      signal.throwIfAborted();
      const first = this.#queue.shift();
      if (first !== undefined) {
        const held = this.#held;
        this.#held = undefined;
        held?.();
        return first;
      }
      const arrival = deferred();
      this.#arrived = arrival.resolve;
      await unlessAborted(arrival.promise, signal);
    }
  }
}

function incoming({ topic, payload, qos, retain, dup, messageId, properties }: IPublishPacket): Incoming {
  const { responseTopic, correlationData } = properties ?? {};
  return {
    topic,
    payload: Buffer.from(payload),
    ...{ retain, dup },
    ...(qos > 0 && messageId !== undefined && { packetId: messageId }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlation: correlationData }),
  };
}

function clientOptions(options: BrokerOptions): IClientOptions {
  const { clientId, username, password, keepalive, session, version, will, timeout } = options;
  return {
    ...{ clientId, keepalive, protocolVersion: version },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    clean: session === 0,
    ...(version === 5 && {
      properties: {
        sessionExpiryInterval: session,
        receiveMaximum: limits.waiting,
        maximumPacketSize: limits.packet,
      },
    }),
    ...(will !== undefined && {
      will: { topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos, retain: will.retain ?? false },
    }),
    ...{ manualConnect: true, reconnectPeriod: 0, resubscribe: false, queueQoSZero: false },
    connectTimeout: timeout,
    timerVariant: 'native',
    // It would write payloads and passwords.
    log: () => {},
  };
}

const where = ({ host, port }: BrokerOptions): string => formatHostPort({ host, port });
