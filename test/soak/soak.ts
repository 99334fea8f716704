import { setTimeout as wait } from 'node:timers/promises';
import type { JsonObject } from '../../src/base/json.ts';
import { MAILBOX_HOURS, MARKS } from './config.ts';
import type { Sample } from './gateway.ts';
import { Ledger, type Sink } from './ledger.ts';
import { Load } from './load.ts';
import { MODEMS, World } from './world.ts';

const HOUR = 3_600_000;
/** A round begins in the evening: far from the times of the schedules. */
const EVENING = 18;
/** Longest real time without any arrival, ms: then what is missing is lost. */
const LOST_AFTER = 180_000;
/** After so much real time without one the clock skips ahead: by more each time, ms. */
const STUCK = 100;
const SKIPS = [2_000, 5_000, 15_000, 30_000, 60_000, HOUR] as const;
const PROBES = 5;
/** Share of the rounds at which the clock jumps by years, and to when: before a turn of the year, both changes of summer time, 2038. */
const JUMPS: readonly (readonly [number, (rounds: number) => number])[] = [
  [0.2, () => new Date(2026, 11, 26, EVENING).getTime()],
  [0.4, () => new Date(2027, 2, 23, EVENING).getTime()],
  [0.6, () => new Date(2033, 9, 25, EVENING).getTime()],
  // The end of 32 bits of seconds is on the 19th.
  [0.8, (rounds) => new Date(2038, 0, 18 - Math.min(15, Math.floor(rounds / 10)), EVENING).getTime()],
];
/** Rounds after which memory and the rest are looked at, in a run. */
const POINTS = 250;
/** Places that may see a copy again when the broker was restarted in the middle. */
const afterBroker: readonly Sink[] = ['mqtt', 'network'];
/** A part whose answer was lost with the modem is sent once more, which the option `ambiguous` has it do. */
const afterModem: readonly Sink[] = ['network', 'sms', 'reply', 'rule'];

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
  readonly rounds: number;
  /** How often in a round a modem is lost, and the config changes. */
  readonly events: number;
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
  /** Wakes who empties the inbox. */
  #came = () => {};
  #emptying: Promise<void> = Promise.resolve();
  #closed = false;

  static async open(options: SoakOptions): Promise<Soak> {
    const start = new Date(2026, 0, 1, EVENING).getTime();
    const ledger = new Ledger();
    const world = await World.open(options.folder, start, ledger);
    const soak = new Soak(options, ledger, world);
    for (let modem = 0; modem < MODEMS; modem++) {
      const status = () => world.call('sms_gateway.modem', 'status', { modem: `gsm${modem}` });
      await soak.#until(async () => (await status())['state'] === 'ready');
    }
    await world.connect();
    await world.listen('sms.received', () => soak.#came());
    soak.#emptying = soak.#emptyInbox();
    return soak;
  }

  private constructor(options: SoakOptions, ledger: Ledger, world: World) {
    this.#options = options;
    this.ledger = ledger;
    this.world = world;
    this.load = new Load(world, ledger, options.random, () => ++this.#names);
    this.#watched = world.clock.now();
  }

  /** `share`: messages that are put in. */
  async round(round: number, share: number): Promise<void> {
    const { rounds } = this.#options;
    const { world, ledger, events } = this;
    if (round % 5 === 2) {
      await world.restartUbusd();
      events.ubusd += 1;
    }
    const broker = round % 5 === 4 && world.hasBroker;
    const mails = this.load.mail(share);
    this.#changeConfig(broker);
    world.pop3.onSession = () => world.interrupt();
    await this.#pass((MAILBOX_HOURS + 1) * HOUR);
    world.pop3.onSession = () => {};
    await this.#settle(Promise.all([this.load.run(share - mails), this.#disturb(round, share, broker)]));
    ledger.allowFromNow([]);
    const watched = (round + 1) % Math.ceil(rounds / POINTS) === 0;
    const latency = watched ? await this.#probe() : Number.NaN;
    await this.#stepClock(round);
    await this.#pass(this.#untilEvening());
    await this.#settle();
    world.forget();
    this.#checkSchedules();
    if (watched) this.samples.push(await this.#point(latency));
  }

  progress(): string {
    const { at, messages, heap, resident, descriptors, timers, journal, latency } = this.samples.at(-1) ?? {};
    const mb = (octets = 0) => (octets / 1e6).toFixed(1);
    const open = `${this.ledger.faults.length} faults`;
    return `${new Date(at ?? 0).toISOString().slice(0, 10)} ${messages} messages, heap ${mb(heap)} MB, resident ${mb(resident)} MB, ${descriptors} descriptors, ${timers} timers, journal ${mb(journal)} MB, ${latency?.toFixed(1)} ms, ${open}`;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#came();
    await this.world.close();
    await this.#emptying;
  }

  /** Losses and changes at even distances in what is done. */
  async #disturb(round: number, share: number, broker: boolean): Promise<void> {
    const { events } = this.#options;
    const before = this.ledger.settled;
    let restarted: Promise<void> = Promise.resolve();
    for (let event = 0; event < events; event++) {
      await this.ledger.upTo(before + Math.floor((share * (event + 0.5)) / events));
      this.#loseModem(round % 5 === 3 && event === 0);
      if (event > 0) this.#changeConfig(broker);
      else if (broker) {
        restarted = this.world.restartBroker();
        this.events.broker += 1;
      }
    }
    await restarted;
  }

  #changeConfig(broker: boolean): void {
    const version = ++this.events.config;
    this.world.configure(version);
    this.ledger.allowFromNow([...afterChange(version), ...(broker ? afterBroker : [])]);
  }

  /** One after the other, or all of them. */
  #loseModem(all: boolean): void {
    const { random } = this.#options;
    const turn = this.events.modem++ % MODEMS;
    for (const [at, modem] of this.world.modems.entries()) {
      if (all || at === turn)
        modem.faults.add({ type: 'port_gone', ms: 50 + Math.floor(random() * 500), reset: random() < 0.3 });
    }
    this.ledger.allow(afterModem);
  }

  /** Until `loaded` has resolved, every message has come to all its places, and the gateway has nothing left to do. */
  async #settle(loaded: Promise<unknown> = Promise.resolve()): Promise<void> {
    const { ledger } = this;
    const settled = loaded.then(() => ledger.downTo(0));
    await this.#waitFor(() => Promise.race([settled.then(() => true), wait(STUCK, false)]));
    await this.#waitFor(async () => (await this.#isAtRest()) || wait(STUCK / 10, false));
  }

  /** What is waited for without any arrival is a time: that at which a modem opens again, or a failed request is made again. */
  async #waitFor(done: () => Promise<boolean>): Promise<void> {
    const { ledger } = this;
    let [progress, since, skips] = [ledger.progress, performance.now(), 0];
    while (!(await done())) {
      const now = performance.now();
      if (progress !== ledger.progress) [progress, since, skips] = [ledger.progress, now, 0];
      else if (now - since > LOST_AFTER) return this.#giveUp();
      else if (now - since > STUCK) {
        ledger.onArrival = () => this.world.interrupt();
        await this.#pass(SKIPS[skips++] ?? HOUR);
        ledger.onArrival = () => {};
      }
    }
  }

  #giveUp(): void {
    if (this.ledger.open === 0) this.ledger.faults.push('the gateway does not come to rest');
    this.ledger.giveUp();
  }

  async #isAtRest(): Promise<boolean> {
    const { queue, modules } = await this.world.call('sms_gateway', 'status');
    const { queued = 0, sending = 0 } = queue as { queued?: number; sending?: number };
    const pending = (modules as unknown as { pending: number }[]).reduce((sum, module) => sum + module.pending, 0);
    return queued + sending + pending === 0;
  }

  /** Sees each message in the inbox and deletes it, as they come. */
  async #emptyInbox(): Promise<void> {
    while (!this.#closed) {
      const came = new Promise<void>((resolve) => {
        this.#came = resolve;
      });
      if ((await this.#emptied()) === 0) await came;
    }
  }

  async #emptied(): Promise<number> {
    const { messages } = await this.world.call('sms_gateway.message', 'list', { box: 'inbox', limit: 1000 });
    const there = messages as unknown as { id: number; text: string }[];
    const deleted = there.map(async ({ id, text }) => {
      const name = /\b[a-z]\d{7}\b/.exec(text)?.[0];
      // Deleted when it is still owed to somebody, too: that does not end it.
      await this.world.call('sms_gateway.message', 'delete', { id });
      if (name !== undefined) this.ledger.arrived(name, 'inbox');
      else this.ledger.faults.push(`the inbox shows what nobody sent: ${text.slice(0, 80)}`);
    });
    await Promise.all(deleted);
    return there.length;
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

  async #pass(ms: number): Promise<void> {
    await this.world.skip(ms);
    this.#countMarks();
  }

  /** A day, less what has passed since the evening before. */
  #untilEvening(): number {
    const now = this.world.clock.now();
    const evening = new Date(now + HOUR);
    if (evening.getHours() >= EVENING) evening.setDate(evening.getDate() + 1);
    evening.setHours(EVENING, 0, 0, 0);
    return evening.getTime() - now;
  }

  /** To an evening, so that no schedule is skipped; and back by one hour, which no schedule is near. */
  async #stepClock(round: number): Promise<void> {
    const { rounds } = this.#options;
    const { world, events } = this;
    const at = (share: number) => round === Math.floor(rounds * share);
    if (round % 10 === 5) {
      await this.#step(-HOUR);
      events.back += 1;
    } else if (round % 10 === 6) {
      await this.#step(HOUR);
      events.forward += 1;
    }
    const target = JUMPS.map(([share, date]) => (at(share) ? date(rounds) : 0)).find((time) => time > 0) ?? 0;
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
    for (const [text, hour, minute] of MARKS) {
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
