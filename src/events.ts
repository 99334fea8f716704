import { describeError } from './base/errors.ts';
import type { Logger } from './base/log.ts';
import type { ModemStatus } from './modem/status.ts';
import type { ModuleStatus } from './modules/host/contract.ts';
import type { InboxMessage, OutboxMessage } from './store/message.ts';

/** What happens in the gateway. The names are the event names of the RPC namespace. */
export interface GatewayEvents {
  'sms.received': InboxMessage;
  'sms.sent': OutboxMessage;
  'sms.delivered': OutboxMessage;
  'sms.failed': OutboxMessage;
  'modem.state': ModemStatus;
  'call.incoming': { readonly modem: string; readonly number?: string };
  'ussd.received': { readonly modem: string; readonly text: string };
  'module.state': ModuleStatus;
  'config.changed': { readonly sections: readonly string[] };
}

export type EventName = keyof GatewayEvents;
type Callback<E extends EventName> = (payload: GatewayEvents[E]) => void | Promise<void>;

/** The typed event bus. A listener that throws or rejects is logged and touches nobody else. */
export class Bus {
  readonly #listeners = new Map<EventName, Map<object, Callback<never>[]>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Calls back on every `event` until `off(owner)`. */
  on<E extends EventName>(event: E, owner: object, callback: Callback<E>): void {
    const owners = this.#listeners.get(event) ?? new Map<object, Callback<never>[]>();
    this.#listeners.set(event, owners);
    owners.set(owner, [...(owners.get(owner) ?? []), callback]);
  }

  /** Removes everything that `owner` listens to. */
  off(owner: object): void {
    for (const owners of this.#listeners.values()) owners.delete(owner);
  }

  emit<E extends EventName>(event: E, payload: GatewayEvents[E]): void {
    for (const callbacks of [...(this.#listeners.get(event)?.values() ?? [])]) {
      for (const callback of callbacks as Callback<E>[]) void this.#call(event, callback, payload);
    }
  }

  async #call<E extends EventName>(event: E, callback: Callback<E>, payload: GatewayEvents[E]): Promise<void> {
    try {
      await callback(payload);
    } catch (error) {
      this.#log.error(`a listener of ${event} failed: ${describeError(error)}`);
    }
  }
}
