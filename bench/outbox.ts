/**
 * The outbox on a real disk: durable submits, sending through a modem without latency, octets and syncs a message.
 * `npx tsx bench/outbox.ts [directory]`; the directory should lie on the disk that is meant (default: here).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { createLogger } from '../src/base/log.ts';
import { type PhoneNumber, parsePhoneNumber } from '../src/base/phone-number.ts';
import { Journal } from '../src/store/journal/journal.ts';
import { Outbox } from '../src/store/outbox/outbox.ts';
import type { Sender } from '../src/store/sender.ts';

const directory = mkdtempSync(join(process.argv[2] ?? '.', 'bench-outbox-'));
const text = 'The water in tank 7 stands at 93 %. Pump 2 runs since 14:05. Please confirm.';

const numberOf = (n: number): PhoneNumber => {
  const number = parsePhoneNumber(`+3706${String(n % 10_000_000).padStart(7, '0')}`);
  if (number === undefined) throw new Error('no number');
  return number;
};

async function open(name: string) {
  const log = createLogger({ level: 'warning', write: (line) => void process.stderr.write(line) });
  const journal = new Journal({ directory: join(directory, name), clock: systemClock, log });
  const outbox = new Outbox({
    journal,
    clock: systemClock,
    log,
    random: Math.random,
    policy: {
      queueLimit: 1_000_000,
      validitySeconds: 48 * 3600,
      ambiguous: 'resend',
      keepDays: 30,
      keepCount: 1000,
      transliterate: false,
      nationalTables: [],
    },
  });
  await journal.open();
  outbox.start();
  return { journal, outbox };
}

/** A modem that takes everything at once. */
function instantModem(): Sender {
  let mr = 0;
  return {
    name: 'gsm0',
    ready: true,
    epoch: 0,
    async send() {
      mr = (mr + 1) & 0xff;
      return { type: 'accepted', mr };
    },
  };
}

const percentile = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;

async function submits(clients: number, count: number): Promise<void> {
  const { journal, outbox } = await open(`submit-${clients}`);
  const times: number[] = [];
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      const begun = performance.now();
      await outbox.submit({ number: numberOf(left), content: { type: 'text', text }, source: 'bench' });
      times.push(performance.now() - begun);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - begun) / 1000;
  times.sort((a, b) => a - b);
  const { written, syncs } = journal.status();
  console.log(
    `submit, ${String(clients).padStart(3)} clients: ${Math.round(count / seconds)}/s,`,
    `p50 ${percentile(times, 0.5).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms,`,
    `${Math.round(Number(written) / count)} octets and ${(Number(syncs) / count).toFixed(3)} syncs each`,
  );
  await outbox.close();
  await journal.close();
}

async function sending(count: number, recipients: number): Promise<void> {
  const { journal, outbox } = await open(`send-${recipients}`);
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      outbox.submit({ number: numberOf(i % recipients), content: { type: 'text', text }, source: 'bench' }),
    ),
  );
  const before = journal.status();
  const begun = performance.now();
  outbox.attach(instantModem(), { interval: 0, daily: 0 });
  while (outbox.counts().queued + outbox.counts().sending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const seconds = (performance.now() - begun) / 1000;
  const after = journal.status();
  const octets = (Number(after.written) - Number(before.written)) / count;
  const syncs = (Number(after.syncs) - Number(before.syncs)) / count;
  console.log(
    `send, ${count} waiting for ${recipients} recipients: ${Math.round(count / seconds)}/s,`,
    `${Math.round(octets)} octets (with compaction) and ${syncs.toFixed(2)} syncs each`,
  );
  await outbox.close();
  await journal.close();
}

/** One message at a time into an idle gateway, from the call until it is sent. */
async function single(count: number): Promise<void> {
  const { journal, outbox } = await open('single');
  outbox.attach(instantModem(), { interval: 0, daily: 0 });
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const { id } = await outbox.submit({ number: numberOf(i), content: { type: 'text', text }, source: 'bench' });
    await outbox.settled(id, AbortSignal.timeout(10_000));
    times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  const { written, syncs } = journal.status();
  console.log(
    `one message into an idle outbox: p50 ${percentile(times, 0.5).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms,`,
    `${Math.round(Number(written) / count)} octets and ${(Number(syncs) / count).toFixed(2)} syncs in all`,
  );
  await outbox.close();
  await journal.close();
}

/** Heap that waiting messages take. */
async function memory(count: number): Promise<void> {
  const { journal, outbox } = await open('memory');
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i += 1000) {
    await Promise.all(
      Array.from({ length: 1000 }, (_, j) =>
        outbox.submit({ number: numberOf(i + j), content: { type: 'text', text }, source: 'bench' }),
      ),
    );
  }
  global.gc?.();
  const each = (process.memoryUsage().heapUsed - before) / count;
  console.log(
    `memory, ${count} waiting: ${Math.round(each)} octets of heap each${global.gc ? '' : ' (run with --expose-gc)'}`,
  );
  const begun = performance.now();
  await outbox.close();
  await journal.close();
  const again = await open('memory');
  console.log(`start with ${count} waiting: ${Math.round(performance.now() - begun)} ms`);
  await again.outbox.close();
  await again.journal.close();
}

try {
  await submits(1, 1000);
  await submits(10, 5000);
  await submits(100, 20_000);
  await single(500);
  await sending(5000, 5000);
  await sending(5000, 10);
  await memory(100_000);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
