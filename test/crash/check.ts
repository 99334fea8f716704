import type { JsonObject } from '../../src/base/json.ts';
import type { Daemon } from '../support/daemon.ts';
import { partKey } from '../support/part-key.ts';
import { BOSS } from './config.ts';
import { type Kill, unexplained } from './doubles.ts';
import type { Told } from './told.ts';
import type { World } from './world.ts';

export interface Findings {
  readonly sends: number;
  readonly acknowledged: number;
  readonly arrivals: number;
  /** Parts that the network took, doubles included. */
  readonly parts: number;
  /** Parts that it took twice: each was under way at a kill. */
  readonly doubled: number;
  /** Messages that were given up as unknown: two kills met the same part. */
  readonly unknown: number;
  readonly deleted: number;
  /** What must not be, a sentence each. */
  readonly faults: readonly string[];
}

/** Compares what everybody was told with what is there. The queue and the modem must have come to rest. */
export async function check(daemon: Daemon, world: World, told: Told, kills: readonly Kill[]): Promise<Findings> {
  await world.collect();
  const times = new Map<string, number[]>();
  for (const part of world.parts) times.set(partKey(part), [...(times.get(partKey(part)) ?? []), part.time]);
  const outbox = await everything(daemon, 'outbox');
  const states = new Map(outbox.map((message) => [Number(message.id), String(message.state)]));
  const faults = [
    ...told.contradictions,
    ...sent(told, times, states),
    ...(await received(daemon, world, told, times, outbox)),
    ...unexplained(times, kills),
  ];
  return {
    sends: told.sends.length,
    acknowledged: told.sends.filter(({ acknowledged }) => acknowledged).length,
    arrivals: told.arrivals.size,
    parts: world.parts.length,
    doubled: [...times.values()].reduce((sum, each) => sum + each.length - 1, 0),
    unknown: [...states.values()].filter((state) => state === 'unknown').length,
    deleted: [...told.arrivals.values()].filter(({ deleted }) => deleted === 'done').length,
    faults,
  };
}

type Times = ReadonlyMap<string, readonly number[]>;

/** What clients sent: what was acknowledged is with the network, and nothing is there by halves. */
function sent({ sends }: Told, times: Times, states: ReadonlyMap<number, string>): readonly string[] {
  const faults: string[] = [];
  for (const { name, recipients, parts, acknowledged, ids } of sends) {
    for (const [i, recipient] of recipients.entries()) {
      const id = ids[i];
      const state = id === undefined ? undefined : (states.get(id) ?? 'gone');
      if (state !== undefined && !/^(sent|delivered|unknown)$/.test(state)) faults.push(`${name} (${id}) is ${state}`);
      const missing = missingParts(times, `${recipient} ${name}`, parts);
      const begun = acknowledged || missing.length < parts;
      if (missing.length > 0 && begun && state !== 'unknown') {
        faults.push(`lost: part ${missing.join()} of ${name} to ${recipient}`);
      }
    }
  }
  return faults;
}

/** What was sent to the gateway: shown once unless it was deleted, and forwarded to everybody. */
async function received(
  daemon: Daemon,
  { forwarded }: World,
  told: Told,
  times: Times,
  outbox: readonly JsonObject[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  const inbox = await everything(daemon, 'inbox');
  for (const { text, id, index } of inbox) told.show(String(text), Number(id), Number(index));
  const unknown = new Set(outbox.filter(({ state }) => state === 'unknown').map(({ text }) => text));
  for (const { text, name, parts, deleted, shown } of told.arrivals.values()) {
    const count = inbox.filter((message) => message.text === text).length;
    if (count > 1) faults.push(`shown ${count} times: ${name}`);
    if (count === 0 && deleted === 'no') faults.push(`lost: ${name}`);
    if (count > 0 && deleted === 'done') faults.push(`back from the dead: ${name}`);
    const ids = [...(forwarded.get(text) ?? [])];
    if (ids.length !== 1) faults.push(`forwarded under ${ids.length} ids: ${name}`);
    if (shown !== undefined && ids[0] !== String(shown.id)) faults.push(`${name} is ${shown.id}, forwarded as ${ids}`);
    const missing = missingParts(times, `${BOSS} ${name}`, parts);
    if (missing.length > 0 && !unknown.has(text))
      faults.push(`not forwarded by SMS: part ${missing.join()} of ${name}`);
  }
  return faults;
}

function missingParts(times: Times, prefix: string, parts: number): readonly number[] {
  const all = Array.from({ length: parts }, (_, i) => i + 1);
  return all.filter((sequence) => !times.has(`${prefix}/${sequence}`));
}

async function everything(daemon: Daemon, box: 'inbox' | 'outbox'): Promise<readonly JsonObject[]> {
  const all: JsonObject[] = [];
  let cursor: string | undefined;
  do {
    const page = await daemon.call('sms_gateway.message', 'list', {
      ...{ box, limit: 1000 },
      ...(cursor !== undefined && { cursor }),
    });
    all.push(...(page.messages as JsonObject[]));
    cursor = page.cursor as string | undefined;
  } while (cursor !== undefined);
  return all;
}
