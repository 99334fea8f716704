/**
 * A fleet on one machine: npm run fleet-sim [-- --gateways N --seconds S]. Each gateway is a whole daemon with the flags
 * of the package; their modems live in this process, and take the time of real ones. Kannel shares messages out. Then
 * gateways, the router and everything fail, and the tables say what that costs.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Ledger, Member } from '../test/support/fleet.ts';
import { freePorts } from '../test/support/free-port.ts';
import { Kannel, KannelConfig } from '../test/support/kannel.ts';
import { missingPrograms } from '../test/support/programs.ts';
import { costOf, memoryOf, percentile, shown, table } from './figures.ts';

const { values } = parseArgs({
  options: { gateways: { type: 'string', default: '50' }, seconds: { type: 'string', default: '60' } },
});
const GATEWAYS = Number(values.gateways);
/** How long messages are submitted in each trial. */
const SECONDS = Number(values.seconds);
/** What a part takes on LTE, and its report after it, ms. */
const LATENCY = { submit: 2_000, report: 3_000 };
/** Share of what the modems can send that is submitted. */
const LOAD = 0.7;
/** Gateways that fail in a trial. */
const FAILING = Math.max(1, Math.round(GATEWAYS / 10));
/** Messages for each gateway that wait in Kannel when some fail. */
const BURST = 8;
/** How long they are away, ms. */
const AWAY = 15_000;
/** Daemons that start at the same time. */
const AT_ONCE = 4;

const flags = readFileSync('files/usr/sbin/sms_gateway', 'utf8').match(/--[a-z0-9-]+=\d+/g) ?? [];

/** The example's settings for so many gateways alike. */
function kannelConfig(ports: readonly number[], web: number): KannelConfig {
  const config = KannelConfig.read('examples/kannel/kannel.conf');
  const [example] = config.gateways;
  if (example === undefined) throw new Error('the example has no gateway');
  config.setGateways(
    ports.map((port, n) => {
      const gateway = new Map(example).set('smsc-id', `gateway-${n}`).set('host', '127.0.0.1').set('port', `${port}`);
      gateway.delete('preferred-prefix');
      return gateway;
    }),
  );
  const service = config.group('sms-service');
  service.set('get-url', (service.get('get-url') ?? '').replace('127.0.0.1:8080', `127.0.0.1:${web}`));
  return config;
}

class Fleet {
  readonly #folder = mkdtempSync(`${tmpdir()}/fleet-sim-`);
  readonly ledger: Ledger;
  readonly members: Member[] = [];
  #kannel: Kannel | undefined;

  static async open(): Promise<Fleet> {
    return new Fleet(await Ledger.open());
  }

  private constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  get kannel(): Kannel {
    if (this.#kannel === undefined) throw new Error('not started');
    return this.#kannel;
  }

  get pids(): readonly number[] {
    return this.members.flatMap(({ daemon }) => daemon.pid ?? []);
  }

  async start(): Promise<void> {
    const [admin = 0, boxes = 0, sendsms = 0, ...ports] = await freePorts(GATEWAYS + 3);
    const config = kannelConfig(ports, this.ledger.port);
    const password = config.gateways[0]?.get('smsc-password') ?? '';
    for (const [n, port] of ports.entries()) {
      const folder = `${this.#folder}/${n}`;
      // What is more waits in Kannel.
      const gateway = "\toption queue_limit '20'\n";
      const options = { name: `gateway-${n}`, folder, port, password, latency: LATENCY, gateway, nodeFlags: flags };
      this.members.push(await Member.open(options, this.ledger));
    }
    await this.startMembers(this.members);
    mkdirSync(`${this.#folder}/kannel`);
    this.#kannel = new Kannel(`${this.#folder}/kannel`, config, [admin, boxes, sendsms]);
    await this.kannel.start();
    await this.kannel.online();
  }

  /** Some at a time: a machine has more processors than this one for so many routers. */
  async startMembers(members: readonly Member[]): Promise<void> {
    const waiting = [...members];
    const work = async () => {
      for (let member = waiting.shift(); member !== undefined; member = waiting.shift()) await member.start();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Submits for so long, at an even pace; what Kannel does not take is tried again, as applications do. */
  async submit(seconds: number): Promise<void> {
    const count = Math.round((GATEWAYS * LOAD * seconds * 1000) / LATENCY.submit);
    const begun = performance.now();
    const open = new Set<Promise<void>>();
    for (let n = 0; n < count; n++) {
      const sending = this.#send().finally(() => open.delete(sending));
      open.add(sending);
      await wait(Math.max(0, begun + ((n + 1) * seconds * 1000) / count - performance.now()));
    }
    await Promise.all(open);
  }

  /** So many for each gateway at once: they wait in Kannel, each for its gateway. */
  async burst(each: number): Promise<void> {
    await Promise.all(Array.from({ length: each * GATEWAYS }, () => this.#send()));
  }

  async #send(): Promise<void> {
    const name = `m${this.ledger.fates.size}`;
    this.ledger.asked(name);
    for (let tries = 0; ; tries++) {
      try {
        const number = `+3706${name.slice(1).padStart(7, '0')}`;
        return await this.kannel.send(number, name, this.ledger.reportUrl(name));
      } catch (error) {
        if (tries > 120) throw error;
        await wait(1_000);
      }
    }
  }

  /** Resolves to ms until Kannel knows that these are away, and has given their messages to others. */
  async givenUp(members: readonly Member[]): Promise<number> {
    const begun = performance.now();
    const names = new Set(members.map(({ name }) => name));
    for (;;) {
      const links = (await this.kannel.links()).filter(({ id }) => names.has(id));
      if (links.length === names.size && links.every(({ online, queued }) => !online && queued === 0)) break;
      if (performance.now() - begun > 180_000) throw new Error('Kannel does not notice');
      await wait(100);
    }
    return performance.now() - begun;
  }

  async close(): Promise<void> {
    await this.#kannel?.stop();
    for (const member of this.members) await member.stop();
    this.ledger.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Trial {
  readonly name: string;
  /** Runs while messages are submitted; what it measures, in words. */
  run(fleet: Fleet): Promise<string>;
}

const seconds = (ms: number) => `${shown(ms / 1000)} s`;
const since = (time: number) => performance.now() - time;
const failing = ({ members }: Fleet) => members.slice(0, FAILING);

const CALM = 'nothing fails';

const trials: readonly Trial[] = [
  { name: CALM, run: async () => '' },
  {
    name: `a burst, ${FAILING} gateways are killed in it, and start ${AWAY / 1000} s later`,
    async run(fleet) {
      await wait(10_000);
      await fleet.burst(BURST);
      await Promise.all(failing(fleet).map(({ daemon }) => daemon.stop('SIGKILL')));
      const [given] = await Promise.all([fleet.givenUp(failing(fleet)), wait(AWAY)]);
      const begun = performance.now();
      await fleet.startMembers(failing(fleet));
      await fleet.kannel.online();
      return `their messages go to others after ${seconds(given)}; bound ${seconds(since(begun))} after their start`;
    },
  },
  {
    name: `a burst, ${FAILING} gateways fall silent in it for 60 s, as without power`,
    async run(fleet) {
      await wait(10_000);
      await fleet.burst(BURST);
      const pids = failing(fleet).flatMap(({ daemon }) => daemon.pid ?? []);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      const [given] = await Promise.all([fleet.givenUp(failing(fleet)), wait(60_000)]);
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      const begun = performance.now();
      await fleet.kannel.online();
      return `their messages go to others after ${seconds(given)}; bound ${seconds(since(begun))} after their return`;
    },
  },
  {
    name: 'Kannel is killed and started again',
    async run(fleet) {
      await wait(10_000);
      await fleet.kannel.killRouter();
      const begun = performance.now();
      await fleet.kannel.start();
      const answers = since(begun);
      await fleet.kannel.online();
      return `it takes messages after ${seconds(answers)}; all are bound after ${seconds(since(begun))}`;
    },
  },
  {
    name: 'all gateways are killed, and start again at once',
    async run(fleet) {
      await wait(10_000);
      await Promise.all(fleet.members.map(({ daemon }) => daemon.stop('SIGKILL')));
      const begun = performance.now();
      await fleet.startMembers(fleet.members);
      const ready = since(begun);
      await fleet.kannel.online();
      return `all work after ${seconds(ready)}, and are bound after ${seconds(since(begun))}`;
    },
  },
];

/** Messages and reports that may still come after the last submit, ms. */
const DRAIN = 300_000;

async function measure(fleet: Fleet, trial: Trial): Promise<readonly string[]> {
  // Whoever is killed takes its figures along.
  const cost = trial.name === CALM ? () => [costOf(fleet.pids).cpu, costOf(fleet.kannel.pids).cpu] : () => [];
  const before = cost();
  const begun = performance.now();
  const earlier = fleet.ledger.fates.size;
  const [, measured] = await Promise.all([fleet.submit(SECONDS), trial.run(fleet)]);
  const fates = () => [...fleet.ledger.fates.values()].slice(earlier);
  for (const end = Date.now() + DRAIN; Date.now() < end; await wait(250)) {
    if (fates().every(({ reports }) => reports.length > 0)) break;
  }
  // What is sent twice may come late.
  await wait(10_000);
  const all = fates();
  const [gateways, kannel] = cost().map((after, at) => shown((after - (before[at] ?? 0)) / all.length));
  const waits = all.flatMap(({ asked, sends: [first] }) => (first === undefined ? [] : [first.time - asked]));
  const last = Math.max(...all.flatMap(({ sends }) => sends.map(({ time }) => time)));
  const failed = all.filter(({ reports }) => reports.some(({ type }) => type !== 1)).length;
  const lost = all.filter(({ sends, reports }) => sends.length === 0 && reports.length === 0).length;
  const doubled = all.filter(({ sends }) => sends.length > 1).length;
  const unreported = all.filter(({ sends, reports }) => sends.length > 0 && reports.length === 0).length;
  if (measured !== '') console.log(`* ${trial.name}: ${measured}.`);
  if (kannel !== undefined)
    console.log(`* processor time: ${gateways} ms a message in gateways, ${kannel} ms in Kannel.`);
  return [
    trial.name,
    `${all.length}`,
    shown(all.length / ((last - begun) / 1000)),
    ...[0.5, 0.95, 1].map((share) => shown(percentile(waits, share) / 1000)),
    ...[lost, failed, doubled, unreported].map(String),
  ];
}

function showMemory(fleet: Fleet, when: string): void {
  const each = fleet.pids.map((pid) => memoryOf([pid]));
  const kannel = memoryOf(fleet.kannel.pids);
  const mean = (values: readonly number[]) => shown(values.reduce((sum, value) => sum + value, 0) / values.length);
  console.log(
    `* memory ${when}: a gateway holds ${mean(each.map(({ resident }) => resident))} MB, of which ` +
      `${mean(each.map((memory) => memory.private))} MB are its own (most: ${shown(Math.max(...each.map((memory) => memory.private)))}); ` +
      `Kannel ${shown(kannel.resident)} MB.`,
  );
}

async function main(): Promise<void> {
  const missing = missingPrograms(['bearerbox', 'smsbox'], 'kannel');
  if (missing !== false) throw new Error(missing);
  if (!(GATEWAYS >= 1 && GATEWAYS <= 500 && SECONDS >= 1)) throw new Error('--gateways 1 to 500, --seconds from 1');
  const fleet = await Fleet.open();
  try {
    const begun = performance.now();
    await fleet.start();
    console.log(`* ${GATEWAYS} gateways work and are bound after ${seconds(since(begun))}.`);
    showMemory(fleet, 'at the start');
    const rows: (readonly string[])[] = [];
    for (const trial of trials) rows.push(await measure(fleet, trial));
    showMemory(fleet, 'at the end');
    const head = [
      '',
      'messages',
      'a second',
      'wait, half',
      '95 %',
      'longest',
      'lost',
      'failed',
      'sent twice',
      'no report',
    ];
    console.log(`\n${table(head, rows)}`);
    for (const stranger of fleet.ledger.strangers) console.log(`! ${stranger}`);
  } finally {
    await fleet.close();
  }
}

await main();
