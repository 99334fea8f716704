/**
 * RPC calls a second over the unix socket, one after the other and fifty under way, with the processor time of each. Where ubusd is
 * installed, the same over ubus. Run: npm run bench -- calls [--calls N]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Daemon, noLimits } from '../test/support/daemon.ts';
import { costOf, shown, table } from './figures.ts';
import { end, until } from './world.ts';

const { values } = parseArgs({ options: { calls: { type: 'string', default: '2000' } } });
const count = Number(values.calls);
const calls = [
  ['sms_gateway', 'status', {}],
  ['sms_gateway.message', 'list', { limit: 20 }],
  ['sms_gateway.message', 'send', { number: '+37060000001', text: 'The water in tank 7 stands at 93 %.' }],
] as const;
const windows = [1, 50];

const folder = mkdtempSync(join(tmpdir(), 'smsgw-bench-'));
const bus = `${folder}/ubus.sock`;
const hasUbus = ['ubusd', 'ubus'].every((program) => spawnSync('which', [program]).status === 0);
const ubusd = hasUbus ? spawn('ubusd', ['-s', bus], { stdio: 'ignore' }) : undefined;
if (ubusd !== undefined) await until('ubusd', () => existsSync(bus));
const config = `config gateway 'gateway'\n\toption queue_limit '1000000'\n${noLimits}`;
const daemon = new Daemon({ folder, config, ...(hasUbus && { args: ['--ubus', bus] }) });
const rows: (readonly string[])[] = [];

/** A row for what `work` does `count` times. */
async function row(name: string, count: number, work: () => Promise<void>): Promise<void> {
  const pids = daemon.pid === undefined ? [] : [daemon.pid];
  const [before, begun] = [costOf(pids), performance.now()];
  await work();
  const rate = (count * 1000) / (performance.now() - begun);
  rows.push([name, shown(rate), shown((costOf(pids).cpu - before.cpu) / count)]);
}

/** The same call again and again over one connection, so many under way at once. */
function flood(call: (typeof calls)[number], window: number): Promise<void> {
  const peer = connect(daemon.socket);
  return new Promise((resolve, reject) => {
    let [asked, answered] = [0, 0];
    const ask = () => {
      if (asked === count) return;
      peer.write(`${JSON.stringify({ jsonrpc: '2.0', id: ++asked, method: 'call', params: call })}\n`);
    };
    createInterface({ input: peer }).on('line', (line) => {
      if (line.includes('"error"')) reject(new Error(line));
      ask();
      if (++answered < count) return;
      peer.end();
      resolve();
    });
    for (let n = 0; n < window; n++) ask();
  });
}

try {
  await daemon.start();
  for (const call of calls) {
    for (const window of windows) {
      await row(`${call[0]} ${call[1]}, ${window} under way`, count, () => flood(call, window));
    }
  }
  if (hasUbus) {
    // Each call is a process of its own, as in scripts.
    const FEW = 100;
    await row('ubus call sms_gateway status', FEW, async () => {
      for (let n = 0; n < FEW; n++) spawnSync('ubus', ['-s', bus, 'call', 'sms_gateway', 'status']);
    });
  } else console.log('left out: ubus calls need ubusd and ubus');
  console.log(table(['', 'calls/s', 'CPU a call, ms'], rows));
} finally {
  await daemon.stop('SIGKILL');
  await end(ubusd);
  rmSync(folder, { recursive: true, force: true });
}
