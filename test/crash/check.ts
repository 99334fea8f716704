import type { Daemon } from '../support/daemon.ts';
import type { Load } from './load.ts';
import type { World } from './world.ts';

export interface Findings {
  readonly sends: number;
  readonly parts: number;
  readonly arrivals: number;
  readonly forwarded: number;
  /** Parts that the network took twice. */
  readonly doubled: number;
  /** What must not be, a sentence each. */
  readonly faults: readonly string[];
}

/** Compares what everybody was told with what is there. The queue and the modem must have come to rest. */
export async function check(daemon: Daemon, world: World, load: Load): Promise<Findings> {
  const faults: string[] = [];
  const taken = new Map<string, number>();
  for (const { to, sequence } of await world.sentParts()) {
    const key = `${to}/${sequence}`;
    taken.set(key, (taken.get(key) ?? 0) + 1);
  }
  for (const { number, parts, acknowledged } of load.sends) {
    for (let sequence = 1; acknowledged && sequence <= parts; sequence++) {
      if (!taken.has(`${number}/${sequence}`)) faults.push(`lost: part ${sequence} of the message to ${number}`);
    }
  }
  const inbox = await everything(daemon);
  for (const { text, deleted } of load.arrivals.values()) {
    const count = inbox.filter((shown) => shown === text).length;
    const name = text.slice(0, 12);
    if (count > 1) faults.push(`shown ${count} times: ${name}`);
    if (count === 0 && deleted === 'no') faults.push(`lost: ${name}`);
    if (count > 0 && deleted === 'done') faults.push(`back from the dead: ${name}`);
    const ids = world.forwarded.get(text);
    if (ids === undefined) faults.push(`not forwarded: ${name}`);
    else if (ids.size > 1) faults.push(`forwarded under ${ids.size} ids: ${name}`);
  }
  for (const text of inbox) {
    if (!load.arrivals.has(text)) faults.push(`nobody sent: ${text.slice(0, 12)}`);
  }
  return {
    sends: load.sends.length,
    parts: taken.size,
    arrivals: load.arrivals.size,
    forwarded: world.forwarded.size,
    doubled: [...taken.values()].reduce((sum, times) => sum + times - 1, 0),
    faults,
  };
}

async function everything(daemon: Daemon): Promise<readonly string[]> {
  const texts: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await daemon.call('sms_gateway.message', 'list', {
      ...{ box: 'inbox', limit: 1000 },
      ...(cursor !== undefined && { cursor }),
    });
    texts.push(...(page.messages as unknown as { text: string }[]).map(({ text }) => text));
    cursor = page.cursor as string | undefined;
  } while (cursor !== undefined);
  return texts;
}
