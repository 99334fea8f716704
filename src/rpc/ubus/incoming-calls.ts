import { setMaxListeners } from 'node:events';
import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError, toGatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import { AnswerRoom } from '../../base/memory-pool.ts';
import type { Namespace } from '../namespace.ts';
import { decodeTable } from './blobmsg.ts';
import type { UbusConnection } from './connection.ts';
import { limits } from './limits.ts';
import {
  attributeData,
  attributeId,
  isSet,
  messageType,
  numberAttribute,
  numberOf,
  tableAttribute,
  textOf,
  type UbusMessage,
} from './message.ts';

export interface CallServices {
  readonly connection: UbusConnection;
  readonly namespace: Namespace;
  readonly clock: Clock;
  readonly log: Logger;
  /** The name of an object that has been registered. */
  readonly nameOf: (id: number | undefined) => string | undefined;
}

/** uhttpd and rpcd add the web session to the arguments. */
const SESSION_ARGUMENT = 'ubus_rpc_session';

/** Answers the calls that ubusd brings, several at a time. */
export class IncomingCalls {
  readonly #services: CallServices;
  readonly #running = new Map<AbortController, Promise<void>>();
  #octets = 0;
  #ended: GatewayError | undefined;

  constructor(services: CallServices) {
    this.#services = services;
  }

  /** Sequence number and peer identify a call; both come from the caller. */
  take(message: UbusMessage): void {
    const controller = new AbortController();
    // As many as the method likes.
    setMaxListeners(0, controller.signal);
    const work = this.#answer(message, controller).finally(() => this.#running.delete(controller));
    this.#running.set(controller, work);
  }

  /** Gives up all calls, and those that still come; resolves when they have been answered. */
  async end(reason: GatewayError): Promise<void> {
    this.#ended ??= reason;
    for (const controller of this.#running.keys()) controller.abort(reason);
    await Promise.all(this.#running.values());
  }

  async #answer(message: UbusMessage, controller: AbortController): Promise<void> {
    const late = () =>
      controller.abort(new GatewayError('timeout', `a call by ubus takes at most ${limits.callMs / 1000} s`));
    const cancel = this.#services.clock.after(limits.callMs, late);
    const room = new AnswerRoom();
    try {
      const result = await this.#call(message, controller.signal, room);
      this.#reply(message, result, room);
    } catch (thrown) {
      room.release();
      this.#services.log.debug(() => `refused: ${describeError(thrown)}`);
      this.#refuse(message, toGatewayError(thrown));
    } finally {
      cancel();
    }
  }

  async #call(message: UbusMessage, signal: AbortSignal, room: AnswerRoom): Promise<JsonObject> {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#running.size >= limits.inFlight) {
      throw new GatewayError('queue_full', `at most ${limits.inFlight} calls by ubus at a time`);
    }
    const object = this.#services.nameOf(numberOf(message, attributeId.objectId));
    if (object === undefined) throw new GatewayError('object_not_found', 'no object of this id');
    const method = textOf(message, attributeId.method);
    const data = attributeData(message, attributeId.data);
    if (method === undefined || data === undefined) {
      throw new GatewayError('invalid_argument', 'a call names a method and has a table of arguments');
    }
    if (this.#octets + data.length > limits.octetsInFlight) {
      throw new GatewayError('queue_full', 'the calls by ubus under way have too many arguments');
    }
    this.#octets += data.length;
    try {
      const { [SESSION_ARGUMENT]: _session, ...args } = decodeTable(data);
      return await this.#services.namespace.call(object, method, args, { transport: 'ubus', signal, room });
    } finally {
      this.#octets -= data.length;
    }
  }

  #reply(message: UbusMessage, result: JsonObject, room: AnswerRoom): void {
    room.keep(this.#replyData(message, result));
    this.#replyStatus(message, 0, () => room.release());
  }

  /** A status is a number only: its sentence goes before it, where uhttpd and `ubus call` show it. */
  #refuse(message: UbusMessage, { code, message: sentence, mapping }: GatewayError): void {
    this.#replyData(message, { code, message: sentence });
    this.#replyStatus(message, mapping.ubus);
  }

  /** Gives the octets of the reply. */
  #replyData(message: UbusMessage, data: JsonObject): number {
    if (isSet(message, attributeId.noReply)) return 0;
    const attributes = [...objectAttribute(message), tableAttribute(attributeId.data, data)];
    return this.#services.connection.send({ type: messageType.data, seq: message.seq, peer: message.peer, attributes });
  }

  #replyStatus(message: UbusMessage, status: number, left: () => void = () => {}): void {
    if (isSet(message, attributeId.noReply)) {
      left();
      return;
    }
    const attributes = [numberAttribute(attributeId.status, status), ...objectAttribute(message)];
    this.#services.connection.send(
      { type: messageType.status, seq: message.seq, peer: message.peer, attributes },
      left,
    );
  }
}

function objectAttribute(message: UbusMessage) {
  const id = numberOf(message, attributeId.objectId);
  return id === undefined ? [] : [numberAttribute(attributeId.objectId, id)];
}
