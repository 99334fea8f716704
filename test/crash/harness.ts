import { cpSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { JsonObject } from '../../src/base/json.ts';
import type { PowerDisk } from '../power-cut/power-disk.ts';
import { Daemon } from '../support/daemon.ts';
import { seeded } from '../support/seeded.ts';
import { check, type Findings } from './check.ts';
import { configOf } from './config.ts';
import type { Kill } from './doubles.ts';
import { Load } from './load.ts';
import { offRecord } from './on-record.ts';
import { Told } from './told.ts';
import { World } from './world.ts';

export interface HarnessOptions {
  /** Where the config lies and, after a kill whose journal lacks something, the state that it left and the log: `kill-N`. */
  readonly folder: string;
  readonly kills: number;
  /** A run can be repeated by it, as far as the clock lets it. */
  readonly seed: number;
  readonly progress?: (kills: number) => void;
  /** When it aborts, no further kill comes, and what there is is compared. */
  readonly enough?: AbortSignal;
  /** The state lies on it, and each kill is a cut of its power. */
  readonly disk?: PowerDisk;
}

const isReady = ({ state }: JsonObject) => state === 'ready';

/** Longest time without progress in the end, ms: a part in doubt waits a minute for its delivery report. */
const REST_LIMIT = 100_000;

/** A load on a daemon that is killed again and again; then everything is let come to rest and compared. */
export async function crashHarness({ folder, kills, seed, progress, enough, disk }: HarnessOptions): Promise<Findings> {
  const world = await World.open();
  const random = seeded(seed);
  const told = new Told();
  const load = new Load(world, told, random);
  const stateDirectory = disk === undefined ? `${folder}/state` : `${disk.path}/state`;
  const daemon = new Daemon({ folder, config: configOf(world), stateDirectory });
  const killed: Kill[] = [];
  const faults: string[] = [];
  const kill = async () => {
    const from = Date.now();
    if (disk === undefined) await daemon.stop('SIGKILL');
    else await disk.cut(daemon);
    killed.push({ from, to: Date.now() });
    // Before the next start takes the journal over.
    const missing = await offRecord(`${stateDirectory}/journal`, await world.collect());
    if (missing.length === 0) return;
    faults.push(...missing.map((fault) => `after kill ${killed.length}: ${fault}`));
    const kept = `${folder}/kill-${killed.length}`;
    cpSync(stateDirectory, kept, { recursive: true, filter: (file) => !basename(file).startsWith('lock.') });
    writeFileSync(`${kept}/log`, daemon.log);
  };
  try {
    while (killed.length < kills && enough?.aborted !== true) {
      // Now and then in the middle of the start.
      if (random() < 0.15) {
        const started = daemon.start().catch(() => undefined);
        await wait(random() * 300);
        await kill();
        await started;
        continue;
      }
      await daemon.start();
      const stop = new AbortController();
      const loading = load.run(daemon, stop.signal);
      // A kill between the prompt of the modem and the end of the PDU leaves the modem waiting for more: for two seconds,
      // the next start has its questions taken for PDU. Mostly the work goes on before the next kill.
      if (random() < 0.8) await daemon.until('sms_gateway.modem', 'status', { modem: 'gsm0' }, isReady);
      await wait(50 + random() * 700);
      await kill();
      stop.abort();
      await loading;
      progress?.(killed.length);
    }
    await daemon.start();
    await load.finish(daemon);
    await atRest(daemon, world, told, load);
    const findings = await check(daemon, world, told, killed);
    return { ...findings, faults: [...faults, ...findings.faults] };
  } finally {
    await daemon.stop('SIGKILL');
    world.close();
  }
}

/** Waits until nothing is queued, waiting at the modem, or still to be forwarded; what is not then, the check finds. */
async function atRest(daemon: Daemon, world: World, told: Told, load: Load): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let ms = 0; ms < REST_LIMIT; ms += 500, await wait(500)) {
    await world.collect();
    const { queue, modules } = await daemon.call('sms_gateway', 'status');
    const { queued, sending } = queue as { queued: number; sending: number };
    const pending = (modules as unknown as { pending: number }[]).reduce((sum, module) => sum + module.pending, 0);
    const missing = [...told.arrivals.keys()].some((text) => !world.forwarded.has(text));
    const { waiting } = await world.simulator.counters();
    const left = queued + sending + pending + waiting;
    if (left === 0 && !missing) return;
    // After hundreds of kills thousands of messages wait.
    if (left < least) [least, ms] = [left, 0];
    // As others do in the end: the next message decides over one that is in doubt.
    if (queued === 0 && sending > 0) await load.send(daemon);
  }
}
