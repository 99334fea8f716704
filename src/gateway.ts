import { resolve } from 'node:path';
import { Access } from './access/access.ts';
import { SelfWatch } from './access/self-watch.ts';
import { unlessAborted } from './base/abort.ts';
import { Bus } from './base/bus.ts';
import type { Clock } from './base/clock.ts';
import { describeError, GatewayError } from './base/errors.ts';
import { createLogger, type Logger, type LogSink } from './base/log.ts';
import { Redactor } from './base/redactor.ts';
import { version } from './base/version.ts';
import type { Config } from './config/config.ts';
import { describeSchema } from './config/describe.ts';
import { type ConfigDifference, LiveConfig } from './config/live-config.ts';
import { PACKAGE } from './config/load-config.ts';
import { secretsOf } from './config/secrets.ts';
import { ConfigWatch } from './config/watch.ts';
import type { WebDoors } from './http/doors.ts';
import type { HttpAddress } from './http/web-server.ts';
import { Modems } from './modem/modems.ts';
import type { CgiAnswer, CgiRequest } from './modules/host/contract.ts';
import { DeliveryPlanner } from './modules/host/planner.ts';
import { ModuleRegistry } from './modules/host/registry.ts';
import { countriesOf } from './modules/kit/received-message.ts';
import { moduleDefinitions } from './modules/modules.ts';
import { notRunningAnswer } from './modules/post_get/cgi.ts';
import { EventFeed, type GatewayEvents } from './rpc/events.ts';
import { Metrics } from './rpc/metrics.ts';
import { Namespace } from './rpc/namespace.ts';
import { cgiObject } from './rpc/objects/cgi.ts';
import { gatewayObject } from './rpc/objects/gateway.ts';
import { messageObject } from './rpc/objects/message/message.ts';
import { modemObject } from './rpc/objects/modem.ts';
import { moduleObject } from './rpc/objects/module.ts';
import { simulatorObject } from './rpc/objects/simulator.ts';
import { RoleSockets } from './rpc/role-sockets.ts';
import { UnixSocketServer } from './rpc/socket/server.ts';
import { StateLog } from './rpc/state-log.ts';
import type { UbusPeer } from './rpc/ubus/peer.ts';
import { segment } from './sms/index.ts';
import { Store, storePolicy } from './store/store.ts';
import { routerLacks } from './system/router.ts';
import { System } from './system/system.ts';
import { dayOf, firstInstant } from './system/time-zone.ts';

export interface GatewayOptions {
  readonly configDirectory: string;
  readonly stateDirectory: string;
  readonly socket: string;
  readonly http?: HttpAddress;
  /** Where the files of the pages lie. */
  readonly pagesDirectory: string;
  /** Socket of ubusd. */
  readonly ubus?: string;
}

export interface GatewayBindings {
  readonly sink: LogSink;
  readonly clock: Clock;
}

/** The whole gateway: builds its parts, starts them, applies a new config by difference, stops them. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #sink: LogSink;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #config: LiveConfig;
  readonly #store: Store;
  readonly #bus: Bus<GatewayEvents>;
  readonly #modems: Modems;
  readonly #modules: ModuleRegistry;
  readonly #planner: DeliveryPlanner;
  readonly #namespace: Namespace;
  readonly #events: EventFeed;
  readonly #metrics: Metrics;
  readonly #stateLog: StateLog;
  readonly #system = new System();
  readonly #access: Access;
  readonly #selfWatch: SelfWatch;
  readonly #watch: ConfigWatch;
  readonly #socket: UnixSocketServer;
  readonly #roleSockets: RoleSockets;
  #web: WebDoors | undefined;
  #ubus: UbusPeer | undefined;
  #stopping = false;

  /**
   * Resolves when everything has been started once. Throws GatewayError store_locked, store_unavailable or
   * connection_failed (a socket is taken); then nothing is left behind.
   */
  static async start(options: GatewayOptions, bindings: GatewayBindings, signal: AbortSignal): Promise<Gateway> {
    const log = createLogger(bindings.sink);
    const config = await LiveConfig.load(options.configDirectory, log.child('config'), routerLacks);
    bindings.sink.level = config.current.gateway.log_level;
    const redactor = new Redactor();
    redactor.set(secretsOf(config.current));
    bindings.sink.redactor = redactor;
    const bus = new Bus<GatewayEvents>(log);
    const access = new Access(bindings.clock);
    const store = await Store.open({
      directory: options.stateDirectory,
      clock: bindings.clock,
      log: log.child('store'),
      messageLog: log.child('sms'),
      policy: storePolicy(config.current.gateway),
      memory: access.memory,
      bus,
    });
    const gateway = new Gateway(options, bindings, log, config, bus, store, access);
    try {
      await gateway.#start(signal);
      return gateway;
    } catch (error) {
      await gateway.stop();
      throw error;
    }
  }

  private constructor(
    options: GatewayOptions,
    { sink, clock }: GatewayBindings,
    log: Logger,
    config: LiveConfig,
    bus: Bus<GatewayEvents>,
    store: Store,
    access: Access,
  ) {
    this.#options = options;
    this.#sink = sink;
    this.#clock = clock;
    this.#log = log;
    this.#config = config;
    this.#bus = bus;
    this.#store = store;
    this.#access = access;
    this.#selfWatch = new SelfWatch({ clock, log: log.child('memory') });
    access.memory.watchedBy(this.#selfWatch);
    this.#access.configure(config.current.gateway);
    const { inbox, outbox } = store;
    this.#modems = new Modems({
      ...{ inbox, outbox, bus, clock },
      log: log.child('modem'),
      stateDirectory: options.stateDirectory,
    });
    outbox.countries = () => countriesOf(config.current, this.#modems);
    this.#modules = new ModuleRegistry({
      definitions: moduleDefinitions,
      ...{ bus, inbox, outbox, clock },
      deliveries: store.deliveries,
      notes: store.notes,
      modems: this.#modems,
      system: this.#system,
      access: this.#access,
      log: log.child('module'),
      config: () => config.current,
      faultOf: (keys) => config.faultOf(keys),
    });
    this.#planner = new DeliveryPlanner({
      ...{ bus, outbox, clock, log },
      deliveries: store.deliveries,
      modules: this.#modules,
    });
    this.#namespace = new Namespace(log.child('rpc'), sink.redactor);
    this.#events = new EventFeed(bus, sink.redactor);
    this.#metrics = new Metrics({
      ...{ version, clock, bus, inbox, outbox, store },
      modems: this.#modems,
      modules: this.#modules,
      selfWatch: this.#selfWatch,
    });
    this.#stateLog = new StateLog(bus, clock, log.child('modem'));
    this.#watch = new ConfigWatch({
      directory: options.configDirectory,
      file: PACKAGE,
      clock,
      log: log.child('config'),
      changed: async () => {
        await this.reload();
        return !config.tryAgain;
      },
    });
    this.#socket = new UnixSocketServer({
      path: options.socket,
      mode: socketMode(config.current),
      namespace: this.#namespace,
      events: this.#events,
      clock,
      memory: access.memory,
      log: log.child('socket'),
    });
    this.#roleSockets = new RoleSockets({
      ...{ path: options.socket, namespace: this.#namespace, events: this.#events, clock },
      log: log.child('socket'),
      groupId: (name) => this.#system.groupId(name),
    });
    this.#addObjects(clock);
  }

  /** Reads the config again and takes up what changed; resolves to the names of the sections that did. Never rejects. */
  async reload(): Promise<readonly string[]> {
    if (this.#stopping) return [];
    try {
      const sections = await this.#config.reload((next, difference) => this.#apply(next, difference));
      // A group that was missing may be there by now.
      await this.#roleSockets.configure(this.#config.current.gateway);
      return sections;
    } catch (error) {
      this.#log.error(`reload failed: ${describeError(error)}`);
      return [];
    }
  }

  /** Ends everything in the order opposite to the start; resolves when all has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#selfWatch.stop();
    this.#watch.stop();
    await Promise.all([this.#web?.stop(), this.#ubus?.stop(), this.#socket.stop(), this.#roleSockets.stop()]);
    await this.#planner.stop();
    await this.#modules.stop();
    await this.#modems.stopAll();
    await this.#config.idle();
    this.#events.stop();
    this.#metrics.stop();
    this.#stateLog.stop();
    await this.#store.close();
  }

  async #start(signal: AbortSignal): Promise<void> {
    // The modems take seconds to become ready: they begin first, and nobody waits for them.
    await Promise.all(this.#config.current.modems.map((modem) => this.#modems.start(modem)));
    this.#updateSimulatorObject();
    signal.throwIfAborted();
    // A module may take long to start: meanwhile everybody can see how far it is.
    await this.#socket.start();
    await this.#roleSockets.configure(this.#config.current.gateway);
    this.#access.addDoor('socket', () => this.#socket.usage());
    if (this.#options.ubus !== undefined) await this.#joinUbus(this.#options.ubus);
    if (this.#options.http !== undefined) await this.#serve(this.#options.http);
    await unlessAborted(this.#modules.start(), signal);
    this.#planner.start();
    this.#selfWatch.start();
    this.#watch.start();
    // The config may have changed since it was read.
    await this.reload();
    signal.throwIfAborted();
    if (this.#modems.list().length === 0) this.#log.warning('no modem is configured: messages wait in the outbox');
    this.#log.info(`ready, version ${version}, RPC on ${this.#options.socket}`);
  }

  /** Where there is no uhttpd. Its code is loaded only then. */
  async #serve(address: HttpAddress): Promise<void> {
    const { WebDoors } = await import('./http/doors.ts');
    const { configDirectory, pagesDirectory } = this.#options;
    const system = this.#system;
    this.#web = new WebDoors({
      ...{ address, configDirectory, pagesDirectory },
      config: () => this.#config.current,
      access: this.#access,
      namespace: this.#namespace,
      events: this.#events,
      metrics: this.#metrics,
      cgi: (request, signal) => this.#cgi(request, signal),
      api: {
        submissions: {
          countSince: (source, since) => this.#store.outbox.countSince(source, since),
          today: async () => {
            const now = this.#clock.now();
            const { start, end } = dayOf(await system.timeZone(), now);
            return { start, left: end - now };
          },
        },
        instantOf: async (local) => firstInstant(await system.timeZone(), local),
        postGet: async (login, signal) => {
          const module = this.#modules.running('post_get');
          if (module?.cgiLogin === undefined) throw new GatewayError('module_unavailable', 'Post/Get is not running');
          await module.cgiLogin(login, signal);
        },
      },
      systemPassword: (user) => system.passwordHash(user),
      reload: () => this.reload(),
      clock: this.#clock,
      log: this.#log.child('http'),
    });
    await this.#web.start();
  }

  /** Where there is ubus. Its code is loaded only then, and the start does not wait for ubusd. */
  async #joinUbus(path: string): Promise<void> {
    const { UbusPeer } = await import('./rpc/ubus/peer.ts');
    const log = this.#log.child('ubus');
    this.#ubus = new UbusPeer({ path, namespace: this.#namespace, events: this.#events, clock: this.#clock, log });
    this.#ubus.start();
  }

  async #apply(next: Config, difference: ConfigDifference): Promise<void> {
    if (this.#stopping) return;
    this.#sink.redactor?.set(secretsOf(next));
    if (difference.single.has('gateway')) {
      this.#sink.level = next.gateway.log_level;
      this.#access.configure(next.gateway);
      this.#store.configure(storePolicy(next.gateway));
      await this.#socket.setMode(socketMode(next)).catch((error) => this.#log.error(describeError(error)));
      await this.#web?.configure().catch((error) => this.#log.error(describeError(error)));
    }
    const modems = [...difference.repeated.modems].map((name) =>
      this.#modems.replace(
        name,
        next.modems.find((modem) => modem.section === name),
      ),
    );
    await Promise.all([...modems, this.#modules.reconfigure()]);
    this.#updateSimulatorObject();
    this.#bus.emit('config.changed', { sections: difference.sections });
  }

  async #cgi(request: CgiRequest, signal: AbortSignal): Promise<CgiAnswer> {
    return (await this.#modules.cgi(request, signal)) ?? notRunningAnswer(request, this.#config.current.post_get);
  }

  #addObjects(clock: Clock): void {
    const { inbox, outbox } = this.#store;
    const modems = this.#modems;
    const { memory } = this.#access;
    const groups = {
      find: (name: string) => this.#config.current.groups.find((group) => group.name === name)?.tel,
    };
    const config = {
      reload: () => this.reload(),
      faults: () => this.#config.faults(),
      warnings: async () => [...(await this.#config.warnings()), ...this.#roleSockets.warnings()],
    };
    const segments = (text: string) => {
      const { transliterate, national_tables } = this.#config.current.gateway;
      const segmentation = segment(text, { transliterate, nationalTables: national_tables });
      return { ...segmentation, parts: segmentation.parts.length };
    };
    this.#namespace.add(
      gatewayObject({
        ...{ version, clock, modems, outbox, config },
        modules: this.#modules,
        store: this.#store,
        memory,
        describe: describeSchema,
        doors: () => this.#access.usage(),
        process: () => this.#selfWatch.status(),
        files: this.#files(),
        metrics: this.#metrics,
      }),
    );
    this.#namespace.add(
      messageObject({ inbox, outbox, traffic: this.#store.traffic, groups, modems, clock, segments, memory }),
    );
    this.#namespace.add(modemObject(modems));
    this.#namespace.add(moduleObject(this.#modules));
    this.#namespace.add(cgiObject({ cgi: (request, signal) => this.#cgi(request, signal) }));
  }

  #files(): { readonly config: string; readonly store: string; readonly socket: string } {
    const { configDirectory, stateDirectory: store, socket } = this.#options;
    // Who asks may be in another directory.
    return { config: resolve(configDirectory, PACKAGE), store: resolve(store), socket: resolve(socket) };
  }

  #updateSimulatorObject(): void {
    const { simulators } = this.#modems;
    if (simulators.size > 0) this.#namespace.add(simulatorObject(simulators));
    else this.#namespace.remove('sms_gateway.simulator');
  }
}

const socketMode = ({ gateway }: Config): number => Number.parseInt(gateway.socket_mode, 8);
