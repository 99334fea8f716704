import type { Clock } from '../../base/clock.ts';
import { toGatewayError } from '../../base/errors.ts';
import type { FaultLog } from '../../base/fault-log.ts';
import { Mutex } from '../../base/mutex.ts';
import type { ArgumentType } from '../method.ts';
import type { Listing, Namespace } from '../namespace.ts';
import { blobmsgType } from './blobmsg.ts';
import type { UbusConnection } from './connection.ts';
import { limits } from './limits.ts';
import {
  attributeId,
  EVENT_OBJECT,
  messageType,
  numberAttribute,
  numberOf,
  tableAttribute,
  textAttribute,
  type UbusMessage,
} from './message.ts';

interface RegisteredObject {
  /** Given by ubusd, new at every registration. */
  readonly id: number;
  readonly name: string;
  /** What it was registered with. */
  readonly signature: string;
  subscribed: boolean;
}

export interface RegistrationServices {
  readonly connection: UbusConnection;
  readonly namespace: Namespace;
  readonly clock: Clock;
  readonly faults: FaultLog;
}

const signatureTypes: Readonly<Record<ArgumentType, number>> = {
  string: blobmsgType.string,
  integer: blobmsgType.int32,
  boolean: blobmsgType.int8,
  array: blobmsgType.array,
  table: blobmsgType.table,
};

/** ubusmsg.h UBUS_STATUS_INVALID_ARGUMENT: ubusd gives it for a taken name and for a missing right alike. */
const INVALID_ARGUMENT = 2;

/**
 * Keeps ubusd's list of our objects as the namespace is, on one connection. What ubusd refuses is offered again every
 * second, and as soon as any object leaves ubus.
 */
export class RegisteredObjects {
  readonly #services: RegistrationServices;
  readonly #objects = new Map<number, RegisteredObject>();
  readonly #work = new Mutex();
  /** Called when the first object is registered. */
  onServing: (() => void) | undefined;
  /** The anonymous object that ubusd sends events to. */
  #listener: number | undefined;
  #listens = false;
  #cancelRetry = () => {};
  #stopped = false;
  /** The update that has not begun yet: events that come before it need no other. */
  #coming: Promise<void> | undefined;

  constructor(services: RegistrationServices) {
    this.#services = services;
  }

  byId(id: number | undefined): RegisteredObject | undefined {
    return id === undefined ? undefined : this.#objects.get(id);
  }

  byName(name: string): RegisteredObject | undefined {
    return [...this.#objects.values()].find((object) => object.name === name);
  }

  /** Registers what is new and removes what is gone; resolves to false when that was cut short. Never rejects. */
  async update(): Promise<boolean> {
    this.#coming ??= this.#next(() => {
      this.#coming = undefined;
      return this.#updateAll();
    });
    await this.#coming;
    return !this.#stopped;
  }

  /** Registers nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
  }

  /** Takes all objects from ubus, so that nobody calls them any more. Never rejects. */
  async removeAll(): Promise<void> {
    this.stop();
    await this.#next(async () => {
      for (const object of [...this.#objects.values()]) await this.#remove(object);
    });
  }

  /** Whether the message is an event for the listener: an object has left ubus, perhaps the one that was in the way. */
  takeEvent(message: UbusMessage): boolean {
    if (this.#listener === undefined || numberOf(message, attributeId.objectId) !== this.#listener) return false;
    this.#cancelRetry();
    if (!this.#stopped) void this.update();
    return true;
  }

  /** One after the other. What fails ends the connection. */
  #next(work: () => Promise<void>): Promise<void> {
    return this.#work.run(work).catch((error) => {
      this.stop();
      this.#services.connection.destroy(toGatewayError(error));
    });
  }

  async #updateAll(): Promise<void> {
    const listing = this.#services.namespace.list();
    for (const object of [...this.#objects.values()]) {
      const changed = object.signature !== signatureText(listing[object.name]);
      if (changed && !this.#stopped) await this.#remove(object);
    }
    let refused = false;
    for (const [name, methods] of Object.entries(listing)) {
      if (this.byName(name) === undefined && !this.#stopped) refused = !(await this.#add(name, methods)) || refused;
    }
    if (!refused || this.#stopped) return;
    this.#cancelRetry();
    this.#cancelRetry = this.#services.clock.after(limits.againMs, () => void this.update());
    await this.#listen();
  }

  /** Whether ubusd took it. */
  #add(name: string, methods: Listing[string]): Promise<boolean> {
    const attributes = [
      textAttribute(attributeId.objectPath, name),
      tableAttribute(attributeId.signature, mapTypes(methods)),
    ];
    return this.#request(name, { type: messageType.addObject, peer: 0, attributes }, (id) => {
      // At once: the first call may come in the same chunk.
      this.#objects.set(id, { id, name, signature: signatureText(methods), subscribed: false });
      if (this.#objects.size === 1) this.onServing?.();
    });
  }

  async #remove({ id, name }: RegisteredObject): Promise<void> {
    const attributes = [numberAttribute(attributeId.objectId, id)];
    await this.#request(name, { type: messageType.removeObject, peer: 0, attributes }, () => this.#objects.delete(id));
  }

  /** Another process may hold the name, or an ACL file may be missing: the other objects go on. */
  async #request(
    name: string,
    request: Parameters<UbusConnection['request']>[0],
    done: (id: number) => void,
  ): Promise<boolean> {
    const { connection, faults } = this.#services;
    let given = false;
    const status = await connection.ask(request, (answer) => {
      const id = numberOf(answer, attributeId.objectId);
      // One object has one id, however many ubusd gives.
      if (id !== undefined && !given) done(id);
      given ||= id !== undefined;
    });
    if (status === 0) {
      faults.over(name, `${name} is on ubus`);
      return true;
    }
    const reason =
      status === INVALID_ARGUMENT && request.type === messageType.addObject
        ? 'the name is taken, or this user has no right to publish it (/usr/share/acl.d)'
        : `ubusd answers with status ${status}`;
    faults.fault(name, `${name} is not on ubus: ${reason}; trying again every second`);
    return false;
  }

  /** Asks for the event of the removal of any object. Without the right to listen the timer has to do. */
  async #listen(): Promise<void> {
    if (this.#listens) return;
    this.#listens = true;
    const { connection } = this.#services;
    await connection.ask({ type: messageType.addObject, peer: 0, attributes: [] }, (answer) => {
      this.#listener = numberOf(answer, attributeId.objectId);
    });
    if (this.#listener === undefined) return;
    await connection.ask({
      type: messageType.invoke,
      peer: EVENT_OBJECT,
      attributes: [
        numberAttribute(attributeId.objectId, EVENT_OBJECT),
        textAttribute(attributeId.method, 'register'),
        tableAttribute(attributeId.data, { object: this.#listener, pattern: 'ubus.object.remove' }),
      ],
    });
  }
}

const signatureText = (methods: Listing[string] | undefined): string => JSON.stringify(methods ?? null);

function mapTypes(methods: Listing[string]): Record<string, Record<string, number>> {
  const entries = Object.entries(methods).map(([method, args]) => {
    const types = Object.entries(args).map(([name, type]) => [name, signatureTypes[type]] as const);
    return [method, Object.fromEntries(types)] as const;
  });
  return Object.fromEntries(entries);
}
