import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';

const modem = (answers: boolean) => `
config modem 'sim0'
	option device 'sim'
	option send_interval '0'
	option sim_answer '${answers ? 1 : 0}'
`;

const gateway = (mode: string) => `
config gateway 'gateway'
	option socket_mode '${mode}'
`;

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** A daemon with a module that hangs in its start until `release` is called: it reads a file that has no end. */
function slowDaemon(t: Test) {
  const folder = testFolder(t);
  const file = `${folder}/ca.pem`;
  execFileSync('mkfifo', [file]);
  const config = `${gateway('0660')}
config sms_gateway 'forwarding_to_http'
	option enabled '1'
	option url 'https://127.0.0.1:1'
	option ca_file '${file}'
`;
  const daemon = new Daemon({ folder, config });
  t.teardown(() => daemon.stop('SIGKILL'));
  return { daemon, config, release: () => writeFileSync(file, 'no certificate') };
}

async function starting(daemon: Daemon): Promise<void> {
  // The file is there a moment before anybody listens on it.
  const answers = () =>
    daemon.call('sms_gateway', 'version').then(
      () => true,
      () => false,
    );
  await until(answers, 'an answer');
  await daemon.until('sms_gateway.module', 'status', { module: 'forwarding_to_http' }, ({ state }) => {
    return state === 'starting';
  });
}

t.test('a start that takes long', async (t) => {
  await t.test('shows how far it is, and takes up what was committed meanwhile', async (t) => {
    const { daemon, config, release } = slowDaemon(t);
    const started = daemon.start();
    await starting(daemon);
    daemon.configure(config.replace('0660', '0600'));
    process.kill(daemon.pid ?? 0, 'SIGHUP');
    t.equal((await daemon.call('sms_gateway.message', 'total')).used, 0, 'SIGHUP does not end it');
    t.equal(modeOf(daemon.socket), '660');
    release();
    await started;
    t.equal(modeOf(daemon.socket), '600');
    t.equal(await daemon.stop(), 0);
  });

  await t.test('can be stopped', async (t) => {
    const { daemon, release } = slowDaemon(t);
    const started = t.rejects(daemon.start(), /ended with 0 before it was ready/);
    await starting(daemon);
    const stopped = daemon.stop();
    await until(() => !existsSync(daemon.socket), 'the end of the socket');
    // Node itself ends only when no file is being read any more.
    release();
    t.equal(await stopped, 0);
    await started;
  });
});

t.test('options of the gateway and of the simulated modem are taken up at once', async (t) => {
  const daemon = new Daemon({ folder: testFolder(t), config: gateway('0660') + modem(false) });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const send = (text: string) =>
    daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text, wait: 10 }).then(({ state }) => state);
  t.equal(await send('to nobody'), 'sent');
  daemon.configure(gateway('0600') + modem(true));
  await until(() => modeOf(daemon.socket) === '600', 'the new mode');
  await daemon.until('sms_gateway.modem', 'status', { modem: 'sim0' }, ({ state }) => state === 'ready');
  t.equal(await send('to somebody'), 'sent');
  const { messages } = await daemon.until('sms_gateway.message', 'list', { box: 'inbox' }, ({ messages }) => {
    return Array.isArray(messages) && messages.length > 0;
  });
  t.match(messages, [{ text: /to somebody/ }]);
  const { messages: out } = await daemon.call('sms_gateway.simulator', 'sent');
  t.equal((out as readonly JsonObject[]).length, 2, 'the simulated modem is the same one');
});

t.test('the log tells a service manager what is for reading and what to look at', async (t) => {
  const wrong = `${modem(false)}\toption no_such_option '1'\n`;
  const daemon = new Daemon({ folder: testFolder(t), config: wrong });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  await until(() => daemon.complaints !== '', 'a complaint');
  t.match(daemon.complaints, /^warning config: .*no_such_option/m);
  t.notMatch(daemon.complaints, /^(info|debug) /m);
  t.match(readFileSync(`/proc/${daemon.pid}/comm`, 'utf8'), /^sms_gateway$/m, 'the name that ps shows');
  t.equal(await daemon.stop(), 0);
});

t.test('it outlives whoever reads its log', async (t) => {
  const daemon = new Daemon({ folder: testFolder(t), config: modem(false) });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  daemon.closeLog();
  for (const mode of ['0600', '0640', '0660']) {
    daemon.configure(gateway(mode) + modem(false));
    await daemon.call('sms_gateway', 'reload');
  }
  t.equal((await daemon.call('sms_gateway.message', 'total')).used, 0);
  t.equal(await daemon.stop(), 0);
});
