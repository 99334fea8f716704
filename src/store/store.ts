import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventSink } from '../base/bus.ts';
import type { Clock } from '../base/clock.ts';
import { optimized } from '../base/compilers.ts';
import type { JsonObject } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import { ceilingPolicy } from '../config/ceilings.ts';
import type { GatewayConfig } from '../config/config.ts';
import { Deliveries } from './deliveries/deliveries.ts';
import { Inbox, type InboxPolicy } from './inbox/inbox.ts';
import type { FileSystem } from './journal/file-system.ts';
import { Journal, type Sync } from './journal/journal.ts';
import type { StoreEvents } from './message.ts';
import { MessageLog } from './message-log.ts';
import { Notes } from './notes.ts';
import { Outbox, type OutboxOptions, type OutboxPolicy } from './outbox/outbox.ts';
import { Traffic } from './traffic.ts';

/** The rules of the store, from the `gateway` section. */
export interface StorePolicy {
  /** See `Sync`: what seconds instead of `always` may cost. */
  readonly sync: Sync;
  readonly inbox: InboxPolicy;
  readonly outbox: OutboxPolicy;
  /** Whether the log shows texts at debug. */
  readonly logTexts?: boolean;
}

export interface StoreOptions {
  /** State directory; made when it is missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** For a line about each step of each message; none when absent. */
  readonly messageLog?: Logger;
  readonly policy: StorePolicy;
  /** See `OutboxOptions` and `InboxOptions`. */
  readonly memory?: NonNullable<OutboxOptions['memory']> & { isScarce(): boolean };
  /** Gets `sms.received`, `sms.sent`, `sms.delivered` and `sms.failed`, each after the change is durable. */
  readonly bus: EventSink<StoreEvents>;
  /** Node's when absent. */
  readonly fileSystem?: FileSystem;
}

/** Of the journal there, as a guess: 0 where they cannot be seen. */
const octetsIn = (directory: string): Promise<number> =>
  stat(join(directory, 'journal')).then(
    ({ size }) => size,
    () => 0,
  );

/** Everything that outlives the daemon: the journal, and the parts that keep their state in it. */
export class Store {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly deliveries: Deliveries;
  readonly notes: Notes;
  /** Messages by the hour. */
  readonly traffic: Traffic;
  readonly #journal: Journal;
  readonly #messageLog: MessageLog | undefined;

  /** Throws GatewayError store_locked when another gateway uses the directory, store_unavailable. */
  static async open(options: StoreOptions): Promise<Store> {
    return optimized(await octetsIn(options.directory), () => Store.#open(options));
  }

  static async #open(options: StoreOptions): Promise<Store> {
    const store = new Store(options);
    await store.#journal.open();
    store.inbox.start();
    store.outbox.start();
    store.deliveries.start();
    store.#countFound();
    return store;
  }

  private constructor({ directory, clock, log, messageLog, policy, memory, bus, fileSystem }: StoreOptions) {
    const messages = messageLog && new MessageLog(messageLog, policy.logTexts === true);
    this.#messageLog = messages;
    const journal = new Journal({ directory, clock, log, sync: policy.sync, ...(fileSystem && { fileSystem }) });
    const common = { journal, clock, log, random: Math.random };
    this.#journal = journal;
    const isScarce = () => memory?.isScarce() === true;
    this.inbox = new Inbox({ ...common, policy: policy.inbox, isScarce });
    this.traffic = new Traffic(clock);
    this.inbox.onMessage = (message) => {
      this.traffic.count('in');
      messages?.received(message);
      bus.emit('sms.received', message);
    };
    this.outbox = new Outbox({
      ...common,
      policy: policy.outbox,
      ...(memory && { memory }),
      asksModules: true,
      onLimit: (text) => bus.emit('limit.reached', { text }),
      onAccepted: (message, by) => messages?.accepted(message, by),
      onChanged: (id) => bus.emit('outbox.changed', { id }),
      onSent: (message) => {
        this.traffic.count('out');
        messages?.settled(message);
        bus.emit('sms.sent', message);
      },
      onDelivered: (message) => {
        messages?.settled(message);
        bus.emit('sms.delivered', message);
      },
      onFailed: (message) => {
        if (message.state !== 'undelivered') this.traffic.count('failed');
        messages?.settled(message);
        bus.emit('sms.failed', message);
      },
    });
    this.deliveries = new Deliveries({ ...common, inbox: this.inbox });
    this.notes = new Notes(journal);
  }

  #countFound(): void {
    this.traffic.received(this.inbox.table.arrivalTimes());
    for (const { state, changed } of this.outbox.finished()) this.traffic.found(state, changed);
  }

  configure(policy: StorePolicy): void {
    this.#journal.sync = policy.sync;
    this.inbox.configure(policy.inbox);
    this.outbox.configure(policy.outbox);
    if (this.#messageLog !== undefined) this.#messageLog.texts = policy.logTexts === true;
  }

  status(): JsonObject {
    return { inbox: this.inbox.status(), journal: this.#journal.status() };
  }

  /** What somebody should do something about, before messages are refused or lost: sentences. */
  warnings(): readonly string[] {
    const { warning } = this.inbox;
    return [...this.#journal.warnings, ...(warning === undefined ? [] : [warning]), ...this.outbox.warnings()];
  }

  /** Resolves when everything is written and the directory is free. The modems must have stopped. */
  async close(): Promise<void> {
    await this.outbox.close();
    await this.inbox.stop();
    this.deliveries.stop();
    await this.#journal.close();
  }
}

const HOUR_S = 3_600;

/** The rules of the store, from the `gateway` section. */
export function storePolicy(gateway: GatewayConfig): StorePolicy {
  return {
    sync: gateway.sync,
    logTexts: gateway.log_text,
    inbox: { capacity: gateway.capacity, evict: gateway.evict, partTimeoutHours: gateway.part_timeout },
    outbox: {
      queueLimit: gateway.queue_limit,
      validitySeconds: gateway.validity * HOUR_S,
      ambiguous: gateway.ambiguous,
      keepDays: gateway.keep_sent,
      keepCount: gateway.keep_sent_max,
      transliterate: gateway.transliterate,
      nationalTables: gateway.national_tables,
      ceilings: ceilingPolicy(gateway),
    },
  };
}
