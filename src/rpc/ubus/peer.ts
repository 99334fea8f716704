import { type Clock, sleep } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { FaultLog } from '../../base/fault-log.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { EventFeed } from '../events.ts';
import type { Namespace } from '../namespace.ts';
import { UbusConnection } from './connection.ts';
import { IncomingCalls } from './incoming-calls.ts';
import { limits } from './limits.ts';
import {
  attributeId,
  EVENT_OBJECT,
  flagAttribute,
  isSet,
  messageType,
  numberAttribute,
  numberOf,
  tableAttribute,
  textAttribute,
  type UbusMessage,
} from './message.ts';
import { RegisteredObjects } from './registered-objects.ts';

export interface UbusPeerOptions {
  /** The socket of ubusd. */
  readonly path: string;
  readonly namespace: Namespace;
  readonly events: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The object whose subscribers are notified, and the beginning of the ids of events. */
const NAME = 'sms_gateway';

/** The namespace on ubus, with its events. Comes back by itself when ubusd restarts. */
export class UbusPeer {
  readonly #options: UbusPeerOptions;
  readonly #faults: FaultLog;
  readonly #abort = new AbortController();
  #session: UbusSession | undefined;
  #done: Promise<void> | undefined;

  constructor(options: UbusPeerOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.log);
  }

  /** Begins to connect, and does not wait for it: ubusd may come later. */
  start(): void {
    this.#done ??= this.#run();
  }

  /** Ends every call and the connection; resolves when all have. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#session?.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { path, clock, log } = this.#options;
    const { signal } = this.#abort;
    let served = false;
    while (!signal.aborted) {
      this.#session = new UbusSession({ ...this.#options, faults: this.#faults });
      const reason = await this.#session.run(() => {
        if (!this.#faults.over('connection', `${served ? 'connected again' : 'serving on'} ${path}`) && !served) {
          log.info(`serving on ${path}`);
        }
        served = true;
      });
      this.#session = undefined;
      if (signal.aborted) return;
      this.#faults.fault('connection', `${path}: ${reason.message}; trying again every second`);
      await sleep(clock, limits.againMs, signal).catch(() => {});
    }
  }
}

interface SessionServices extends UbusPeerOptions {
  readonly faults: FaultLog;
}

/** The gateway on ubus, from one connecting to the loss of the connection. */
class UbusSession {
  readonly #services: SessionServices;
  readonly #connection: UbusConnection;
  readonly #calls: IncomingCalls;
  readonly #objects: RegisteredObjects;

  constructor(services: SessionServices) {
    const { path, namespace, clock, log, faults } = services;
    this.#services = services;
    const connection = new UbusConnection({ path, clock, receive: (message) => this.#receive(message) });
    this.#connection = connection;
    this.#objects = new RegisteredObjects({ connection, namespace, clock, faults });
    const nameOf = (id: number | undefined) => this.#objects.byId(id)?.name;
    this.#calls = new IncomingCalls({ connection, namespace, clock, log, nameOf });
  }

  /** Serves until the connection ends; resolves with the reason. `onServing` is called when an object is registered. */
  async run(onServing: () => void): Promise<GatewayError> {
    const { namespace, events } = this.#services;
    try {
      await this.#connection.ready;
      this.#objects.onServing = onServing;
      namespace.onChange(this, () => void this.#objects.update());
      if (await this.#objects.update()) events.on(this, (name, payload) => this.#publish(name, payload));
    } catch {
      // `closed` gives the reason.
    }
    const reason = await this.#connection.closed;
    this.#leave();
    // Nobody can get the answers any more.
    void this.#calls.end(reason);
    return reason;
  }

  /** Gives up the calls that are being answered, and closes. `run` then ends. */
  async close(): Promise<void> {
    const reason = new GatewayError('stopping', 'the gateway stops');
    const cancel = this.#services.clock.after(limits.closeMs, () => this.#connection.destroy(reason));
    this.#leave();
    const settled = Promise.all([this.#calls.end(reason), this.#objects.removeAll()]);
    // A method that does not give up holds up no stop.
    await Promise.race([settled, this.#connection.closed]);
    this.#connection.end();
    await this.#connection.closed;
    cancel();
  }

  #leave(): void {
    this.#services.namespace.offChange(this);
    this.#services.events.off(this);
    this.#objects.stop();
  }

  #receive(message: UbusMessage): void {
    if (message.type === messageType.invoke) {
      if (!this.#objects.takeEvent(message)) this.#calls.take(message);
    } else if (message.type === messageType.notify) {
      const object = this.#objects.byId(numberOf(message, attributeId.objectId));
      if (object !== undefined) object.subscribed = isSet(message, attributeId.active);
    }
  }

  #publish(name: string, payload: JsonObject): void {
    if (this.#connection.isBehind) {
      this.#services.faults.fault('behind', 'ubusd reads too slowly, events are dropped');
      return;
    }
    this.#services.faults.over('behind');
    void this.#sendEvent(name, payload);
  }

  async #sendEvent(name: string, payload: JsonObject): Promise<void> {
    try {
      this.#notifySubscribers(name, payload);
      await this.#connection.request({
        type: messageType.invoke,
        peer: EVENT_OBJECT,
        attributes: [
          numberAttribute(attributeId.objectId, EVENT_OBJECT),
          textAttribute(attributeId.method, 'send'),
          tableAttribute(attributeId.data, { id: `${NAME}.${name}`, data: payload }),
        ],
      });
      this.#services.faults.over('event', 'events are sent again');
    } catch (thrown) {
      const error = toGatewayError(thrown);
      // `run` reports the end of the connection.
      if (error.code !== 'peer_rejected' && error.code !== 'too_large') return;
      this.#services.faults.fault('event', `events cannot be sent: ${error.message}`);
    }
  }

  #notifySubscribers(name: string, payload: JsonObject): void {
    const object = this.#objects.byName(NAME);
    if (!object?.subscribed) return;
    this.#connection.send({
      type: messageType.notify,
      // Nothing answers it.
      seq: 0,
      peer: object.id,
      attributes: [
        numberAttribute(attributeId.objectId, object.id),
        textAttribute(attributeId.method, name),
        tableAttribute(attributeId.data, payload),
        flagAttribute(attributeId.noReply),
      ],
    });
  }
}
