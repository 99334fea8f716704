/**
 * The store on a real disk: octets that reach the block device for a message and for a status change, start-up and
 * memory with few and many messages. `npx tsx bench/store.ts [directory]`; the directory should lie on the disk that
 * is meant (default: here).
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bus } from '../src/base/bus.ts';
import { systemClock } from '../src/base/clock.ts';
import { createLogger, processSink } from '../src/base/log.ts';
import type { GatewayEvents } from '../src/rpc/events.ts';
import { addressOf, encodeDeliver, encodePdu, segment, timeStamp, toUserData } from '../src/sms/index.ts';
import { Store } from '../src/store/store.ts';

const log = createLogger(processSink('warning'));
const text = 'The water in tank 7 stands at 93 %. Pump 2 runs since 14:05. Please confirm.';

function pduOf(n: number): Uint8Array {
  const { dcs, parts } = segment(`${n} ${text}`);
  const [part] = parts;
  if (part === undefined) throw new Error('no part');
  const from = addressOf(`+3706${String(n % 5_000).padStart(7, '0')}`);
  const time = timeStamp(Date.UTC(2026, 0, 1) + n * 1000);
  return encodePdu(
    addressOf('+37069900000'),
    encodeDeliver({ from, dcs, time, userData: toUserData(part.udh, part.data) }),
  );
}

const open = (directory: string, sync: 'always' | number = 'always') =>
  Store.open({
    ...{ directory, clock: systemClock, log, bus: new Bus<GatewayEvents>(log) },
    policy: {
      sync,
      inbox: { capacity: 1_000_000, evict: false, partTimeoutHours: 24 },
      outbox: {
        ...{ queueLimit: 1_000_000, validitySeconds: 3600, ambiguous: 'resend', keepDays: 30, keepCount: 1000 },
        ...{ transliterate: false, nationalTables: [] },
      },
    },
  });

/** Octets that this process has caused to be written to block devices. */
function deviceWrites(): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN);
}

/** Private memory that is not clean: what the process costs. */
function privateDirty(): number {
  const smaps = readFileSync('/proc/self/smaps_rollup', 'utf8');
  return Number(/^Private_Dirty:\s+(\d+) kB/m.exec(smaps)?.[1] ?? Number.NaN) / 1024;
}

const row = (what: string, ...figures: string[]) =>
  console.log(`${what.padEnd(52)}${figures.map((f) => f.padStart(16)).join('')}`);

async function writes(directory: string, sync: 'always' | number): Promise<void> {
  const COUNT = 1_000;
  const store = await open(join(directory, `writes-${sync}`), sync);
  const measure = async (what: string, step: (n: number) => Promise<unknown>) => {
    const before = { device: deviceWrites(), journal: Number(journalOf(store).written), time: performance.now() };
    for (let n = 0; n < COUNT; n++) await step(n);
    const [device, journal] = [deviceWrites() - before.device, Number(journalOf(store).written) - before.journal];
    const each = (performance.now() - before.time) / COUNT;
    row(`  ${what}`, `${Math.round(device / COUNT)}`, `${Math.round(journal / COUNT)}`, each.toFixed(2));
  };
  row(`sync ${sync}`, 'device octets', 'journal octets', 'ms each');
  const pdus = Array.from({ length: COUNT }, (_, n) => pduOf(n));
  const accept = (pdu: Uint8Array | undefined) =>
    store.inbox.accept({ modem: 'gsm0', pdu: pdu ?? new Uint8Array(), received: Date.now() });
  await measure('a received message', (n) => accept(pdus[n]));
  const { messages } = await store.inbox.list({ limit: COUNT });
  await measure('dispatched, with one delivery', async (n) => {
    const id = messages[n]?.id;
    if (id !== undefined)
      await store.deliveries.dispatch([{ id, wanted: [{ module: 'forwarding_to_http', target: 'url' }] }]);
  });
  await measure('read', async (n) => store.inbox.markRead(messages[n]?.id ?? (0 as never)));
  await measure('deleted', async (n) => store.inbox.delete(messages[n]?.id ?? (0 as never)));
  await store.close();
}

const journalOf = (store: Store) => store.status().journal as { readonly written: number };

/** What is alive, and what stands for it outside of the heap. Octets. */
function memory(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** In a process of its own, so that nothing else is in its memory. */
async function startUp(directory: string): Promise<void> {
  const before = { memory: memory(), time: performance.now(), cpu: process.cpuUsage() };
  const store = await open(directory);
  const opened = performance.now() - before.time;
  const { user, system } = process.cpuUsage(before.cpu);
  const { used } = store.inbox.total();
  const each = used === 0 ? '' : `${Math.round((memory() - before.memory) / used)}`;
  const own = privateDirty();
  const listing = performance.now();
  await store.inbox.list({ limit: 100, number: '+37060000042' });
  row(
    `  ${used} messages, ${store.deliveries.pending('smpp')} deliveries`,
    ...[opened.toFixed(0), ((user + system) / 1000).toFixed(0), own.toFixed(1), each],
    (performance.now() - listing).toFixed(0),
  );
  await store.close();
}

/** `waiting`: each of the messages waits for a client that is away. */
async function fill(directory: string, count: number, waiting: boolean): Promise<void> {
  const store = await open(directory, 60);
  store.deliveries.onReceived = () => (waiting ? [{ module: 'smpp', target: 'client' }] : []);
  const BATCH = 1_000;
  for (let n = 0; n < count; n += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - n) }, (_, i) => pduOf(n + i));
    await Promise.all(batch.map((pdu) => store.inbox.accept({ modem: 'gsm0', pdu, received: Date.now() })));
  }
  await store.close();
}

/** How many messages, and whether each has a delivery that waits. */
const FILLED = [
  [0, false],
  [1_000, false],
  [100_000, false],
  [100_000, true],
] as const;

async function main(base: string): Promise<void> {
  const directory = mkdtempSync(join(base, 'bench-store-'));
  try {
    await writes(directory, 'always');
    await writes(directory, 60);
    row('start', 'ms', 'CPU ms', 'private MB', 'octets each', 'search ms');
    for (const [count, waiting] of FILLED) {
      const filled = join(directory, `${count}-${waiting}`);
      await fill(filled, count, waiting);
      const flags = [...process.execArgv, '--expose-gc', '--max-semi-space-size=1'];
      const self = fileURLToPath(import.meta.url);
      spawnSync(process.execPath, [...flags, self, '--start', filled], { stdio: 'inherit' });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const [first, second] = process.argv.slice(2);
if (first === '--start') await startUp(second ?? '.');
else await main(first ?? '.');
