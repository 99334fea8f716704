/**
 * How long the cgi-bin URLs take, through the built-in web server and through the shim under busybox httpd. Needs cc and
 * busybox. Run: npm run build && npx tsx bench/cgi.ts
 * Aim: the shim adds less than 3 ms to a request.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { buildShim } from '../test/cgi/shim.ts';
import { startBusybox } from '../test/http/web-server.ts';
import { Daemon, noLimits } from '../test/support/daemon.ts';

const config = `
config gateway 'gateway'
${noLimits}
config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config post_get 'post_get'
	option enabled '1'
	option factory_sends '1'
`;

/** What any CGI program costs under this web server on this machine. */
const bareProgram =
  '#include <stdio.h>\nint main(void) { puts("Content-Type: text/plain\\r\\n\\r\\nOK"); return 0; }\n';

const SECONDS = 2;
const login = 'username=user1&password=user_pass';

function get(port: number, path: string, agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent }, (response) => text(response).then(resolve, reject))
      .on('error', reject)
      .end();
  });
}

interface Measured {
  readonly perSecond: number;
  /** Of one request, as its client sees it; the median. */
  readonly ms: number;
}

async function measure(name: string, port: number, path: () => string, clients: number): Promise<Measured> {
  // busybox httpd closes every connection.
  const agent = name.startsWith('built-in') && new Agent({ keepAlive: true, maxSockets: clients });
  const body = await get(port, path(), agent);
  if (/^(ERROR|TIMEOUT|Bad|Disabled|<)/.test(body)) throw new Error(`${name}: got ${body}`);
  const started = performance.now();
  const times: number[] = [];
  const client = async () => {
    while (performance.now() - started < SECONDS * 1000) {
      const asked = performance.now();
      await get(port, path(), agent);
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsed = performance.now() - started;
  if (agent !== false) agent.destroy();
  times.sort((a, b) => a - b);
  const measured = { perSecond: (times.length * 1000) / elapsed, ms: times[times.length >> 1] ?? 0 };
  console.log(
    `${name.padEnd(52)}${measured.perSecond.toFixed(0).padStart(7)}/s${measured.ms.toFixed(2).padStart(9)} ms median`,
  );
  return measured;
}

const folder = mkdtempSync(join(tmpdir(), 'sms-gateway-bench-'));
const daemon = new Daemon({ folder, config });
let webServer: ChildProcess | undefined;
try {
  mkdirSync(join(folder, 'cgi-bin'));
  const shim = join(folder, 'cgi-bin/sms_total');
  buildShim(shim, '-Os');
  for (const name of ['sms_list', 'sms_send']) linkSync(shim, join(folder, 'cgi-bin', name));
  writeFileSync(join(folder, 'bare.c'), bareProgram);
  execFileSync('cc', ['-Os', '-o', join(folder, 'cgi-bin/bare'), join(folder, 'bare.c')]);
  await daemon.start();
  await daemon.until('sms_gateway.modem', 'list', {}, ({ modems }) => JSON.stringify(modems).includes('"ready"'));
  for (let i = 0; i < 50; i++) {
    await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000001', text: `message ${i}` });
  }
  await daemon.until('sms_gateway.message', 'total', {}, ({ used }) => used === 50);
  const busybox = await startBusybox(folder, daemon.socket);
  webServer = busybox.process;
  const builtIn = Number(/:(\d+)$/.exec(daemon.http)?.[1]);
  let sent = 0;
  const total = () => `/cgi-bin/sms_total?${login}`;
  const list = () => `/cgi-bin/sms_list?${login}`;
  const send = () => `/cgi-bin/sms_send?${login}&number=0037060000001&text=message+${sent++}`;

  for (const clients of [1, 10]) {
    await measure(`built-in, sms_total, ${clients} at a time`, builtIn, total, clients);
    await measure(`built-in, sms_list of 50, ${clients} at a time`, builtIn, list, clients);
    await measure(`built-in, sms_send, ${clients} at a time`, builtIn, send, clients);
  }
  const bare = await measure('busybox, a program that only prints OK', busybox.port, () => '/cgi-bin/bare', 1);
  const one = await measure('busybox and shim, sms_total, 1 at a time', busybox.port, total, 1);
  await measure('busybox and shim, sms_list of 50, 1 at a time', busybox.port, list, 1);
  await measure('busybox and shim, sms_send, 1 at a time', busybox.port, send, 1);
  await measure('busybox and shim, sms_total, 3 at a time', busybox.port, total, 3);
  console.log(
    `the shim adds ${(one.ms - bare.ms).toFixed(2)} ms to a program that does nothing (aim 3): x${(one.ms / bare.ms).toFixed(2)}`,
  );
} finally {
  webServer?.kill();
  await daemon.stop();
  rmSync(folder, { recursive: true });
}
