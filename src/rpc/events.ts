import type { EventSource } from '../base/bus.ts';
import { GatewayError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Redactor } from '../base/redactor.ts';
import type { ModemEvents } from '../modem/status.ts';
import type { ModuleEvents } from '../modules/host/contract.ts';
import type { StoreEvents } from '../store/message.ts';
import { messageFields } from '../store/message-fields.ts';
import { modemFields } from './objects/modem.ts';
import { moduleFields } from './objects/module.ts';

/** What happens in the gateway. The names are the event names of the namespace. */
export interface GatewayEvents extends StoreEvents, ModemEvents, ModuleEvents {}

/** Those that leave the gateway. */
export type PublicEvent = Exclude<keyof GatewayEvents, 'outbox.changed' | 'modem.facts'>;

type EventForms = { readonly [E in PublicEvent]: (payload: GatewayEvents[E]) => JsonObject };

/** Every event of the namespace, and the form that callers see it in. */
const forms: EventForms = {
  'sms.received': messageFields,
  'sms.sent': messageFields,
  'sms.delivered': messageFields,
  'sms.failed': messageFields,
  'limit.reached': ({ text }) => ({ text }),
  'modem.state': modemFields,
  'call.incoming': (call) => ({ ...call }),
  'ussd.received': ({ modem, text }) => ({ modem, text }),
  'module.state': moduleFields,
  'config.changed': ({ sections }) => ({ sections }),
};

/**
 * Fields of states whose values are names of sections, and words that the gateway has chosen. Programs go by them, so no secret is
 * looked for there; nothing that a modem or a server says stands in them.
 */
export const ownWords: ReadonlySet<string> = new Set([
  ...['name', 'state', 'registration', 'step', 'severity'],
  ...['module', 'modem', 'section', 'sections', 'option'],
]);

export const eventNames = Object.keys(forms) as readonly PublicEvent[];

type Listener = (name: string, payload: JsonObject) => void;

/** The events of the gateway in the form that callers see, for every transport. */
export class EventFeed {
  readonly #bus: EventSource<GatewayEvents>;
  readonly #listeners = new Map<object, Listener>();
  readonly #redactor: Redactor | undefined;

  /** The redactor hides secrets in what modems and functions report. */
  constructor(bus: EventSource<GatewayEvents>, redactor?: Redactor) {
    this.#bus = bus;
    this.#redactor = redactor;
    for (const name of eventNames) this.#relay(name);
  }

  /** Passes every event to `listener` until `off(owner)`. */
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

  #relay<E extends PublicEvent>(name: E): void {
    this.#bus.on(name, this, (payload) => {
      if (this.#listeners.size === 0) return;
      const form = forms[name](payload);
      const table = /^(?:modem|module)\./.test(name) ? (this.#redactor?.hideIn(form, ownWords) ?? form) : form;
      for (const listener of [...this.#listeners.values()]) listener(name, table);
    });
  }
}

const MAX_PATTERNS = 16;
const MAX_PATTERN_LENGTH = 64;

/** The event patterns of one caller. */
export class Subscriptions {
  readonly #patterns = new Set<string>();
  readonly #mayBegin: () => boolean;

  /** `mayBegin` says whether this caller may have a first pattern now. */
  constructor(mayBegin: () => boolean = () => true) {
    this.#mayBegin = mayBegin;
  }

  get patterns(): readonly string[] {
    return [...this.#patterns];
  }

  /** Throws GatewayError invalid_argument, too_many. */
  add(pattern: string): void {
    if (pattern.length === 0 || pattern.length > MAX_PATTERN_LENGTH) {
      throw new GatewayError('invalid_argument', `an event pattern has 1 to ${MAX_PATTERN_LENGTH} characters`);
    }
    if (!this.#patterns.has(pattern) && this.#patterns.size === MAX_PATTERNS) {
      throw new GatewayError('too_many', `at most ${MAX_PATTERNS} event patterns a connection`);
    }
    if (this.#patterns.size === 0 && !this.#mayBegin()) {
      throw new GatewayError('too_many', 'too many connections subscribe to events already');
    }
    this.#patterns.add(pattern);
  }

  /** Forgets one pattern, or all. */
  remove(pattern?: string): void {
    if (pattern === undefined) this.#patterns.clear();
    else this.#patterns.delete(pattern);
  }

  covers(event: string): boolean {
    return this.patterns.some((pattern) => matchesPattern(pattern, event));
  }
}

/** Whether `name` fits a ubus pattern: equal to it, or beginning with what stands before a trailing `*`. */
export function matchesPattern(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
