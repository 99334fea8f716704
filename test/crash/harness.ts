import { setTimeout as wait } from 'node:timers/promises';
import { Daemon } from '../support/daemon.ts';
import { check, type Findings } from './check.ts';
import { Load } from './load.ts';
import { World } from './world.ts';

export interface HarnessOptions {
  readonly folder: string;
  readonly kills: number;
  readonly seed: number;
  readonly byUrl: boolean;
  readonly progress?: (kills: number) => void;
}

const config = (world: World) => `
config gateway 'gateway'
	option capacity '100000'
	option keep_sent_max '100000'

config modem 'gsm0'
	option device '${world.device}'
	option send_interval '0'
	option sweep_interval '10'

config post_get 'post_get'
	option enabled '1'

config sms_gateway 'forwarding_to_http'
	option enabled '1'
	option url '${world.receiver}'
	option method 'post'
	option message_name 'text'
	option id_name 'id'
`;

/** A load on a daemon that is killed again and again; then everything is let come to rest and compared. */
export async function crashHarness({ folder, kills, seed, byUrl, progress }: HarnessOptions): Promise<Findings> {
  const world = await World.open();
  const random = generator(seed);
  const load = new Load(world, random, byUrl);
  const daemon = new Daemon({ folder, config: config(world) });
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const stop = new AbortController();
      // Now and then in the middle of the start.
      if (random() < 0.15) {
        const started = daemon.start().catch(() => undefined);
        await wait(random() * 300);
        await daemon.stop('SIGKILL');
        await started;
        continue;
      }
      await daemon.start();
      const loading = load.run(daemon, stop.signal);
      await wait(50 + random() * 500);
      await daemon.stop('SIGKILL');
      stop.abort();
      await loading;
      progress?.(kill);
    }
    await daemon.start();
    await load.repeat(daemon);
    await atRest(daemon, world, load);
    return await check(daemon, world, load);
  } finally {
    await daemon.stop('SIGKILL');
    world.close();
  }
}

/** Waits until nothing is queued, waiting at the modem, or still to be forwarded; a minute and a half at the most. */
async function atRest(daemon: Daemon, world: World, load: Load): Promise<void> {
  for (const end = Date.now() + 90_000; ; await wait(200)) {
    const { queue, modules } = await daemon.call('sms_gateway', 'status');
    const { queued, sending } = queue as { queued: number; sending: number };
    const pending = (modules as unknown as { pending: number }[]).reduce((sum, module) => sum + module.pending, 0);
    const missing = [...load.arrivals.keys()].some((text) => !world.forwarded.has(text));
    if (queued + sending + pending === 0 && !missing && (await world.drained())) return;
    if (Date.now() > end) return;
  }
}

/** Park and Miller's generator: a run can be repeated by its seed, as far as the clock lets it. */
function generator(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
