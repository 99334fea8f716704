import { setTimeout as wait } from 'node:timers/promises';
import type { JsonObject } from '../../src/base/json.ts';
import { DAILY, NIGHTLY } from './config.ts';
import type { Sample } from './gateway.ts';
import { Ledger, type Sink } from './ledger.ts';
import { Load } from './load.ts';
import { World } from './world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Longest real time for a round to come to rest, ms. */
const SETTLE_LIMIT = 180_000;
/** After so much real time without progress the clock skips ahead, ms. */
const STUCK = 250;
const PROBES = 5;
/** Sinks that may see a copy again when a broker or the modem was lost in the middle. */
const none: ReadonlySet<Sink> = new Set();
const afterBroker: ReadonlySet<Sink> = new Set(['mqtt', 'network']);
/** A part whose answer was lost with the modem is sent once more, which the option `ambiguous` has it do. */
const afterModem: ReadonlySet<Sink> = new Set(['network', 'sms', 'reply', 'rule']);

/**
 * Whose function a version of the config starts again, by its remainder; the next version does it again, as the option is then
 * as before. Mail depends on Email to SMS, too, which 1 changes.
 */
const changed: readonly (Sink | undefined)[] = [undefined, 'mail', 'http', 'mail', 'webhook'];
/** A request that its function's own restart has cut off is made again. */
const afterChange = (version: number): readonly Sink[] =>
  [changed[version % 5], changed[(version + 4) % 5]].filter((sink) => sink !== undefined);

export interface Point extends Sample {
  /** Messages put in so far. */
  readonly messages: number;
  /** What the gateway's clock showed, ms since the epoch. */
  readonly at: number;
  readonly journal: number;
  /** Octets that the journal wrote since the start. */
  readonly stored: number;
  /** From the request to the network, at rest, median of some, ms. */
  readonly latency: number;
}

export interface SoakOptions {
  readonly folder: string;
  readonly messages: number;
  readonly rounds: number;
  readonly random: () => number;
}

/** One run: rounds of load, faults, rest, a look at everything, and a day that passes. */
export class Soak {
  readonly ledger: Ledger;
  readonly load: Load;
  readonly world: World;
  readonly samples: Point[] = [];
  readonly events = { modem: 0, config: 0, broker: 0, ubusd: 0, back: 0, forward: 0 };
  /** Marks that scheduled messages had to leave at, and those in whose time the clock was stepped. */
  readonly due = new Map<string, number>();
  readonly #options: SoakOptions;
  #watched: number;
  #names = 0;

  static async open(options: SoakOptions): Promise<Soak> {
    // Six in the evening: far from the times of the schedules, and it stays so when whole days pass.
    const start = new Date(2026, 0, 1, 18).getTime();
    const ledger = new Ledger();
    const world = await World.open(options.folder, start, ledger);
    const soak = new Soak(options, ledger, world);
    await soak.#until(
      async () => (await world.call('sms_gateway.modem', 'status', { modem: 'gsm0' }))['state'] === 'ready',
    );
    await world.connect();
    return soak;
  }

  private constructor(options: SoakOptions, ledger: Ledger, world: World) {
    this.#options = options;
    this.ledger = ledger;
    this.world = world;
    this.load = new Load(world, ledger, options.random);
    this.#watched = world.clock.now();
  }

  async round(round: number): Promise<void> {
    const { messages, rounds, random } = this.#options;
    const { world, ledger, events } = this;
    if (round % 25 === 12) {
      await world.restartUbusd();
      events.ubusd += 1;
    }
    world.configure(round + 1);
    events.config += 1;
    const broker = round % 25 === 20 && world.hasBroker;
    ledger.tolerated = new Set([...afterModem, ...(broker ? afterBroker : none), ...afterChange(round + 1)]);
    const share = Math.round(((round + 1) * messages) / rounds) - Math.round((round * messages) / rounds);
    let restarted: Promise<void> = Promise.resolve();
    await this.load.run(share, () => {
      world.modem.faults.add({ type: 'port_gone', ms: 50 + Math.floor(random() * 500), reset: random() < 0.3 });
      events.modem += 1;
      if (!broker) return;
      restarted = world.restartBroker();
      events.broker += 1;
    });
    await restarted;
    await this.#settle();
    ledger.tolerated = none;
    const latency = await this.#probe();
    await this.#stepClock(round);
    await this.#pass(DAY);
    await this.#settle();
    this.#checkSchedules();
    this.samples.push(await this.#point(latency));
  }

  progress(): string {
    const { at, messages, heap, resident, descriptors, timers, journal, latency } = this.samples.at(-1) ?? {};
    const mb = (octets = 0) => (octets / 1e6).toFixed(1);
    const open = `${this.ledger.faults.length} faults`;
    return `${new Date(at ?? 0).toISOString().slice(0, 10)} ${messages} messages, heap ${mb(heap)} MB, resident ${mb(resident)} MB, ${descriptors} descriptors, ${timers} timers, journal ${mb(journal)} MB, ${latency?.toFixed(1)} ms, ${open}`;
  }

  async close(): Promise<void> {
    await this.world.close();
  }

  /** Until every message has come to all its places and the inbox is empty. */
  async #settle(): Promise<void> {
    const end = performance.now() + SETTLE_LIMIT;
    let [progress, since] = [-1, performance.now()];
    for (;;) {
      this.world.collect();
      await this.#emptyInbox();
      const { queue, modules } = await this.world.call('sms_gateway', 'status');
      const { queued = 0, sending = 0 } = queue as { queued?: number; sending?: number };
      const pending = (modules as unknown as { pending: number }[]).reduce((sum, module) => sum + module.pending, 0);
      if (this.ledger.open === 0 && queued + sending + pending === 0) return;
      if (performance.now() > end) {
        if (this.ledger.open === 0)
          this.ledger.faults.push(`no rest: ${queued} queued, ${sending} sending, ${pending} pending`);
        return this.ledger.giveUp();
      }
      const now = this.ledger.open * 1000 + queued + sending + pending;
      if (now !== progress) [progress, since] = [now, performance.now()];
      // What is waited for now is a time: that at which a modem opens again, or, at rest, of the next look into the mailbox.
      else if (performance.now() - since > STUCK) await this.#pass(queued + sending + pending > 0 ? 30_000 : HOUR);
      await wait(20);
    }
  }

  async #emptyInbox(): Promise<void> {
    const { messages } = await this.world.call('sms_gateway.message', 'list', { box: 'inbox', limit: 1000 });
    for (const { id, text } of messages as unknown as { id: number; text: string }[]) {
      const name = /\b[a-z]\d{7}\b/.exec(text)?.[0];
      // Also when it is still owed to somebody: deleting it does not end that.
      if (name !== undefined) this.ledger.arrived(name, 'inbox');
      else this.ledger.faults.push(`the inbox shows what nobody sent: ${text.slice(0, 80)}`);
      await this.world.call('sms_gateway.message', 'delete', { id });
    }
  }

  /** The median of some messages into an idle gateway, ms. */
  async #probe(): Promise<number> {
    const times: number[] = [];
    for (let probe = 0; probe < PROBES; probe++) {
      const name = `p${String(++this.#names).padStart(7, '0')}`;
      this.ledger.expect(name, 'network');
      const from = performance.now();
      await this.world.call('sms_gateway.message', 'send', { number: `+3705${name.slice(1)}`, text: name, wait: 30 });
      times.push(performance.now() - from);
    }
    return times.sort((a, b) => a - b)[Math.floor(PROBES / 2)] ?? Number.NaN;
  }

  /** Time passes: in small strides where a schedule is near, which counts a minute's delay as missed. */
  async #pass(ms: number): Promise<void> {
    const { world } = this;
    // What is under way has its answer first.
    await wait(300);
    for (let left = ms; left > 0; left -= HOUR) {
      const near = [2, 3, 4, 11, 12].includes(new Date(world.clock.now()).getHours());
      await world.skip(Math.min(left, HOUR), near ? 15_000 : 120_000);
    }
    this.#countMarks();
  }

  /** Steps by whole days, so that the hour stays; and back by one hour, which no schedule is near. */
  async #stepClock(round: number): Promise<void> {
    const { rounds } = this.#options;
    const { world, events } = this;
    const at = (share: number) => round === Math.floor(rounds * share);
    if (round % 20 === 5) {
      await this.#step(-HOUR);
      events.back += 1;
    } else if (round % 20 === 6) {
      await this.#step(HOUR);
      events.forward += 1;
    }
    const to = at(0.25) ? [2027, 1] : at(0.5) ? [2033, 9] : at(0.75) ? [2038, 0] : undefined;
    if (to === undefined) return;
    const [year = 0, month = 0] = to;
    const day = month === 0 ? 18 : 20;
    const target = new Date(year, month, day, 18).getTime();
    if (target <= world.clock.now()) return;
    await this.#step(target - world.clock.now());
    events.forward += 1;
  }

  async #step(ms: number): Promise<void> {
    this.#countMarks();
    await this.world.step(ms);
    // What lies in a step never was.
    this.#watched = this.world.clock.now();
    await this.#pass(60_000);
  }

  #countMarks(): void {
    const now = this.world.clock.now();
    for (const [text, hour, minute] of [
      [DAILY, 12, 0],
      [NIGHTLY, 3, 30],
    ] as const) {
      const from = new Date(this.#watched);
      for (let day = 0; day < 40; day++) {
        const mark = new Date(from.getFullYear(), from.getMonth(), from.getDate() + day, hour, minute).getTime();
        if (mark > now) break;
        if (mark > this.#watched) this.due.set(text, (this.due.get(text) ?? 0) + 1);
      }
    }
    this.#watched = now;
  }

  #checkSchedules(): void {
    for (const [text, due] of this.due) {
      const sent = this.world.scheduled.get(text) ?? 0;
      if (sent === due) continue;
      this.ledger.faults.push(
        `"${text}" was due ${due} times and sent ${sent} times by ${new Date(this.world.clock.now()).toISOString()}`,
      );
      this.world.scheduled.set(text, due);
    }
  }

  async #point(latency: number): Promise<Point> {
    const { store } = await this.world.call('sms_gateway', 'status');
    const sample = await this.world.sample();
    return {
      ...sample,
      messages: this.ledger.entered,
      at: this.world.clock.now(),
      journal: this.world.journalSize,
      stored: Number((store as { journal?: JsonObject }).journal?.['written']),
      latency,
    };
  }

  async #until(done: () => Promise<boolean>): Promise<void> {
    for (const end = performance.now() + 60_000; !(await done()); await wait(50)) {
      if (performance.now() > end) throw new Error('the gateway did not become ready');
    }
  }
}
