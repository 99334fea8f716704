import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { Daemon } from '../support/daemon.ts';
import { newFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';
import { partKey } from '../support/part-key.ts';
import { SimulatorProgram } from '../support/simulator-program.ts';

/* A whole daemon, and what may happen to its disk, its process and its modem while messages are on their way. */

const config = (device: string) => `
config modem 'gsm0'
	option device '${device}'
	option send_interval '0'
`;

const name = (n: number) => String(n).padStart(3, '0');
const numberOf = (n: number) => `+37060000${name(n)}`;
const ALICE = '+37061111111';

/** Every third one is of two parts. */
const partsOf = (n: number) => (n % 3 === 0 ? 2 : 1);
const textOf = (n: number) => `out${name(n)} `.repeat(partsOf(n) === 2 ? 30 : 1).trim();

/** A daemon with a modem, and the messages that it has to do with. */
class Scene {
  readonly simulator: SimulatorProgram;
  readonly daemon: Daemon;
  /** What was accepted to be sent, and what arrived, by number. */
  readonly #accepted: number[] = [];
  readonly #arrived: number[] = [];

  static async open(t: Test, options: readonly string[] = [], stateDirectory?: string): Promise<Scene> {
    const simulator = await SimulatorProgram.start(...options);
    const daemon = new Daemon({
      ...{ folder: newFolder(t), config: config(simulator.device) },
      ...(stateDirectory !== undefined && { stateDirectory }),
    });
    t.teardown(async () => {
      await daemon.stop('SIGKILL');
      simulator.stop();
    });
    await daemon.start();
    const scene = new Scene(simulator, daemon);
    await scene.modem(({ state }) => state === 'ready');
    return scene;
  }

  private constructor(simulator: SimulatorProgram, daemon: Daemon) {
    this.simulator = simulator;
    this.daemon = daemon;
  }

  async send(n: number): Promise<void> {
    await this.daemon.call('sms_gateway.message', 'send', { number: numberOf(n), text: textOf(n) });
    this.#accepted.push(n);
  }

  async arrive(n: number): Promise<void> {
    await this.simulator.receive(ALICE, `in${name(n)}`);
    this.#arrived.push(n);
  }

  /** Waits until some parts were sent. */
  async atWork(): Promise<void> {
    await until(async () => (await this.simulator.sentParts()).length > 3, 'it is at work');
  }

  /** Sends messages and lets others arrive. */
  async traffic(from: number, count: number): Promise<void> {
    for (let n = from; n < from + count; n++) await Promise.all([this.send(n), this.arrive(n)]);
  }

  async modem(holds: (status: JsonObject) => boolean): Promise<void> {
    await this.daemon.until('sms_gateway.modem', 'status', { modem: 'gsm0' }, holds);
  }

  async inbox(): Promise<readonly string[]> {
    const { messages } = await this.daemon.call('sms_gateway.message', 'list', { box: 'inbox', limit: 1000 });
    return (messages as unknown as { text: string }[]).map(({ text }) => text);
  }

  /** Waits until everything has come to where it belongs, and looks that it is there once. */
  async allOnce(t: Test): Promise<void> {
    await this.daemon.until('sms_gateway', 'status', {}, ({ queue }) => {
      const { queued, sending } = queue as { queued: number; sending: number };
      return queued + sending === 0;
    });
    const arrived = this.#arrived.map((n) => `in${name(n)}`);
    await this.daemon.until('sms_gateway.message', 'total', {}, ({ used }) => Number(used) >= arrived.length);
    t.same((await this.inbox()).toSorted(), arrived.toSorted(), 'all that arrived, once');
    const keys = this.#accepted.flatMap((n) => {
      return Array.from({ length: partsOf(n) }, (_, i) => `${numberOf(n)} out${name(n)}/${i + 1}`);
    });
    t.same((await this.simulator.sentParts()).map(partKey).toSorted(), keys.toSorted(), 'all that was accepted, once');
  }
}

t.test('a second daemon on the same state directory ends at once and says why', async (t) => {
  const first = new Daemon({ folder: newFolder(t), config: config('sim') });
  t.teardown(() => first.stop('SIGKILL'));
  await first.start();
  const stateDirectory = `${first.folder}/state`;
  const second = new Daemon({ folder: newFolder(t), config: config('sim'), stateDirectory });
  t.teardown(() => second.stop('SIGKILL'));
  const message = new RegExp(
    `^ended with 75 .*\n(info .*\n)*error another gateway already uses ${stateDirectory} .*\n$`,
  );
  await t.rejects(second.start(), { message });
  t.match(await first.call('sms_gateway', 'status'), { modems: [{ name: 'gsm0' }] }, 'the first one does not mind');
});

t.test('SIGTERM in the middle of traffic: an orderly end in time, and everything goes on afterwards', async (t) => {
  const scene = await Scene.open(t, ['--latency', '20']);
  const { daemon, simulator } = scene;
  await scene.traffic(0, 20);
  await scene.atWork();
  t.equal(await daemon.stop('SIGTERM'), 0, 'in time: it ends with 1 when it is not');
  const taken = (await simulator.sentParts()).length;
  t.ok(taken < 27, `${taken} of 27 parts were sent by then`);
  await daemon.start();
  await scene.allOnce(t);
});

t.test('the port of the modem vanishes under load and is back after 5 s', async (t) => {
  const scene = await Scene.open(t, ['--latency', '5']);
  await scene.traffic(0, 10);
  // By then the modem was seen counting, so a part that is under way will not be in doubt for long.
  await scene.atWork();
  await scene.simulator.order({ fault: { type: 'port_gone', ms: 5_000 } });
  await scene.traffic(10, 20);
  await scene.modem(({ state }) => state === 'opening');
  await scene.modem(({ state, reopened }) => state === 'ready' && Number(reopened) > 0);
  await scene.allOnce(t);
});

/** A small disk of its own, where mounting is allowed. */
class SmallDisk {
  readonly path: string;

  constructor(t: Test) {
    this.path = `${newFolder(t)}/disk`;
    mkdirSync(this.path);
    t.teardown(() => this.#run('umount', '-l', this.path));
    this.#run('mount', '-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', this.path);
  }

  fill(): void {
    // The system may refuse the last pages of what it is asked for.
    for (let size = 128 * 1024; size >= 1; size = Math.floor(size / 2)) {
      try {
        writeFileSync(`${this.path}/filler-${size}`, Buffer.alloc(size));
      } catch {
        // Full.
      }
    }
  }

  free(): void {
    for (let size = 128 * 1024; size >= 1; size = Math.floor(size / 2)) {
      rmSync(`${this.path}/filler-${size}`, { force: true });
    }
  }

  remount(how: 'ro' | 'rw'): void {
    this.#run('mount', '-o', `remount,${how}`, this.path);
  }

  #run(program: string, ...args: readonly string[]): void {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }
}

const mayMount = spawnSync('unshare', ['--mount', 'true']).status === 0;
const skip = mayMount ? false : 'mounting needs root';

t.test('a full disk, and then one that can only be read', { skip }, async (t) => {
  const disk = new SmallDisk(t);
  // Five messages fit the SIM: what is not fetched from there shows in the network.
  const scene = await Scene.open(t, ['--memory', '5'], `${disk.path}/state`);
  const { daemon } = scene;
  await scene.traffic(0, 3);
  await scene.allOnce(t);
  let arrivals = 3;
  /** More messages arrive than fit the last page of the journal. */
  const flood = async () => {
    daemon.log = '';
    for (let i = 0; i < 40; i++) await scene.arrive(arrivals++);
    await until(() => /received messages stay on the modem/.test(daemon.log), 'the store takes nothing');
    await until(async () => {
      const { waiting } = await scene.simulator.counters();
      return waiting > 0 && (await scene.inbox()).length + 5 + waiting === arrivals;
    }, 'five stay on the SIM, the others in the network');
  };

  // Longer than what may be left of the last page.
  const refused = (code: string) => {
    const message = { number: numberOf(99), text: 'x'.repeat(5_000) };
    return t.rejects(daemon.call('sms_gateway.message', 'send', message), { code });
  };

  /** Store and modem try again with pauses that have grown while nothing could be stored. */
  const fetched = () => daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === arrivals, 60_000);

  disk.fill();
  await flood();
  await refused('store_full');
  await daemon.stop('SIGKILL');
  await daemon.start();
  t.ok((await scene.inbox()).length >= 3, 'it starts on a full disk and shows what it has');
  await refused('store_full');
  disk.free();
  await fetched();
  await scene.send(100);
  await scene.allOnce(t);

  t.equal(await daemon.stop(), 0);
  disk.remount('ro');
  await daemon.start();
  t.equal((await scene.inbox()).length, arrivals, 'it starts on a disk that can only be read');
  await flood();
  await refused('store_unavailable');
  disk.remount('rw');
  await fetched();
  await scene.send(102);
  await scene.allOnce(t);
});
