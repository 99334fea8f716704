import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { FaultLog } from '../../modem/fault-log.ts';
import type { EventFeed } from '../event-feed.ts';
import type { Namespace } from '../namespace.ts';
import { UbusConnection } from './connection.ts';
import { IncomingCalls } from './incoming-calls.ts';
import { limits } from './limits.ts';
import {
  attributeId,
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

export interface SessionServices {
  readonly path: string;
  readonly namespace: Namespace;
  readonly events: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: FaultLog;
}

/** The object whose subscribers are notified, and the beginning of the ids of events. */
const NAME = 'sms_gateway';
/** ubusmsg.h UBUS_SYSTEM_OBJECT_EVENT. */
const EVENT_OBJECT = 1;

/** The gateway on ubus, from one connecting to the loss of the connection. */
export class UbusSession {
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

  /** Serves until the connection ends; resolves with the reason. `onReady` is called when the objects are registered. */
  async run(onReady: () => void): Promise<GatewayError> {
    const { namespace, events } = this.#services;
    try {
      await this.#connection.ready;
      namespace.onChange(this, () => void this.#objects.update());
      if (await this.#objects.update()) {
        events.on(this, (name, payload) => this.#tell(name, payload));
        onReady();
      }
    } catch {
      // The reason follows.
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
    if (message.type === messageType.invoke) this.#calls.take(message);
    if (message.type !== messageType.notify) return;
    const object = this.#objects.byId(numberOf(message, attributeId.objectId));
    if (object !== undefined) object.subscribed = isSet(message, attributeId.active);
  }

  #tell(name: string, payload: JsonObject): void {
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
      this.#services.faults.over('event');
    } catch (thrown) {
      const error = toGatewayError(thrown);
      // The end of the connection is told by `run`.
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
