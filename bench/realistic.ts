/**
 * How close the gateway comes to what a modem can do that takes 1.5 s a part: a queue of messages, against the same parts typed
 * into the modem one after the other with nothing in between. Aim: within 1 %.
 * Run: npm run bench -- realistic [--part MS] [--latency MS] [--messages N] [--directory DIR]
 */
import { once } from 'node:events';
import { constants, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shown, table } from './figures.ts';
import { Ours } from './gateways.ts';
import { Modem, Receiver, until } from './world.ts';

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: '1500' },
    latency: { type: 'string', default: '10' },
    messages: { type: 'string', default: '40' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const count = Number(values.messages);
const folder = mkdtempSync(join(values.directory, 'smsgw-bench-'));
const receiver = await Receiver.start();
const modem = await Modem.start(`${folder}/tty`, Number(values.latency), Number(values.part));

/** ms a part from the first command to the last answer, with nobody but the modem to wait for. */
async function bare(): Promise<number> {
  const fd = openSync(modem.tty, constants.O_RDWR | constants.O_NOCTTY);
  const input = createReadStream('', { fd, autoClose: false, highWaterMark: 256 });
  // The terminal goes with the modem.
  input.on('error', () => {});
  const say = async (text: string, answer: RegExp) => {
    writeSync(fd, text);
    for (let heard = ''; !answer.test(heard); ) heard += String((await once(input, 'data'))[0]);
  };
  await say('ATE0\r', /OK/);
  await say('AT+CMGF=0\r', /OK/);
  const begun = performance.now();
  for (let n = 0; n < count; n++) {
    await say('AT+CMGS=16\r', /> /);
    await say('0001000B917360000000F1000003E8329B\x1a', /\+CMGS: \d+[\s\S]*OK/);
  }
  return (performance.now() - begun) / count;
}

/** ms a part while the queue is full, from the first part that the network has to the last. */
async function ours(): Promise<number> {
  const gateway = new Ours({ folder, ttys: [modem.tty], web: receiver.port });
  try {
    await gateway.start();
    const before = await modem.sent();
    await gateway.submit(Array.from({ length: count + 1 }, (_, n) => `message ${n}`));
    await until('the first message', async () => (await modem.sent()) > before, 600_000);
    const begun = performance.now();
    await until('the messages', async () => (await modem.sent()) > before + count, 600_000);
    return (performance.now() - begun) / count;
  } finally {
    await gateway.stop();
  }
}

try {
  const own = await ours();
  const least = await bare();
  const rows = [['ms a part', shown(own), shown(least), `${shown((own / least - 1) * 100)} %`]];
  console.log(table(['', 'the gateway', 'the modem alone', 'more'], rows));
} finally {
  await modem.stop();
  receiver.stop();
  rmSync(folder, { recursive: true, force: true });
}
// A read of the line is still under way.
process.exit();
