/**
 * All measurements under one command: npm run bench [-- NAME… [options of the one NAME]].
 * Without a name all of them run, one after the other: they would disturb each other.
 */
import { spawnSync } from 'node:child_process';

const benches = {
  peers: 'this gateway and three others on the same simulated modem',
  growth: 'with more modems, and with more stored messages',
  realistic: 'a modem that takes 1.5 s a part: how close the gateway comes to it',
  idle: 'processor time and wake-ups at rest',
  calls: 'calls a second over the socket and ubus',
  leak: 'memory over very many messages through the functions',
  gateway: 'the whole daemon over its socket: RPC calls, messages, memory',
  cgi: 'the cgi-bin URLs, with and without the shim',
  smpp: 'the SMPP server',
  outbox: 'the outbox on a real disk',
  store: 'octets to the disk, start and memory with many messages',
  'sms-codec': 'the SMS codec',
} as const;

const args = process.argv.slice(2);
const names = args.filter((arg) => Object.hasOwn(benches, arg));
const options = args.slice(names.length);
const [unknown] = names.length === 0 ? args : names.length > 1 ? options : [];
if (unknown !== undefined) {
  const known = Object.entries(benches).map(([name, what]) => `  ${name.padEnd(10)} ${what}`);
  console.error(`${unknown} is no measurement, or more than one is to get options. There are:\n${known.join('\n')}`);
  process.exit(64);
}
const failed = (names.length > 0 ? names : Object.keys(benches)).filter((name) => {
  console.log(`\n# ${name}\n`);
  const script = new URL(`${name}.ts`, import.meta.url).pathname;
  return spawnSync(process.execPath, ['--import=tsx', script, ...options], { stdio: 'inherit' }).status !== 0;
});
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);
