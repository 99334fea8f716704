import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Access } from '../../src/access/access.ts';
import { Bus } from '../../src/base/bus.ts';
import { createLogger } from '../../src/base/log.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { ModemStatus } from '../../src/modem/status.ts';
import type { ModuleDefinition } from '../../src/modules/host/contract.ts';
import { DeliveryPlanner } from '../../src/modules/host/planner.ts';
import { ModuleRegistry } from '../../src/modules/host/registry.ts';
import { moduleDefinitions } from '../../src/modules/modules.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import {
  addressOf,
  encodeDeliver,
  encodePdu,
  nameAddress,
  segment,
  timeStamp,
  toUserData,
} from '../../src/sms/index.ts';
import { type FileSystem, nodeFileSystem } from '../../src/store/journal/file-system.ts';
import type { InboxMessage, OutboxMessage } from '../../src/store/message.ts';
import { Store, storePolicy } from '../../src/store/store.ts';
import { System } from '../../src/system/system.ts';
import { ManualClock, onClock } from './manual-clock.ts';
import { until } from './outbox-rig.ts';
import { ScriptedSender } from './scripted-sender.ts';

export interface ModuleRigOptions {
  /** UCI text of the package `sms_gateway`. */
  readonly config: string;
  /** The config may have sections that are wrong. */
  readonly faulty?: true;
  readonly system?: System;
  readonly clock?: ManualClock;
  /** The gateway's own when absent. */
  readonly definitions?: readonly ModuleDefinition[];
  readonly fileSystem?: FileSystem;
  /** What is wrong with sections of the config; nothing when absent. */
  readonly faultOf?: (keys: readonly (keyof Config)[]) => string | undefined;
  /** Of the SIM of every modem; unknown when absent. */
  readonly imsi?: string;
  /** Modems beside `gsm0`, which is always there. */
  readonly modems?: readonly string[];
}

export interface Arriving {
  /** Time stamp of the service centre, ms since the epoch; a second after the one before when absent. */
  readonly time?: number;
  readonly modem?: string;
  readonly flash?: boolean;
  /** The sender is a name, whatever it looks like. */
  readonly alphanumeric?: boolean;
  /** TP-DCS and user data in place of the text. */
  readonly binary?: { readonly dcs: number; readonly data: Uint8Array };
}

/** The modules of a gateway on a real store, with scripted modems, real I/O and a clock that stands still. */
export class ModuleRig {
  readonly clock: ManualClock;
  readonly modems: ReadonlyMap<string, ScriptedSender>;
  readonly log: string[] = [];
  /** What modems say in place of the usual. */
  readonly statuses = new Map<string, ModemStatus>();
  readonly received: InboxMessage[] = [];
  readonly bus: Bus<GatewayEvents>;
  readonly store: Store;
  readonly modules: ModuleRegistry;
  readonly #base: string;
  readonly directory: string;
  readonly #options: ModuleRigOptions;
  readonly #planner: DeliveryPlanner;
  /** Deliveries under way. */
  readonly #delivering = { open: 0 };
  #timeless = false;
  #config: Config;
  #last: number;

  static async open(base: string, options: ModuleRigOptions, directory = join(base, 'state')): Promise<ModuleRig> {
    const clock = options.clock ?? new ManualClock();
    const log: string[] = [];
    const logger = createLogger({ level: 'debug', write: (line) => void log.push(line.trimEnd()) });
    const config = await configOf(base, options.config, options.faulty);
    const bus = new Bus<GatewayEvents>(logger);
    const store = await Store.open({
      directory,
      clock,
      log: logger,
      policy: storePolicy(config.gateway),
      bus,
      fileSystem: options.fileSystem ?? onClock(nodeFileSystem, clock),
    });
    const rig = new ModuleRig({ base, directory, options, clock, log, config, store, bus, logger });
    for (const modem of rig.modems.values()) store.outbox.attach(modem, { interval: 0, daily: 0 });
    await rig.modules.start();
    rig.#planner.start();
    return rig;
  }

  private constructor(parts: {
    readonly base: string;
    readonly directory: string;
    readonly options: ModuleRigOptions;
    readonly clock: ManualClock;
    readonly log: string[];
    readonly config: Config;
    readonly store: Store;
    readonly bus: Bus<GatewayEvents>;
    readonly logger: ReturnType<typeof createLogger>;
  }) {
    const { options, clock, store, bus, logger } = parts;
    this.#base = parts.base;
    this.directory = parts.directory;
    this.#options = options;
    this.#config = parts.config;
    this.clock = clock;
    this.bus = bus;
    this.log = parts.log;
    this.store = store;
    this.#last = clock.now();
    this.modems = new Map(['gsm0', ...(options.modems ?? [])].map((name) => [name, new ScriptedSender(name)]));
    this.modules = new ModuleRegistry({
      definitions: (options.definitions ?? moduleDefinitions).map((each) => counting(each, this.#delivering)),
      ...{ bus, clock, inbox: store.inbox, outbox: store.outbox, deliveries: store.deliveries, notes: store.notes },
      modems: {
        list: () => [...this.modems.keys()].map((name) => this.#modem(name)),
        find: (name) => (this.modems.has(name) ? this.#modem(name) : undefined),
      },
      access: new Access(),
      system: options.system ?? new System({ root: this.#base }),
      log: logger,
      config: () => this.#config,
      faultOf: (keys) => options.faultOf?.(keys),
    });
    this.#planner = new DeliveryPlanner({
      ...{ bus, clock, deliveries: store.deliveries, outbox: store.outbox, modules: this.modules },
      log: logger,
    });
    bus.on('sms.received', this, (message) => void this.received.push(message));
  }

  #modem(section: string) {
    const status = (): ModemStatus => this.statuses.get(section) ?? statusOf(section, this.#options.imsi);
    return { status, fact: (name: 'imsi' | 'number') => status()[name] };
  }

  get modem(): ScriptedSender {
    const modem = this.modems.get('gsm0');
    if (modem === undefined) throw new Error('no modem');
    return modem;
  }

  /** `number text` of what the modem was given, in order. */
  get sent(): readonly string[] {
    return this.modem.given.map(({ number, text }) => `${number} ${text}`);
  }

  /** Takes up a new config as a reload does. */
  async configure(text: string): Promise<void> {
    this.#config = await configOf(this.#base, text, this.#options.faulty);
    await this.modules.reconfigure();
  }

  /** Lets a message arrive, all parts of it; resolves when it is stored. */
  async receive(from: string, text: string, arriving: Arriving = {}): Promise<void> {
    const { modem = 'gsm0', binary, flash = false } = arriving;
    const time = arriving.time ?? this.#last + 1_000;
    this.#last = time;
    const sender = !arriving.alphanumeric && /^\+?[0-9]+$/.test(from) ? addressOf(from) : nameAddress(from);
    const { dcs, parts } =
      binary === undefined
        ? segment(text, { reference: Math.floor(time / 1000), flash })
        : { dcs: binary.dcs, parts: [{ udh: new Uint8Array(), data: binary.data }] };
    for (const { udh, data } of parts) {
      const deliver = { from: sender, dcs, time: timeStamp(time), userData: toUserData(udh, data) };
      const pdu = encodePdu(undefined, encodeDeliver(deliver));
      await this.store.inbox.accept({ modem, pdu, received: this.clock.now() });
    }
  }

  /** Time never passes while a delivery is under way, by a real server or program: no deadline of its ends then. Holds over `crash`. */
  deliveriesTakeNoTime(): void {
    this.#timeless = true;
    this.clock.waitsForSessions(this.#delivering);
  }

  /** Waits until every message that came was dispatched, and all deliveries of the module have ended. */
  async handled(module: string): Promise<void> {
    await until(async () => {
      if (this.store.inbox.table.undispatched().length > 0) return false;
      return this.store.deliveries.pending(module) === 0;
    }, `${module} has handled everything`);
  }

  async outbox(): Promise<readonly OutboxMessage[]> {
    return (await this.store.outbox.list({ limit: 1000 })).messages;
  }

  /** What a new process finds after this one was killed now, or just before it wrote a record like `before`. */
  async crash({ before, ...options }: Partial<ModuleRigOptions> & { before?: RegExp } = {}): Promise<ModuleRig> {
    const directory = mkdtempSync(join(this.#base, 'crash-'));
    const lines = readFileSync(join(this.directory, 'journal'), 'utf8').split(/(?<=\n)/);
    const end = before === undefined ? -1 : lines.findIndex((line) => before.test(line));
    if (before !== undefined && end < 0) throw new Error(`no record like ${before}`);
    writeFileSync(join(directory, 'journal'), (end < 0 ? lines : lines.slice(0, end)).join(''));
    await this.close();
    const rig = await ModuleRig.open(this.#base, { ...this.#options, clock: this.clock, ...options }, directory);
    if (this.#timeless) rig.deliveriesTakeNoTime();
    return rig;
  }

  async close(): Promise<void> {
    await this.#planner.stop();
    await this.modules.stop();
    for (const modem of this.modems.values()) modem.ready = false;
    await this.store.close();
  }
}

/** The module, whose deliveries are counted while they are under way. */
function counting(definition: ModuleDefinition, delivering: { open: number }): ModuleDefinition {
  return {
    ...definition,
    create: async (config, context) => {
      const module = await definition.create(config, context);
      const deliver = module.deliver?.bind(module);
      if (deliver === undefined) return module;
      module.deliver = async (...delivery) => {
        delivering.open += 1;
        try {
          return await deliver(...delivery);
        } finally {
          delivering.open -= 1;
        }
      };
      return module;
    },
  };
}

/** Throws when a section of the text is wrong, and should not be. */
async function configOf(base: string, text: string, faulty = false): Promise<Config> {
  const directory = join(base, 'config');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'sms_gateway'), text);
  const { config, errors, sections } = await loadConfig(directory);
  const [error] = errors.filter(({ severity }) => severity === 'error');
  // What is only refused stays in force.
  if (!faulty && error !== undefined && sections.some(({ bad }) => bad))
    throw new Error(`${error.section}.${error.option}: ${error.message}`);
  return config;
}

const statusOf = (name: string, imsi: string | undefined): ModemStatus => ({
  ...(imsi !== undefined && { imsi }),
  ...{ name, state: 'ready', since: 0, device: 'scripted', signal: -71 },
  ...{ sent: 0, received: 0, errors: 0, reopened: 0 },
});
