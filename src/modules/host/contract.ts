import type { Access } from '../../access/access.ts';
import type { OriginFields } from '../../access/request-origin.ts';
import type { EventSource } from '../../base/bus.ts';
import type { Clock } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { AnswerRoom } from '../../base/memory-pool.ts';
import type { Config } from '../../config/config.ts';
import type { Delivery, DeliveryOutcome } from '../../store/deliveries/deliveries.ts';
import type { Inbox } from '../../store/inbox/inbox.ts';
import type { InboxMessage, OutboxMessage, StoreEvents } from '../../store/message.ts';
import type { Notebook } from '../../store/notes.ts';
import type { Outbox } from '../../store/outbox/outbox.ts';
import type { System } from '../../system/system.ts';
import type { HealthReporter } from './health.ts';

/** What modules may know of a modem. */
export interface ModemFacts {
  readonly name: string;
  /** A word of `sms_gateway.modem status`; only `ready` sends and receives. */
  readonly state: string;
  /** When it came to this state, ms since the epoch. */
  readonly since: number;
  /** Its own phone number, where it is known. */
  readonly number?: string;
  readonly imsi?: string;
  /** Strength of the signal, dBm. */
  readonly signal?: number;
  readonly operator?: string;
  readonly technology?: string;
  readonly registration?: string;
  /** What is wrong now, a sentence. */
  readonly error?: string;
  /** What to look at although it works, sentences. */
  readonly warning?: string;
}

/** A modem, to look at. */
interface Modem {
  status(): ModemFacts;
  /** One fact of the status, which puts many together: too much where each message asks for one. */
  fact(name: 'imsi' | 'number'): string | undefined;
}

/** What becomes of the modems. */
export interface ModemNews {
  'modem.state': ModemFacts;
  'modem.facts': ModemFacts;
}

/** What a gateway function gets to work with: everything it may touch, and nothing else. */
export interface ModuleContext<C> {
  readonly name: string;
  /** The module's own section. */
  readonly config: C;
  /** Sections that any module may refer to: groups and rules. */
  readonly shared: Pick<Config, 'groups' | 'rules'>;
  /** Whether the number sent the message. A name never equals a number, nor does a number of another country. */
  isFrom(message: Pick<InboxMessage, 'number' | 'alphanumeric' | 'modem'>, number: string): boolean;
  /** Whether an SMS Utilities rule is meant by the message, be its password right or wrong. */
  isRuleMessage(message: InboxMessage): boolean;
  /** The configured modems, to look at. */
  readonly modems: {
    list(): readonly Modem[];
    find(name: string): Modem | undefined;
  };
  readonly system: System;
  /** What the doors of the gateway share. */
  readonly access: Access;
  readonly bus: EventSource<StoreEvents & ModuleEvents & ModemNews>;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  /** What must outlive a restart: a book under the module's name, or one that modules share. */
  notebook(name: string): Notebook;
  /**
   * What the module must not forget when it is renewed, such as who is locked out: the one thing of that kind, made when it is
   * first asked for, and there as long as the process.
   */
  lasting<T extends object>(Kind: new (clock: Clock) => T): T;
  /** Somebody can take deliveries to the target again: those that wait are tried at once. */
  wake(target: string): void;
  /** What goes wrong while it runs, for `status` and `module list`. Outcomes of deliveries are reported by the host. */
  readonly health: HealthReporter;
  readonly log: Logger;
  readonly clock: Clock;
  /** Aborts when the module must stop. Every wait of the module takes it. */
  readonly signal: AbortSignal;
}

export interface CgiRequest {
  readonly script: string;
  readonly method: string;
  /** QUERY_STRING, one character an octet. */
  readonly query: string;
  /** As the client says, perhaps empty. */
  readonly contentType: string;
  /** Request body, one character an octet. */
  readonly body: string;
  /** Address of the client, without a port. */
  readonly remoteAddress: string;
  /** What the header fields say about where the request comes from; absent when there were none. */
  readonly origin?: OriginFields;
  /** Where a large answer is made; absent when nobody counts. */
  readonly room?: AnswerRoom;
}

/** A login to the account of the cgi-bin URLs that another door has taken. */
export type CgiLogin = Pick<CgiRequest, 'remoteAddress' | 'origin'> & {
  readonly username: string;
  readonly password: string;
};

export interface CgiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type { Delivery, DeliveryOutcome } from '../../store/deliveries/deliveries.ts';

/** Something that happened beside messages. It is stored only in the notes of modules that want it. `time` in ms since the epoch. */
export type ModemEvent =
  | {
      readonly event: 'modem.state';
      readonly modem: string;
      readonly state: string;
      /** What is wrong, a sentence. */
      readonly error?: string;
      readonly time: number;
    }
  | { readonly event: 'call.incoming'; readonly modem: string; readonly number?: string; readonly time: number };

/** What a module is asked about: a message that came in, a sent one that has come to a settled state, or an event of a modem. */
export type DeliveryEvent =
  | { readonly kind: 'message'; readonly message: InboxMessage }
  | { readonly kind: 'receipt'; readonly message: OutboxMessage }
  | { readonly kind: 'modem'; readonly modemEvent: ModemEvent };

/** A delivery that a module wants. Of a sent message or a modem event the note is all that `deliver` gets; it should be short. */
export interface DeliveryRequest {
  readonly target: string;
  readonly note?: string;
  /** It takes the message nowhere: where there is no room to keep the message, this is no reason to take it in. */
  readonly incidental?: true;
}

/**
 * One gateway function. The constructor does nothing; `start` takes up the work and resolves when it is under way.
 * `stop` resolves when everything of it has ended; the context's signal has aborted by then.
 */
export interface GatewayModule {
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * Which deliveries the event needs from this module, perhaps none. Has no effects. Asked once for each received message
   * and for each settled state of a sent one, also over a restart, and once for each event of a modem. A message may not be stored yet: one
   * that the store then does not take is asked about again when the modem offers it again, under another id, and the id of one
   * that there is no room to keep is 0.
   */
  deliveriesFor?(event: DeliveryEvent): readonly DeliveryRequest[];
  /**
   * A delivery to the target is being stored and comes next, unless the store does not take it: what it needs, such as a
   * connection, can be had meanwhile. Called for the first of several, and not while another one of the module waits or is under way.
   * `message`: its message, mostly the same object that `deliver` gets; absent where it must be read back first.
   */
  prepare?(target: string, message?: InboxMessage): void;
  /**
   * Carries out one delivery; those to a target come in the order of their events. Called again after `retry`, also after a
   * restart: must bear being repeated. What must not happen twice comes after `commit`: once that has resolved, the delivery is
   * stored as made and is never repeated.
   */
  deliver?(delivery: Delivery, signal: AbortSignal, commit: () => Promise<void>): Promise<DeliveryOutcome>;
  /** Deliveries under way at once; 1 when absent. */
  readonly concurrency?: number;
  /** Deliveries to a target under way at once, begun in their order; 1 when absent. */
  window?(target: string): number;
  /** Answers a cgi-bin request. */
  cgi?(request: CgiRequest, signal: AbortSignal): Promise<CgiAnswer>;
  /** Checks a login as that of a request to send. Rejects as the request would be refused. */
  cgiLogin?(login: CgiLogin, signal: AbortSignal): Promise<void>;
  /** One real try of the connection that the module depends on; resolves to a sentence about it. */
  test?(signal: AbortSignal): Promise<string>;
  /** What it has done since it started, for `module list`: `{ forwarded: 3, rejected: 1 }`. */
  readonly counters?: Readonly<Record<string, number>>;
  /** Further facts for `module status`. */
  status?(): JsonObject;
}

/** `error`: its section of the config is wrong, and there are no good values to run it with. */
export const moduleStates = ['disabled', 'error', 'starting', 'running', 'failed', 'stopping'] as const;

export type ModuleState = (typeof moduleStates)[number];

export interface ModuleStatus {
  readonly name: string;
  readonly enabled: boolean;
  readonly state: ModuleState;
  /** When it came to this state, ms since the epoch. */
  readonly since: number;
  /** Why it does not run, or what fails in its work while it runs. */
  readonly error?: string;
  /** Since when, ms since the epoch. */
  readonly errorSince?: number;
  /** When what failed is tried next, ms since the epoch; absent while nobody knows. */
  readonly nextTry?: number;
  /** Deliveries that wait. */
  readonly pending: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** The answer of a module that wants no receipts: one may wait for it from before its config changed. */
export const noReceipts: DeliveryOutcome = { type: 'rejected', reason: 'receipts go to nobody here', moot: true };

export interface ModuleEvents {
  'module.state': ModuleStatus;
  /** Names of the sections whose change has been taken up. */
  'config.changed': { readonly sections: readonly string[] };
}

export type ConfigKey = keyof Config;

/** One gateway function as the runtime knows it, before its code is loaded. */
export interface ModuleDefinition {
  readonly name: string;
  /** Sections whose faults the module reports as its own. */
  readonly sections: readonly ConfigKey[];
  /** What the module gets of the config. While this stays the same, a commit does not touch the module. */
  configOf(config: Config): unknown;
  enabled(config: Config): boolean;
  /** Loads the module's code and its packages, and makes an instance. Called only when it is enabled. */
  create(config: Config, context: <C>(own: C) => ModuleContext<C>): Promise<GatewayModule>;
}

interface Parts<C> {
  readonly name: string;
  readonly sections: readonly ConfigKey[];
  /** The module's own part of the config: of sections of others only the options that it uses, as any change restarts it. */
  readonly config: (config: Config) => C;
  readonly enabled: (config: C) => boolean;
  readonly load: () => Promise<new (context: ModuleContext<C>) => GatewayModule>;
}

export function defineModule<C>({ name, sections, config: own, enabled, load }: Parts<C>): ModuleDefinition {
  return {
    name,
    sections,
    configOf: own,
    enabled: (config) => enabled(own(config)),
    async create(config, context) {
      const Module = await load();
      return new Module(context(own(config)));
    },
  };
}
