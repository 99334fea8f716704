import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import type { FaultLog } from '../../modem/fault-log.ts';
import type { ArgumentType } from '../method.ts';
import type { Listing, Namespace } from '../namespace.ts';
import { blobmsgType } from './blobmsg.ts';
import type { UbusConnection } from './connection.ts';
import { limits } from './limits.ts';
import { attributeId, messageType, numberAttribute, numberOf, tableAttribute, textAttribute } from './message.ts';

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

/** Keeps ubusd's list of our objects as the namespace is, on one connection. */
export class RegisteredObjects {
  readonly #services: RegistrationServices;
  readonly #objects = new Map<number, RegisteredObject>();
  #work: Promise<void> = Promise.resolve();
  #cancelRetry = () => {};
  #stopped = false;

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
    await this.#next(() => this.#updateAll());
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

  /** One after the other; what fails ends the connection, or had its end as the reason. */
  #next(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error) => {
      this.stop();
      this.#services.connection.destroy(toGatewayError(error));
    });
    return this.#work;
  }

  async #updateAll(): Promise<void> {
    const listing = this.#services.namespace.list();
    for (const object of [...this.#objects.values()]) {
      const changed = object.signature !== signatureText(listing[object.name]);
      if (changed && !this.#stopped) await this.#remove(object);
    }
    for (const [name, methods] of Object.entries(listing)) {
      if (this.byName(name) === undefined && !this.#stopped) await this.#add(name, methods);
    }
  }

  async #add(name: string, methods: Listing[string]): Promise<void> {
    const attributes = [
      textAttribute(attributeId.objectPath, name),
      tableAttribute(attributeId.signature, mapTypes(methods)),
    ];
    await this.#request(name, { type: messageType.addObject, peer: 0, attributes }, (id) => {
      // At once: the first call may come in the same chunk.
      this.#objects.set(id, { id, name, signature: signatureText(methods), subscribed: false });
    });
  }

  async #remove({ id, name }: RegisteredObject): Promise<void> {
    const attributes = [numberAttribute(attributeId.objectId, id)];
    await this.#request(name, { type: messageType.removeObject, peer: 0, attributes }, () => this.#objects.delete(id));
  }

  /** Another process may hold the name for a moment, or an ACL file may be missing: the other objects go on. */
  async #request(name: string, request: Parameters<UbusConnection['request']>[0], done: (id: number) => void) {
    const { connection, clock, faults } = this.#services;
    try {
      await connection.request(request, (answer) => {
        const id = numberOf(answer, attributeId.objectId);
        if (id !== undefined) done(id);
      });
      faults.over(name);
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === 'peer_rejected')) throw error;
      faults.fault(name, `${name} is not on ubus: ${error.message}`);
      this.#cancelRetry();
      if (!this.#stopped) this.#cancelRetry = clock.after(limits.offerAgainMs, () => void this.update());
    }
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
