/**
 * Memory over very many messages: half come in, are forwarded to HTTP and to a webhook, listed and read; half go out. It must be
 * flat once the boxes are full, which they are after the first thousand. Run: npm run bench -- leak [--messages 200000] [--directory DIR]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { noLimits } from '../test/support/daemon.ts';
import { memoryOf, shown, table } from './figures.ts';
import { Ours } from './gateways.ts';
import { Modem, Receiver, until } from './world.ts';

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '10000' }, directory: { type: 'string', default: tmpdir() } },
});
const STEPS = 10;
const ROUND = 100;
const rounds = Math.max(1, Math.round(Number(values.messages) / STEPS / ROUND / 2));
const folder = mkdtempSync(join(values.directory, 'smsgw-bench-'));
const receiver = await Receiver.start();
const modem = await Modem.start(`${folder}/tty`, 0);
const url = `http://127.0.0.1:${receiver.port}/received`;
const functions = `config gateway 'gateway'
	option capacity '500'
	option evict '1'
	option keep_sent_max '500'
${noLimits}
config webhook 'hook'
	option enabled '1'
	option url '${url}'
`;
// Without a limit V8 lets garbage grow for long, which looks like a leak.
const flags = ['--max-old-space-size=20'];
const gateway = new Ours({ folder, ttys: [modem.tty], web: receiver.port }, functions, true, flags);
const { daemon } = gateway;

/** How many texts the web server has; the webhook's requests have none in their URL. */
const arrived = () => [...receiver.arrived.keys()].filter((text) => text !== '').length;

/** Lets messages come in, go out, be listed and read. */
async function round(n: number): Promise<void> {
  const sent = await modem.sent();
  await Promise.all(Array.from({ length: ROUND }, (_, i) => modem.receive(`in-${n}-${i}`)));
  await gateway.submit(Array.from({ length: ROUND }, (_, i) => `out ${n} ${i}`));
  await until('the messages that came', () => arrived() >= ROUND);
  await until('the messages that went', async () => (await modem.sent()) >= sent + ROUND);
  // The measurement itself is not to grow.
  receiver.arrived.clear();
  const { messages } = await daemon.call('sms_gateway.message', 'list', { box: 'inbox', limit: ROUND });
  const ids = (messages as readonly { readonly id: number }[]).map(({ id }) => id);
  for (const id of ids) await daemon.call('sms_gateway.message', 'read', { id });
}

try {
  await gateway.start();
  const ended = daemon.untilEnd();
  // At the end it is stopped.
  ended.catch(() => undefined);
  const rows: (readonly string[])[] = [];
  for (let step = 0; step <= STEPS; step++) {
    // A gateway that has ended is not waited for.
    if (step > 0) for (let n = 0; n < rounds; n++) await Promise.race([round(step * rounds + n), ended]);
    // What the collector gives back at rest is no leak.
    await wait(3_000);
    const { private: own, resident } = memoryOf(gateway.pids);
    rows.push([(step * rounds * ROUND * 2).toLocaleString('en'), shown(own), shown(resident)]);
    console.log(`${rows.length}/${STEPS + 1}`);
  }
  console.log(table(['messages so far', 'private MB', 'resident MB'], rows));
} finally {
  await gateway.stop();
  await modem.stop();
  receiver.stop();
  rmSync(folder, { recursive: true, force: true });
}
