import t from 'tap';
import { Access } from '../../src/access/access.ts';
import { Bus } from '../../src/base/bus.ts';
import { createLogger, type Logger } from '../../src/base/log.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { ModemSession } from '../../src/modem/session.ts';
import { type Delivery, defineModule, type ModuleDefinition, noReceipts } from '../../src/modules/host/contract.ts';
import { DeliveryPlanner } from '../../src/modules/host/planner.ts';
import { ModuleRegistry } from '../../src/modules/host/registry.ts';
import { moduleDefinitions } from '../../src/modules/modules.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import { SimulatedModem } from '../../src/simulator/index.ts';
import type { InboxMessage, OutboxMessage } from '../../src/store/message.ts';
import { Store, storePolicy } from '../../src/store/store.ts';
import { System } from '../../src/system/system.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { numberOf } from '../support/outbox-rig.ts';
import { partKey } from '../support/part-key.ts';
import { seeded } from '../support/seeded.ts';

/*
 * The whole way of messages, from the modem to the functions and from the clients to the modem, on a disk that crashes
 * at each of its file calls in turn.
 */

const BOSS = '+37069999999';

const uci = `
config modem 'gsm0'
	option device 'sim'
	option send_interval '0'

config sms_gateway 'forwarding_to_sms'
	option enabled '1'
	option sender_num '0'
	list number '${BOSS}'
`;

const full = `${uci}
config gateway 'gateway'
	option capacity '10'
`;

const sends = [
  { number: numberOf(1), text: 'out1', report: true },
  { number: numberOf(2), text: 'out2 '.repeat(60), report: false },
  { number: numberOf(3), text: 'out3', report: true },
];
const arrivals = ['in1', 'in2 '.repeat(80)];

/** What lives on: the modem with its network, the clients, and whom the functions deliver to. */
class World {
  readonly clock = new ManualClock();
  readonly modem = new SimulatedModem({ clock: this.clock, latency: { answer: 3, submit: 20, report: 50 } });
  /** By reference, the id under which a send was accepted. */
  readonly accepted = new Map<string, number>();
  /** By text, the ids under which it was delivered. */
  readonly delivered = new Map<string, number[]>();
  deleted: 'no' | 'asked' | 'done' = 'no';

  /** A function that takes every message. */
  get hook(): ModuleDefinition {
    const { delivered } = this;
    return defineModule({
      name: 'hook',
      sections: ['auto_reply'],
      config: () => undefined,
      enabled: () => true,
      load: async () =>
        class {
          async start(): Promise<void> {}
          async stop(): Promise<void> {}
          deliveriesFor = () => [{ target: 'all' }];
          async deliver(delivery: Delivery) {
            if (delivery.kind !== 'message') return noReceipts;
            const { id, text } = delivery.message;
            delivered.set(text, [...(delivered.get(text) ?? []), id]);
            return { type: 'done' } as const;
          }
        },
    });
  }

  arrive(): void {
    for (const text of arrivals) this.modem.receive({ from: numberOf(9), text });
  }

  /** Lets time pass until it holds, which is looked at every `step` ms. */
  async until(check: () => boolean | Promise<boolean>, what: string, step = 50): Promise<void> {
    for (const end = this.clock.monotonic() + 600_000; !(await check()); await this.clock.advance(step)) {
      if (this.clock.monotonic() >= end) throw new Error(`ten minutes passed in vain until ${what}`);
    }
  }

  /** Lets time pass until the promise has settled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.until(() => settled, 'it settles');
    return promise;
  }
}

/** The parts of a gateway that messages pass, put together as the daemon does. */
class Gateway {
  readonly #world: World;
  readonly #fs: MemoryFileSystem;
  readonly #store: Store;
  readonly #modem: ModemSession;
  readonly #modules: ModuleRegistry;
  readonly #planner: DeliveryPlanner;

  static async open(world: World, fs: MemoryFileSystem, config: Config, log: Logger): Promise<Gateway> {
    const bus = new Bus<GatewayEvents>(log);
    const { clock } = world;
    const policy = storePolicy(config.gateway);
    const store = await Store.open({ directory: '/state', clock, log, policy, bus, fileSystem: fs });
    return new Gateway(world, fs, store, bus, config, log);
  }

  private constructor(
    world: World,
    fs: MemoryFileSystem,
    store: Store,
    bus: Bus<GatewayEvents>,
    config: Config,
    log: Logger,
  ) {
    const { inbox, outbox, deliveries, notes } = store;
    const { clock } = world;
    this.#world = world;
    this.#fs = fs;
    this.#store = store;
    const [modem] = config.modems;
    if (modem === undefined) throw new Error('no modem in the config');
    this.#modem = new ModemSession({
      ...{ name: modem.section, config: modem, clock, log },
      inbound: {
        deliver: async (pdu) => void (await inbox.accept({ modem: modem.section, pdu, received: clock.now() })),
        report: (report) => outbox.report(report),
        changed: () => outbox.senderChanged(modem.section),
      },
      bindings: { simulator: () => world.modem.connect() },
    });
    const definitions = [...moduleDefinitions.filter(({ name }) => name === 'forwarding_to_sms'), world.hook];
    this.#modules = new ModuleRegistry({
      ...{ definitions, bus, inbox, outbox, deliveries, notes, clock, log },
      modems: { list: () => [], find: () => undefined },
      system: new System(),
      access: new Access(),
      config: () => config,
      faultOf: () => undefined,
    });
    this.#planner = new DeliveryPlanner({ bus, deliveries, outbox, modules: this.#modules, clock, log });
  }

  /** Takes up the work, before any client comes. */
  async start(): Promise<void> {
    this.#store.outbox.attach(this.#modem, { interval: 0, daily: 0, reports: true });
    this.#modem.start();
    await this.#modules.start();
    this.#planner.start();
  }

  /** Lets as many messages come as the inbox has room for. */
  async fill(): Promise<void> {
    for (let n = 0; n < 10; n++) {
      this.#world.modem.receive({ from: BOSS, text: `junk ${n}` });
      // One after the other: the memory of the modem has few places.
      await this.#world.until(async () => (await this.inbox()).length > n, 'the junk is there');
    }
    await this.#world.until(() => this.#store.deliveries.pending('hook') === 0, 'the junk is handed over');
  }

  /** Sends something, so that the modem is seen counting. */
  async warmUp(): Promise<void> {
    const { outbox } = this.#store;
    for (let n = 11; n <= 13; n++) {
      const content = { type: 'text', text: 'warm up' } as const;
      const submit = outbox.submit({ number: numberOf(n), content, report: false, source: 'test' });
      const { id } = await this.#world.during(submit);
      await this.#world.during(outbox.settled(id, AbortSignal.timeout(60_000)));
    }
  }

  /** Every client sends, whether it was told before that it was accepted or not. */
  async submitAll(): Promise<void> {
    const { accepted } = this.#world;
    const submits = sends.map(async ({ number, text, report }) => {
      const content = { type: 'text', text } as const;
      const { id } = await this.#store.outbox.submit({ number, content, report, source: 'test', clientRef: number });
      const before = accepted.get(number);
      if (before !== undefined && before !== id) throw new Error(`the send to ${number} was ${before} and is ${id}`);
      accepted.set(number, id);
    });
    const results = await this.#world.during(Promise.allSettled(submits));
    for (const result of results) {
      if (result.status === 'rejected' && !this.#fs.crashed) throw result.reason;
    }
  }

  /** Reads and deletes the short message once it is there. */
  async tidy(): Promise<void> {
    const world = this.#world;
    const { inbox } = this.#store;
    const find = async () => (await this.inbox()).find(({ text }) => text === arrivals[0]);
    await world.until(async () => this.#fs.crashed || (await find()) !== undefined, 'the short message is there');
    const message = this.#fs.crashed ? undefined : await find();
    if (message === undefined) return;
    world.deleted = 'asked';
    await world.during(inbox.markRead(message.id)).catch(() => undefined);
    const done = await world.during(inbox.delete(message.id)).catch(() => false);
    if (done) world.deleted = 'done';
  }

  /** Everything is sent, fetched from the modem and delivered. */
  async atRest(): Promise<boolean> {
    const { inbox, outbox, deliveries } = this.#store;
    const { queued, sending } = outbox.counts();
    const pending = deliveries.pending('hook') + deliveries.pending('forwarding_to_sms');
    if (queued + sending + pending + this.#world.modem.counters.waiting > 0) return false;
    if (arrivals.some((text) => !this.#world.delivered.has(text))) return false;
    return inbox.table.undispatched().length === 0;
  }

  async inbox(): Promise<readonly InboxMessage[]> {
    return (await this.#store.inbox.list({ limit: 100 })).messages;
  }

  async outbox(): Promise<readonly OutboxMessage[]> {
    return (await this.#store.outbox.list({ limit: 100 })).messages;
  }

  async stop(): Promise<void> {
    const stopped = this.#planner
      .stop()
      .then(() => this.#modules.stop())
      .then(() => this.#store.outbox.detach(this.#modem.name))
      .then(() => this.#modem.stop())
      .then(() => this.#store.close());
    await this.#world.during(stopped);
  }
}

for (const [how, before] of [
  ['power cut', 'nothing'],
  ['killed', 'counting'],
  ['power cut', 'filled'],
] as const) {
  const counting = before === 'counting';
  const filled = before === 'filled';
  const what = { nothing: '', counting: ', with a modem that was seen counting TP-MR', filled: ', with a full inbox' };
  t.test(`${how} at any file call that changes something${what[before]}`, async (t) => {
    const base = testFolder(t, { sms_gateway: filled ? full : uci });
    const { config } = await loadConfig(base);
    const log = createLogger({ level: 'error', write: () => undefined });
    let crashes = 0;
    let doubled = 0;
    // Every second call, where it takes long to come to the first.
    for (let at = 0; ; at += filled ? 2 : 1) {
      const world = new World();
      const fs = new MemoryFileSystem(seeded(at));
      let changes = before === 'nothing' ? 0 : Number.NEGATIVE_INFINITY;
      fs.fault = (call) => {
        if (call === 'read' || changes++ !== at) return undefined;
        // Nothing that the dying process still does reaches the modem.
        world.modem.detach();
        return 'crash';
      };
      const first = await Gateway.open(world, fs, config, log).catch(() => undefined);
      if (first !== undefined) {
        await first.start();
        if (counting) await first.warmUp();
        if (filled) await first.fill();
        changes = Math.max(changes, 0);
      }
      world.arrive();
      if (first !== undefined) {
        await first.submitAll();
        if (!filled) await first.tidy();
        await world.until(async () => fs.crashed || (await first.atRest()), 'it rests or crashes');
        await first.stop();
      }
      if (!fs.crashed) break;
      crashes += 1;

      const told = new Map(world.accepted);
      const next = await Gateway.open(world, how === 'killed' ? fs.afterKill() : fs.afterPowerCut(), config, log);
      const found = await next.outbox();
      const doubtful = found.flatMap(({ partStates }) => partStates.filter(({ state }) => state === 'ambiguous'));
      const faults: string[] = [];
      for (const [number, id] of told) if (!found.some((m) => m.id === id)) faults.push(`lost: the send to ${number}`);
      if (doubtful.length > 1) faults.push(`${doubtful.length} parts in doubt, and there is one modem`);
      await next.start();
      await next.submitAll();
      await world.until(() => next.atRest(), 'it rests again', 1_000);

      for (const { state, number } of await next.outbox()) {
        if (state !== 'sent' && state !== 'delivered') faults.push(`the send to ${number} is ${state}`);
      }
      const all = world.modem.sentParts().map(partKey);
      const taken = all.filter((key) => !key.includes('warm up'));
      const wanted = [
        ...[`${numberOf(1)} out1/1`, `${numberOf(2)} out2/1`, `${numberOf(2)} out2/2`, `${numberOf(3)} out3/1`],
        ...[`${BOSS} in1/1`, `${BOSS} in2/1`, `${BOSS} in2/2`, `${BOSS} in2/3`],
      ];
      for (const key of wanted) if (!taken.includes(key)) faults.push(`never sent: ${key}`);
      if (new Set(taken).size !== wanted.length) faults.push(`sent: ${taken.join()}`);
      const twice = taken.length - new Set(taken).size;
      doubled += twice;
      const evident = taken.filter((key, i) => taken.indexOf(key) < i - 1);
      if (counting && evident.length > 0) faults.push(`sent twice with the next TP-MR at hand: ${evident.join()}`);
      if (twice > doubtful.length) faults.push(`${twice} parts sent twice, ${doubtful.length} were in doubt`);
      const shown = (await next.inbox()).map(({ text }) => text);
      const counts = arrivals.map((text) => shown.filter((other) => other === text).length);
      // What the functions have taken is not kept in a full inbox.
      const allowed = filled
        ? ['0,0']
        : world.deleted === 'no'
          ? ['1,1']
          : world.deleted === 'done'
            ? ['0,1']
            : ['0,1', '1,1'];
      if (!allowed.includes(counts.join())) faults.push(`deleted: ${world.deleted}; shown: ${shown.join()}`);
      for (const [text, ids] of world.delivered) {
        if (new Set(ids).size > 1 || ids.length > 2) faults.push(`${text} was delivered as ${ids.join()}`);
      }
      if (faults.length > 0) t.fail(`at change ${at}, ${fs.log.at(-1)}`, { faults });
      await next.stop();
      world.modem.stop();
    }
    t.ok(crashes > (filled ? 30 : 40), `${crashes} crashes, ${doubled} parts doubled`);
  });
}
