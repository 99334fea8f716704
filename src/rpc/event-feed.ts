import type { JsonObject } from '../base/json.ts';
import type { Bus, GatewayEvents } from '../events.ts';
import { messageFields } from '../store/message-fields.ts';
import { modemFields } from './objects/modem.ts';
import { moduleFields } from './objects/module.ts';

type EventForms = { readonly [E in keyof GatewayEvents]: (payload: GatewayEvents[E]) => JsonObject };

/** Every event of the namespace, and the table it is told with. */
const forms: EventForms = {
  'sms.received': messageFields,
  'sms.sent': messageFields,
  'sms.delivered': messageFields,
  'sms.failed': messageFields,
  'modem.state': modemFields,
  'module.state': moduleFields,
  'config.changed': ({ sections }) => ({ sections }),
};

export const eventNames = Object.keys(forms) as readonly (keyof GatewayEvents)[];

type Listener = (name: string, payload: JsonObject) => void;

/** The events of the gateway in the form that callers see, for every transport. */
export class EventFeed {
  readonly #bus: Bus;
  readonly #listeners = new Map<object, Listener>();

  constructor(bus: Bus) {
    this.#bus = bus;
    for (const name of eventNames) this.#relay(name);
  }

  /** Tells `listener` every event until `off(owner)`. */
  on(owner: object, listener: Listener): void {
    this.#listeners.set(owner, listener);
  }

  off(owner: object): void {
    this.#listeners.delete(owner);
  }

  stop(): void {
    this.#bus.off(this);
    this.#listeners.clear();
  }

  #relay<E extends keyof GatewayEvents>(name: E): void {
    this.#bus.on(name, this, (payload) => {
      if (this.#listeners.size === 0) return;
      const table = forms[name](payload);
      for (const listener of [...this.#listeners.values()]) listener(name, table);
    });
  }
}
