/**
 * The whole daemon with a simulated modem of zero latency: from start to ready, memory at rest, and messages a second
 * from `message send` on the socket to the modem's acceptance.
 * Run: npm run build && npx tsx bench/gateway.ts
 * Aims: ready in 300 ms, 55 MB resident, 500 messages/s.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Daemon, noLimits } from '../test/support/daemon.ts';

const config = `
config gateway 'gateway'
${noLimits}
config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config post_get 'post_get'
	option enabled '1'
`;

const MESSAGES = 3_000;
/** As init.d starts it. */
const nodeFlags = ['--max-semi-space-size=1', '--optimize-for-size', '--max-old-space-size=64'];

function memory(pid: number | undefined): string {
  const smaps = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(smaps)?.[1]) / 1024).toFixed(1);
  return `${mb('Rss')} MB resident, ${mb('Private_Dirty')} MB private`;
}

/** Puts that many messages into the outbox over one connection, 50 at a time on the way. */
async function submit(socket: string, count: number): Promise<void> {
  const peer = connect(socket);
  let answered = 0;
  let asked = 0;
  const ask = () => {
    if (asked === count) return;
    asked++;
    const args = { number: `+3706${String(asked).padStart(7, '0')}`, text: `message ${asked}` };
    const request = { jsonrpc: '2.0', id: asked, method: 'call', params: ['sms_gateway.message', 'send', args] };
    peer.write(`${JSON.stringify(request)}\n`);
  };
  peer.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n').slice(0, -1)) {
      if (line.includes('"error"')) throw new Error(line);
      answered++;
      ask();
    }
    if (answered === count) peer.end();
  });
  for (let i = 0; i < 50; i++) ask();
  await once(peer, 'close');
}

const folder = mkdtempSync(join(tmpdir(), 'smsgw-bench-'));
const daemon = new Daemon({ folder, config, nodeFlags });
try {
  const started = performance.now();
  await daemon.start();
  const ready = performance.now() - started;
  await daemon.until('sms_gateway.modem', 'status', { modem: 'sim0' }, ({ state }) => state === 'ready');
  console.log(`start to ready: ${ready.toFixed(0)} ms, with the modem ${(performance.now() - started).toFixed(0)} ms`);
  await wait(2_000);
  console.log(`at rest: ${memory(daemon.pid)}`);

  const from = performance.now();
  await submit(daemon.socket, MESSAGES);
  const submitted = performance.now() - from;
  await daemon.until('sms_gateway', 'status', {}, ({ queue }) => {
    const { queued, sending } = queue as { queued: number; sending: number };
    return queued + sending === 0;
  });
  const sent = performance.now() - from;
  const rate = (ms: number) => `${((MESSAGES / ms) * 1000).toFixed(0)}/s`;
  console.log(`${MESSAGES} messages: accepted by the gateway ${rate(submitted)}, by the modem ${rate(sent)}`);
  console.log(`afterwards: ${memory(daemon.pid)}`);
} finally {
  await daemon.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
