/**
 * This gateway, smstools3, gammu-smsd and Kannel's AT driver on the same simulated modem behind a pseudo terminal, each
 * forwarding what arrives to the same web server. Aims stand in docs/performance.md.
 * Run: npm run bench -- peers [--only ours,kannel] [--latency MS] [--rounds N] [--messages N] [--directory DIR]
 * The others: apt-get install smstools gammu-smsd kannel socat curl
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { costOf, memoryOf, percentile, shown, table } from './figures.ts';
import { type Gateway, type GatewayName, gateways, programs } from './gateways.ts';
import { Modem, monotonic, Receiver, until } from './world.ts';

const rows = {
  out: 'outgoing messages/s',
  in: 'incoming messages/s, to the receiver’s answer',
  latencyP50: 'incoming, modem → receiver, p50 ms',
  latencyP95: 'the same, p95 ms',
  singleP50: 'one outgoing into an idle gateway, p50 ms',
  singleWorst: 'the same, worst ms',
  cpuOut: 'CPU a message out, ms',
  cpuIn: 'CPU a message in, ms',
  privateMemory: 'private memory at rest, MB',
  resident: 'resident at rest, MB',
  residentAfter: 'resident after all that, at rest again, MB',
  ready: 'start to the first message handed over, ms',
  diskOut: 'octets to the disk a message out',
  diskIn: 'octets to the disk a message in',
} as const;
type Figures = Partial<Record<keyof typeof rows, number>>;

interface Settings {
  readonly latency: number;
  readonly messages: number | undefined;
  readonly directory: string;
}

/** ms that a gateway is left alone before its memory counts as that at rest: V8 gives back the garbage of a start after about eight. */
const REST = 12_000;
/** And after a burst: what it took goes back within nine seconds. */
const REST_AGAIN = 10_000;
const SINGLES = 30;
/** So many that a 95th percentile is more than the second slowest. */
const LATENCIES = 100;

async function measure(name: GatewayName, { latency, messages, directory }: Settings): Promise<Figures> {
  const folder = mkdtempSync(join(directory, 'smsgw-bench-'));
  const receiver = await Receiver.start();
  const modem = await Modem.start(`${folder}/tty`, latency);
  const gateway: Gateway = gateways[name]({ folder, ttys: [modem.tty], web: receiver.port });
  const figures: Figures = {};
  try {
    // It waits in the modem while the gateway starts. Kannel reads no such messages: the second one comes later.
    await modem.receive('waiting');
    const begun = monotonic();
    await gateway.start();
    if (name !== 'kannel') {
      await until('the first message', () => receiver.arrived.has('waiting'));
      figures.ready = (receiver.arrived.get('waiting') ?? 0) - begun;
    }
    await wait(REST);
    const { resident, private: own } = memoryOf(gateway.pids);
    Object.assign(figures, { resident, privateMemory: own });
    const singles = name === 'ours' ? SINGLES : 3;
    await single(gateway, modem, figures, Math.min(singles, messages ?? singles));
    await latencies(modem, receiver, figures, Math.min(LATENCIES, gateway.pace.in, messages ?? LATENCIES));
    await outgoing(gateway, modem, figures, Math.min(messages ?? 500, gateway.pace.out));
    await incoming(gateway, modem, receiver, figures, Math.min(messages ?? 500, gateway.pace.in));
    await wait(REST_AGAIN);
    figures.residentAfter = memoryOf(gateway.pids).resident;
  } finally {
    await gateway.stop();
    await modem.stop();
    receiver.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

/** One message at a time into an idle gateway, from the call until the network has it. */
async function single(gateway: Gateway, modem: Modem, figures: Figures, count: number): Promise<void> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    await wait(50 + 100 * Math.random());
    const before = await modem.sent();
    const begun = performance.now();
    await Promise.all([
      gateway.submit([`single ${n}`]),
      until('one message', async () => (await modem.sent()) > before, 120_000),
    ]);
    times.push(performance.now() - begun);
  }
  figures.singleP50 = percentile(times, 0.5);
  figures.singleWorst = percentile(times, 1);
}

/**
 * One incoming message at a time, from its announcement by the modem until the receiver has it. A gateway that asks for no
 * announcements is measured from the order to the simulator, 0.5 ms earlier.
 */
async function latencies(modem: Modem, receiver: Receiver, figures: Figures, count: number): Promise<void> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    await wait(20 + 80 * Math.random());
    const ordered = monotonic();
    await modem.receive(`latency${n}`);
    await receiver.text(`latency${n}`);
    times.push((receiver.arrived.get(`latency${n}`) ?? 0) - Math.max(ordered, await modem.spoke()));
  }
  figures.latencyP50 = percentile(times, 0.5);
  figures.latencyP95 = percentile(times, 0.95);
}

async function outgoing(gateway: Gateway, modem: Modem, figures: Figures, count: number): Promise<void> {
  const [sent, before] = [await modem.sent(), costOf(gateway.pids)];
  const begun = performance.now();
  await gateway.submit(Array.from({ length: count }, (_, n) => `outgoing ${n}`));
  await until('the messages', async () => (await modem.sent()) >= sent + count, 600_000);
  figures.out = (count * 1000) / (performance.now() - begun);
  const after = costOf(gateway.pids);
  figures.cpuOut = (after.cpu - before.cpu) / count;
  figures.diskOut = (after.disk - before.disk) / count;
}

async function incoming(
  gateway: Gateway,
  modem: Modem,
  receiver: Receiver,
  figures: Figures,
  count: number,
): Promise<void> {
  const before = costOf(gateway.pids);
  const had = receiver.arrived.size;
  const begun = performance.now();
  const arrived = new Promise<void>((resolve) => {
    receiver.onArrival = () => {
      if (receiver.arrived.size >= had + count) resolve();
    };
  });
  const put = Promise.all(Array.from({ length: count }, (_, n) => modem.receive(`incoming${n}`)));
  const late = wait(300_000, 'late' as const, { ref: false });
  if ((await Promise.race([Promise.all([put, arrived]), late])) === 'late') {
    throw new Error(`${receiver.arrived.size - had} of ${count} messages arrived within 300 s`);
  }
  figures.in = (count * 1000) / (performance.now() - begun);
  // What is still to be deleted from the modem belongs to the messages as well.
  await wait(500);
  const after = costOf(gateway.pids);
  figures.cpuIn = (after.cpu - before.cpu) / count;
  figures.diskIn = (after.disk - before.disk) / count;
}

/** The median of each figure. */
function medians(all: readonly Figures[]): Figures {
  const figures: Figures = {};
  for (const key of Object.keys(rows) as (keyof Figures)[]) {
    const values = all.flatMap((one) => one[key] ?? []);
    if (values.length > 0) figures[key] = percentile(values, 0.5);
  }
  return figures;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(gateways).join(',') },
    latency: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '1' },
    messages: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const missing = (name: GatewayName) => programs[name].filter((it) => spawnSync('which', [it]).status !== 0);
const names = values.only.split(',').filter((name): name is GatewayName => name in gateways);
const present = names.filter((name) => missing(name).length === 0);
for (const name of names)
  if (!present.includes(name)) console.log(`left out: ${name} needs ${missing(name).join(', ')}`);
const settings = {
  latency: Number(values.latency),
  messages: values.messages === undefined ? undefined : Number(values.messages),
  directory: values.directory,
};
const measured = new Map<GatewayName, Figures[]>(present.map((name) => [name, []]));
// In turns, so that what else the machine does meets all of them.
for (let round = 0; round < Number(values.rounds); round++) {
  for (const name of present) measured.get(name)?.push(await measure(name, settings));
}
const columns = present.map((name) => [name, medians(measured.get(name) ?? [])] as const);
const [, ours] = columns.find(([name]) => name === 'ours') ?? [];
/** The figure, and how many times ours it is. */
const cell = (name: GatewayName, value: number | undefined, own: number | undefined) =>
  name === 'ours' || value === undefined || !own ? shown(value) : `${shown(value)} (×${shown(value / own)})`;
console.log(`\nmodem latency ${settings.latency} ms; in brackets: times ours\n`);
console.log(
  table(
    ['', ...columns.map(([name]) => name)],
    (Object.keys(rows) as (keyof Figures)[]).map((key) => [
      rows[key],
      ...columns.map(([name, figures]) => cell(name, figures[key], ours?.[key])),
    ]),
  ),
);
