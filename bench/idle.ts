/**
 * What the gateway costs while nothing happens, with one modem, Post/Get and forwarding: processor time, and how often it wakes.
 * Aim: 0.1 % of a core. Run: npm run bench -- idle [--seconds N] [--directory DIR]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { costOf, memoryOf, shown, table } from './figures.ts';
import { Ours } from './gateways.ts';
import { Modem, Receiver } from './world.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, directory: { type: 'string', default: tmpdir() } },
});
const seconds = Number(values.seconds);
/** s until what a start leaves behind is over. */
const SETTLE = 25;

/** How often the threads of the process have gone to sleep of themselves: each time something woke them before. */
function wakes(pids: readonly number[]): number {
  const threads = pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`));
  return threads.reduce((sum, thread) => {
    const status = readFileSync(`${thread}/status`, 'latin1');
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  }, 0);
}

const folder = mkdtempSync(join(values.directory, 'smsgw-bench-'));
const receiver = await Receiver.start();
const modem = await Modem.start(`${folder}/tty`, 0);
const gateway = new Ours({ folder, ttys: [modem.tty], web: receiver.port });
try {
  await gateway.start();
  await wait(SETTLE * 1000);
  const { pids } = gateway;
  const before = { ...costOf(pids), wakes: wakes(pids) };
  await wait(seconds * 1000);
  const [cost, memory] = [costOf(pids), memoryOf(pids)];
  console.log(
    table(
      ['', 'CPU, % of a core', 'wake-ups a second', 'octets to the disk', 'private MB', 'resident MB'],
      [
        [
          `${seconds} s at rest`,
          shown((cost.cpu - before.cpu) / (seconds * 10)),
          shown((wakes(pids) - before.wakes) / seconds),
          shown(cost.disk - before.disk),
          shown(memory.private),
          shown(memory.resident),
        ],
      ],
    ),
  );
} finally {
  await gateway.stop();
  await modem.stop();
  receiver.stop();
  rmSync(folder, { recursive: true, force: true });
}
