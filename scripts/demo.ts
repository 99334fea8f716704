/**
 * `npm start`: the daemon with a simulated modem. Config, messages and socket lie in .demo/, so a second start finds
 * the messages of the first. Remove the folder for a fresh start.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { FIRST_ACCOUNT, WebAccounts } from '../src/access/web-accounts.ts';

const http = '127.0.0.1:8080';
/** Only this machine reaches the demo. */
const password = 'sms-gateway';
const socket = '.demo/sms_gateway.sock';
const config = '.demo/config/sms_gateway';

const demoConfig = `
config gateway 'gateway'
	option log_level 'info'

config modem 'sim0'
	option device 'sim'
	option sim_answer '1'
	option send_interval '0'

config post_get 'post_get'
	option enabled '1'
	option username 'user1'
	option password 'user_pass'
	option factory_sends '1'

config group
	option name 'friends'
	list tel '0037060000001'
	list tel '0037060000002'
`;

const banner = `
An SMS gateway with a simulated modem. Its pages: http://${http}/
User name ${FIRST_ACCOUNT}, password ${password}

Things to try, in a second terminal:

  curl 'http://${http}/cgi-bin/sms_send?username=user1&password=user_pass&number=0037060000001&text=hello'
  curl 'http://${http}/cgi-bin/sms_list?username=user1&password=user_pass'
  curl 'http://${http}/cgi-bin/sms_total?username=user1&password=user_pass'
  node dist/smsgw.js --socket ${socket} list
  node dist/smsgw.js --socket ${socket} listen
  node dist/smsgw.js --socket ${socket} call sms_gateway.simulator receive '{"from":"+37061111111","text":"hi"}'

The simulated subscriber answers what you send. Settings: ${config}, taken up when you save it. Stop with Ctrl-C.

`;

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Whether a daemon takes connections at the socket. */
async function answers(): Promise<boolean> {
  const peer = connect(socket);
  try {
    await once(peer, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    peer.destroy();
  }
}

await mkdir('.demo/config', { recursive: true });
if (!(await exists(config))) await writeFile(config, demoConfig, { mode: 0o600 });
const accounts = new WebAccounts('.demo/config', async () => undefined);
if (!(await accounts.any())) await accounts.setPassword(FIRST_ACCOUNT, password);

if (await answers()) {
  process.stderr.write(`The demo of this folder runs already: http://${http}/\n`);
  process.exit(75);
}

const daemon = spawn(
  process.execPath,
  [
    'dist/main.js',
    ...['--config-dir', '.demo/config'],
    ...['--state-dir', '.demo/state'],
    ...['--socket', socket],
    ...['--http', http],
  ],
  { stdio: 'inherit' },
);
// Ctrl-C reaches the daemon from the terminal, and a second one would end it at once.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => daemon.kill());
const ended = once(daemon, 'exit');
const runs = () => daemon.exitCode === null && daemon.signalCode === null;
while (runs() && !(await answers())) await wait(100);
if (runs()) process.stdout.write(banner);
const [code] = await ended;
process.exit(typeof code === 'number' ? code : 1);
