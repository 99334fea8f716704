/**
 * `npm run abuse`, or `npm run abuse -- --seconds 20 --only slow-http --messages 100000`: the built daemon with the heap
 * that it has on a small router, and one attack after the other, while users of good manners go on. Prints a table of
 * how they were served and what the daemon used. Exits with 1 when one of them waited more than a second, or when
 * something that was accepted is lost. Everything is bounded in number and time, and stays on the loopback interface.
 *
 * Not here: steps of the wall clock, which would be those of the whole machine. The tests step an injected clock.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Daemon } from '../support/daemon.ts';
import { freePort } from '../support/free-port.ts';
import { SimulatorProgram } from '../support/simulator-program.ts';
import { type AttackName, attacks, type Target } from './attacks.ts';
import { type Door, type Tried, Users } from './users.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    only: { type: 'string', multiple: true },
    /** Incoming SMS in the burst. */
    messages: { type: 'string', default: '3000' },
    connections: { type: 'string', default: '10000' },
    heap: { type: 'string', default: '48' },
    /** Longest wait of a user, ms. On a machine that is busy with other things, give more. */
    within: { type: 'string', default: '1000' },
  },
});
const seconds = Number(values.seconds);

const within = Number(values.within);

const simulator = await SimulatorProgram.start('--memory', '255');
const folder = mkdtempSync(join(tmpdir(), 'smsgw-abuse-'));
const smppPort = await freePort();

const config = (change: number): string => `
config gateway 'gateway'
	option capacity '1000000'
	option keep_sent_max '100000'
	option sms_per_minute '0'
	option sms_per_hour '0'
	option sms_per_day '0'
	list function_limit 'post_get 0 0 0'
	list function_limit 'smpp 0 0 0'

config modem 'gsm0'
	option device '${simulator.device}'
	option send_interval '0'
	option reports '0'

config post_get 'post_get'
	option enabled '1'
	option username 'user'
	option password 'right'
	option send_timeout '0'

config smpp 'smpp'
	option enabled '1'
	option username 'user'
	option password 'right'
	option port '${smppPort}'
	option address '127.0.0.1'

config sms_gateway 'auto_reply'
	option enabled '1'
	option every_sms '0'
	option msg 'answer ${change}'
`;

// As /usr/sbin/sms_gateway, and with the heap of a small router.
const nodeFlags = ['--max-semi-space-size=1', '--v8-pool-size=1', '--expose-gc', `--max-old-space-size=${values.heap}`];
const daemon = new Daemon({ folder, config: config(0), nodeFlags, args: ['--ubus', 'off'] });

interface World {
  readonly target: Target;
  readonly pid: number;
  readonly door: Door;
}

/** Runs the attackers until they are done. */
async function attack(name: AttackName, { target }: World): Promise<string> {
  const argv = ['--import', 'tsx', 'test/abuse/attacks.ts', name, JSON.stringify(target)];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (octets: Buffer) => {
    said += octets.toString();
  });
  await once(child, 'exit');
  return said.trim();
}

/** What the network took for the gateway. */
let incoming = 0;

/** Lets messages arrive as fast as the network takes them, and waits until the gateway has them. */
async function burst(): Promise<string> {
  const wanted = Number(values.messages);
  const begun = Date.now();
  const end = begun + Math.max(seconds * 1000, wanted * 20);
  let taken = 0;
  while (taken < wanted && Date.now() < end) {
    if (await simulator.receive(`+3706${String(incoming % 10_000_000).padStart(7, '0')}`, `burst ${taken}`)) {
      taken += 1;
      incoming += 1;
    } else await wait(20);
  }
  await received(end + 30_000);
  return `${taken} messages, ${Math.round((taken * 1000) / (Date.now() - begun))} a second`;
}

async function used(): Promise<number> {
  return Number((await daemon.call('sms_gateway.message', 'total'))['used']);
}

async function received(end: number): Promise<void> {
  while ((await used()) < incoming && Date.now() < end) await wait(200);
}

async function changes(): Promise<string> {
  const end = Date.now() + seconds * 1000;
  let made = 0;
  for (; Date.now() < end; made++) {
    daemon.configure(config(made));
    await wait(50);
  }
  return `${made} changes`;
}

/** As a machine that sleeps: both clocks have jumped when it goes on. */
async function sleep({ pid }: World): Promise<string> {
  for (let n = 0; n < 2; n++) {
    process.kill(pid, 'SIGSTOP');
    await wait(400);
    process.kill(pid, 'SIGCONT');
    await wait((seconds * 1000) / 4);
  }
  return 'twice for 0.4 s';
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** No descriptor is left for a new connection or file; whoever is connected goes on. */
async function withoutDescriptors(world: World): Promise<string> {
  const { pid } = world;
  const limit = (most: number) => spawnSync('prlimit', ['--pid', String(pid), `--nofile=${most}:4096`]).status;
  const most = descriptors(pid) + 2;
  if (limit(most) !== 0) return 'not done: apt-get install util-linux';
  await attack('crowd', { ...world, target: { ...world.target, connections: 2_000 } });
  limit(4096);
  await wait(1_000);
  return `at most ${most} descriptors`;
}

interface Scenario {
  readonly run: (world: World) => Promise<string>;
  /** What cannot be served meanwhile, and is to be served again afterwards. */
  readonly refused?: readonly string[];
}

const scenarios: Readonly<Record<string, Scenario>> = {
  quiet: { run: () => wait(seconds * 1000, '') },
  ...Object.fromEntries(
    Object.keys(attacks).map((name) => [name, { run: (world: World) => attack(name as AttackName, world) }]),
  ),
  burst: { run: burst },
  changes: { run: changes },
  sleep: { run: sleep },
  descriptors: { run: withoutDescriptors, refused: ['sms_send', 'sms_list', 'status'] },
};

/** A figure of /proc/PID/status, MB. */
function memory(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(found?.[1] ?? 0) / 1024);
}

/** The high-water mark begins again. */
function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Only the kernel of another owner refuses; then the mark is that of all scenarios so far.
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

const faults: string[] = [];

/** How the users fared; faults where one was not served. */
function judge(name: string, tried: readonly Tried[], refused: readonly string[] = []) {
  const asked = tried.filter(({ what }) => !refused.includes(what));
  for (const { what, ms, failure } of asked) {
    if (failure !== undefined) faults.push(`${name}: ${what}: ${failure}`);
    else if (ms > within) faults.push(`${name}: ${what} took ${Math.round(ms)} ms`);
  }
  const slowest = [...asked].sort((a, b) => b.ms - a.ms)[0];
  return {
    asked: asked.length,
    'median ms': Math.round(median(asked.map(({ ms }) => ms))),
    'most ms': Math.round(slowest?.ms ?? 0),
    slowest: slowest?.what ?? '',
    failed: asked.filter(({ failure }) => failure !== undefined).length,
  };
}

/** Texts of all messages in the outbox, with their states. */
async function outbox(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const page = await daemon.call('sms_gateway.message', 'list', {
      ...{ box: 'outbox', limit: 500 },
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { text, state } of page['messages'] as { text: string; state: string }[]) found.set(text, state);
    cursor = page['cursor'] as string | undefined;
  } while (cursor !== undefined);
  return found;
}

/** Whether everything that was accepted is there, and sent. */
async function account(accepted: readonly string[]): Promise<void> {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await outbox();
    const open = accepted.filter((text) => found.get(text) !== 'sent');
    if (open.length === 0) break;
    if (Date.now() > end) {
      for (const text of open.slice(0, 5)) faults.push(`accepted and not sent: ${text}: ${found.get(text) ?? 'gone'}`);
      break;
    }
    await wait(500);
  }
  await received(end);
  const arrived = await used();
  if (arrived !== incoming) faults.push(`of ${incoming} messages that came in, the inbox holds ${arrived}`);
  console.log(`accepted from users and sent: ${accepted.length}; came in and kept: ${arrived}`);
}

await daemon.start();
const pid = daemon.pid;
if (pid === undefined) throw new Error('the daemon has no process');
await daemon.until('sms_gateway.modem', 'list', {}, ({ modems }) => JSON.stringify(modems).includes('"ready"'));
const door: Door = { http: daemon.http, smpp: smppPort, login: { username: 'user', password: 'right' } };
const target: Target = {
  ...{ http: Number(new URL(daemon.http).port), smpp: smppPort, socket: daemon.socket },
  ...{ seconds, connections: Number(values.connections) },
};
const ended = daemon.untilEnd();
ended.catch(() => undefined);
const accepted: string[] = [];
const rows: Record<string, object> = {};
try {
  for (const [name, { run, refused }] of Object.entries(scenarios)) {
    if (values.only !== undefined && !values.only.includes(name)) continue;
    forgetPeak(pid);
    const users = await Users.come(daemon, door, name);
    const done = await Promise.race([run({ target, pid, door }), ended]);
    await users.leave();
    accepted.push(...users.accepted);
    rows[name] = { ...judge(name, users.tried, refused), 'peak MB': memory(pid, 'VmHWM'), done };
    if (refused === undefined) continue;
    const after = await Users.come(daemon, door, `after ${name}`);
    await wait(2_000);
    await after.leave();
    accepted.push(...after.accepted);
    rows[`after ${name}`] = judge(`after ${name}`, after.tried);
  }
  await account(accepted);
  console.table(rows);
  console.log(`at the end: ${memory(pid, 'VmRSS')} MB resident, ${descriptors(pid)} descriptors`);
} catch (error) {
  faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  console.table(rows);
}
for (const fault of faults.slice(0, 40)) console.log(fault);
if (faults.length > 0) console.log(`${faults.length} faults; the last lines of the log:\n${daemon.log.slice(-2_000)}`);
await daemon.stop();
simulator.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(faults.length === 0 ? 0 : 1);
