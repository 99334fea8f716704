/**
 * How cost grows: outgoing messages/s and memory with 1, 4 and 16 modems, and start, memory and speed with 0, 10,000 and
 * 100,000 stored messages. Run: npm run bench -- growth [--modems 1,4,16] [--stored 0,10000,100000] [--directory DIR]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Bus } from '../src/base/bus.ts';
import { systemClock } from '../src/base/clock.ts';
import { createLogger, processSink } from '../src/base/log.ts';
import type { GatewayEvents } from '../src/rpc/events.ts';
import { addressOf, encodeDeliver, encodePdu, segment, timeStamp, toUserData } from '../src/sms/index.ts';
import { Store } from '../src/store/store.ts';
import { noLimits } from '../test/support/daemon.ts';
import { costOf, memoryOf, shown, table } from './figures.ts';
import { Ours } from './gateways.ts';
import { Modem, Receiver, until } from './world.ts';

const MESSAGES = 500;
const CONFIG = `config gateway 'gateway'\n\toption capacity '200000'\n${noLimits}`;

async function measure(folder: string, modems: number): Promise<readonly number[]> {
  const receiver = await Receiver.start();
  const modem = await Promise.all(Array.from({ length: modems }, (_, n) => Modem.start(`${folder}/tty${n}`, 0)));
  const gateway = new Ours({ folder, ttys: modem.map(({ tty }) => tty), web: receiver.port }, CONFIG, false);
  const sent = async () => (await Promise.all(modem.map((it) => it.sent()))).reduce((sum, count) => sum + count, 0);
  try {
    const begun = performance.now();
    await gateway.daemon.start();
    const started = performance.now() - begun;
    await gateway.daemon.stop('SIGTERM');
    await gateway.start();
    await wait(2_000);
    const memory = memoryOf(gateway.pids);
    const [before, from] = [costOf(gateway.pids), performance.now()];
    await gateway.submit(Array.from({ length: MESSAGES }, (_, n) => `message ${n}`));
    await until('the messages', async () => (await sent()) >= MESSAGES);
    const rate = (MESSAGES * 1000) / (performance.now() - from);
    const cpu = (costOf(gateway.pids).cpu - before.cpu) / MESSAGES;
    return [started, memory.private, memory.resident, rate, cpu];
  } finally {
    await gateway.stop();
    await Promise.all(modem.map((it) => it.stop()));
    receiver.stop();
  }
}

/** Puts received messages, of which nothing is to be done any more, into the store of a gateway that does not run. */
async function fill(directory: string, count: number): Promise<void> {
  const log = createLogger(processSink('warning'));
  const outbox = { queueLimit: 1, validitySeconds: 3600, ambiguous: 'resend', keepDays: 1, keepCount: 1 } as const;
  const store = await Store.open({
    ...{ directory, clock: systemClock, log, bus: new Bus<GatewayEvents>(log) },
    policy: {
      sync: 60,
      inbox: { capacity: 1_000_000, evict: false, partTimeoutHours: 24 },
      outbox: { ...outbox, transliterate: false, nationalTables: [] },
    },
  });
  // As where no function wants anything of them: one line of the journal each.
  store.deliveries.onReceived = () => [];
  const { dcs, parts } = segment('The water in tank 7 stands at 93 %. Pump 2 runs since 14:05. Please confirm.');
  const userData = toUserData(parts[0]?.udh ?? new Uint8Array(), parts[0]?.data ?? new Uint8Array());
  for (let n = 0; n < count; n += 1000) {
    const accepted = Array.from({ length: Math.min(1000, count - n) }, (_, i) => {
      const from = addressOf(`+3706${String((n + i) % 5_000).padStart(7, '0')}`);
      const time = timeStamp(Date.UTC(2026, 0, 1) + (n + i) * 1000);
      const pdu = encodePdu(addressOf('+37069900000'), encodeDeliver({ from, dcs, time, userData }));
      return store.inbox.accept({ modem: 'gsm0', pdu, received: Date.now() });
    });
    await Promise.all(accepted);
  }
  await store.close();
}

const { values } = parseArgs({
  options: {
    modems: { type: 'string', default: '1,4,16' },
    stored: { type: 'string', default: '0,10000,100000' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const numbers = (text: string) => (text === '' ? [] : text.split(',').map(Number));
const rows: (readonly string[])[] = [];
const row = async (name: string, modems: number, stored: number) => {
  const folder = mkdtempSync(join(values.directory, 'smsgw-bench-'));
  try {
    if (stored > 0) await fill(`${folder}/state`, stored);
    rows.push([name, ...(await measure(folder, modems)).map(shown)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
for (const modems of numbers(values.modems)) await row(`${modems} modems`, modems, 0);
for (const stored of numbers(values.stored)) await row(`${stored.toLocaleString('en')} stored messages`, 1, stored);
console.log(
  table(['', 'start to ready, ms', 'private MB', 'resident MB', 'outgoing messages/s', 'CPU a message, ms'], rows),
);
