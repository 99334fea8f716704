/** The command line with the whole daemon, as an operator meets it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Daemon, type DaemonOptions } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { missingPrograms } from '../support/programs.ts';

interface End {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(program: string, args: readonly string[]): Promise<End> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env: { ...process.env, TZ: 'UTC' } }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
    });
  });
}

async function running(t: Test, config: string, options: Partial<DaemonOptions> = {}) {
  const daemon = new Daemon({ folder: testFolder(t), config, ...options });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  const smsgw = (...args: string[]) => run('dist/smsgw.js', ['--socket', daemon.socket, ...args]);
  return { daemon, smsgw };
}

t.test('a config that cannot be read ends the start with 78; one that does not parse shows its line', async (t) => {
  const folder = testFolder(t);
  mkdirSync(`${folder}/config/sms_gateway`, { recursive: true });
  const args = ['--config-dir', `${folder}/config`, '--state-dir', `${folder}/state`, '--socket', `${folder}/s`];
  t.match(await run('dist/main.js', args), { code: 78, err: /config\/sms_gateway: not a regular file/ });
  const { smsgw } = await running(t, 'option without a section\n');
  t.match(await smsgw('status'), { code: 0, out: /sms_gateway:1: error: / });
});

t.test('status: the next try of a function, and which message waits longest', async (t) => {
  const taken = createServer();
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const smpp = `config smpp 'smpp'\n\toption enabled '1'\n\toption port '${port}'\n\toption username 'a'\n\toption password 'b'\n`;
  const { daemon, smsgw } = await running(t, smpp);
  const { modules } = await daemon.until('sms_gateway.module', 'list', {}, (answer) =>
    JSON.stringify(answer).includes('next_try'),
  );
  t.match(JSON.stringify(modules), /"name":"smpp".*"state":"failed".*"next_try":"\d{4}-/);
  t.match((await smsgw('status')).out, /^smpp +failed .*\(.*next try \d{4}-/m);
  const later = new Date(Date.now() + 86_400_000).toISOString();
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'later', not_before: later });
  t.match((await smsgw('status')).out, /^Next: message 1 to \+37060000001, at /m);
  t.match(await smsgw('send', '+37060000002', 'now'), { code: 0, err: /Warning: no modem is configured/ });
  t.match((await smsgw('status')).out, /^Waits longest: message 2 .*: no modem is configured/m);
});

t.test('module test prints a line for each target, and what failed as an error', async (t) => {
  const hook = (name: string, program: string) =>
    `config hook '${name}'\n\tlist argv '${program}'\n\tlist event 'sms.received'\n`;
  const { daemon, smsgw } = await running(
    t,
    hook('good', '/bin/true') + hook('other', '/bin/true') + hook('bad', '/bin/false'),
  );
  await daemon.until('sms_gateway.module', 'status', { module: 'hooks' }, ({ state }) => state === 'running');
  t.same(await smsgw('module', 'test', 'hooks'), {
    code: 70,
    out: 'hook good: done\nhook other: done\n',
    err: 'smsgw: failed: hook bad: exit code 1\n',
  });
  t.match(await smsgw('--json', 'module', 'test', 'hooks'), { code: 70, out: '', err: /"code":"peer_rejected"/ });
  daemon.configure(hook('good', '/bin/true') + hook('other', '/bin/true'));
  t.match(await smsgw('reload'), { code: 0 });
  t.same(await smsgw('module', 'test', 'hooks'), { code: 0, out: 'hook good: done\nhook other: done\n', err: '' });
});

t.test('what a command writes into the config holds when it ends', async (t) => {
  const { daemon, smsgw } = await running(t, "config modem 'sim0'\n\toption device 'sim'\n");
  for (let count = 0; count < 3; count++) {
    t.match(await smsgw('config', 'set', 'sim0.enabled', '0'), { code: 0 });
    t.match(await daemon.call('sms_gateway.modem', 'list'), { modems: [] });
    t.match(await smsgw('send', '+37060000001', 'x'), { err: /or all are switched off/ });
    t.match(await smsgw('config', 'set', 'sim0.enabled', '1'), { code: 0 });
    t.match(await daemon.call('sms_gateway.modem', 'list'), { modems: [{ name: 'sim0' }] });
  }
  t.match(await smsgw('token', 'create', 'one'), { code: 0 });
  t.match(await daemon.call('sms_gateway', 'status'), { config_errors: [] });
});

t.test('a group that may read asks how the gateway is, and warnings go with their cause', async (t) => {
  const own = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([, , id]) => Number(id) === process.getegid?.())?.[0];
  if (own === undefined) throw new Error('the group of this process has no name');
  const key = `${t.testdirName}/key`;
  const text = (send: string) =>
    `config gateway 'gateway'\n\toption read_group '${own}'\n\toption send_group '${send}'\nconfig mqtt 'mqtt'\n\toption tls_cert '${key}'\n\toption tls_key '${key}'\n`;
  const { daemon, smsgw } = await running(t, text('no-such-group'));
  writeFileSync(key, 'no key', { mode: 0o644 });
  chmodSync(key, 0o644);
  const socket = daemon.socket.replace(/(?:\.sock)?$/, '-read.sock');
  const asReader = (...args: string[]) => run('dist/smsgw.js', ['--socket', socket, ...args]);
  t.match(await asReader('status', '--check'), { code: 2, out: /^SMS CRITICAL - no modem is configured/ });
  t.match(await asReader('reload'), { code: 77, err: /reload" is not for the role read/ });
  const group = /gateway\.send_group: there is no group no-such-group/;
  const exposed = /all users can read the private key in /;
  for (const pattern of [group, exposed]) {
    t.match((await smsgw('status')).out, pattern);
    t.match((await smsgw('doctor')).out, pattern);
    t.match((await smsgw('config', 'check')).out, pattern);
    t.match(daemon.log, pattern);
  }
  chmodSync(key, 0o600);
  t.notMatch((await smsgw('status')).out, exposed);
  daemon.configure(text(own));
  t.match(await smsgw('reload'), { code: 0 });
  t.notMatch((await smsgw('status')).out, group);
});

t.test('a device that is not there', async (t) => {
  const { daemon, smsgw } = await running(t, "config modem 'gsm0'\n\toption device '/dev/nowhere'\n");
  await daemon.until('sms_gateway.modem', 'list', {}, (answer) => JSON.stringify(answer).includes('does not exist'));
  t.match(daemon.log, /^warning modem\.gsm0: \/dev\/nowhere does not exist/m);
  t.match(await smsgw('send', '+37060000002', 'now'), {
    err: /Warning: modem gsm0 is opening: .*\/dev\/nowhere does not exist/,
  });
});

t.test('doctor', async (t) => {
  const hook = "config hook 'h'\n\tlist argv '/bin/sh'\n\tlist argv 'kept secret'\n\tlist event 'sms.received'\n";
  const { daemon, smsgw } = await running(
    t,
    `config modem 'gsm0'\n\toption device 'sim'\n${hook}config post_get 'post_get'\n\toption enabled '1'\n\toption password 'my secret'\n`,
  );
  await daemon.until('sms_gateway.modem', 'list', {}, (answer) => JSON.stringify(answer).includes('"ready"'));
  const well = await smsgw('doctor');
  t.equal(well.err, '');
  t.ok(well.code < 2, well.out);
  t.notMatch(well.out, /^FAIL/m);
  t.notMatch(well.out, /secret/);
  for (const line of [
    /^WARN +config +all users can read the passwords in .*\n +-> chmod 600 /m,
    /^OK +service +runs, version /m,
    /^OK +port gsm0 +sim is no port/m,
    /^OK +modem gsm0 +\S/m,
    /^OK +SIM gsm0 +its memory/m,
    /^OK +network gsm0 +.* dBm$/m,
    /^OK +functions +.*hooks/m,
    /^OK +queue +0 messages wait/m,
    /^OK +store +inbox 0 of 1000/m,
    /^OK +limits +none is near/m,
    /^OK +permissions +\S+ has mode 0660/m,
    /^\S+ +storage +\S+\/state[ :]/m,
    /^\S+ +clock +\d{4}-/m,
    /^OK +web +the built-in web server/m,
    /^OK +hook h +\/bin\/sh may run/m,
  ]) {
    t.match(well.out, line);
  }
  const json = JSON.parse((await smsgw('doctor', '--json')).out);
  t.equal(json.status, 'WARNING');
  t.ok(json.findings.some((f: { area: string; level: string }) => f.area === 'config' && f.level === 'warning'));

  daemon.configure(
    "config modem 'gsm0'\n\toption device '/dev/nowhere'\nconfig modem 'gsm1'\n\toption speed '1'\n" +
      "config hook 'h'\n\tlist argv '/nowhere/at/all'\n\tlist event 'sms.received'\n",
  );
  await daemon.until('sms_gateway.modem', 'list', {}, (answer) => JSON.stringify(answer).includes('does not exist'));
  const ill = await smsgw('doctor');
  t.equal(ill.code, 2);
  for (const line of [
    /^FAIL +modem gsm0 +opening: \/dev\/nowhere does not exist/m,
    /^WARN +config +.*gsm1\.speed: unknown option/m,
    /^FAIL +hook h +there is no program \/nowhere\/at\/all/m,
  ]) {
    t.match(ill.out, line);
  }
  t.equal(ill.out.split('/dev/nowhere does not exist').length, 2, 'once');

  await daemon.stop();
  const places = ['--config-dir', `${daemon.folder}/config`, '--state-dir', `${daemon.folder}/state`];
  const gone = await smsgw('doctor', ...places);
  t.equal(gone.code, 2);
  t.match(gone.out, /^FAIL +service +cannot reach the gateway: .*\n +-> start it: /m);
  t.match(gone.out, /^FAIL +port gsm0 /m, 'what files say it says all the same');
  t.match(gone.out, /^\S+ +storage +\S+\/state[ :]/m);
});

const skip = missingPrograms(['socat'], 'socat');

t.test('doctor names the program that has the port', { skip }, async (t) => {
  const folder = testFolder(t);
  const pty = spawn('socat', [`pty,link=${folder}/tty,raw,echo=0`, 'stdio'], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.teardown(() => pty.kill('SIGKILL'));
  const end = Date.now() + 20_000;
  while (!existsSync(`${folder}/tty`) && Date.now() < end) await wait(20);
  const reader = spawn('cat', [`${folder}/tty`], { stdio: 'ignore' });
  t.teardown(() => reader.kill('SIGKILL'));
  writeFileSync(`${folder}/sms_gateway`, `config modem 'gsm0'\n\toption device '${folder}/tty'\n`);
  let out = '';
  while (!out.includes(`cat (${reader.pid})`) && Date.now() < end) {
    out = (await run('dist/smsgw.js', ['doctor', '--socket', `${folder}/s`, '--config-dir', folder])).out;
  }
  t.match(out, /^FAIL +port gsm0 .*\/tty is open in .*cat \(\d+\).*\n +-> end that program/m);
});

t.test('listen prints what the store has with the time of its message', async (t) => {
  const { daemon } = await running(t, "config modem 'gsm0'\n\toption device 'sim'\n");
  await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000009', text: 'old' });
  await daemon.until('sms_gateway.message', 'total', {}, ({ unread }) => unread === 1);
  const { messages } = await daemon.call('sms_gateway.message', 'list');
  const [{ time }] = messages as [{ time: string }];
  await wait(2_000);
  const child = spawn(
    process.execPath,
    ['dist/smsgw.js', '--socket', daemon.socket, '--utc', 'listen', '--since', '0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  t.equal(line, `${time.slice(0, 19).replace('T', ' ')}Z  sms.received  #1  +37060000009  unread  old\n`);
});

t.test('listen misses nothing over a restart', async (t) => {
  const { daemon, smsgw } = await running(t, "config modem 'gsm0'\n\toption device 'sim'\n");
  await daemon.until('sms_gateway.modem', 'list', {}, (answer) => JSON.stringify(answer).includes('"ready"'));
  const receive = async (text: string) => {
    const { unread } = await daemon.call('sms_gateway.message', 'total');
    await daemon.call('sms_gateway.simulator', 'receive', { from: '+37060000009', text });
    await daemon.until('sms_gateway.message', 'total', {}, (total) => Number(total['unread']) > Number(unread));
  };
  await receive('first');
  await receive('second');
  const { messages } = await daemon.call('sms_gateway.message', 'list');
  const [{ id: first }] = messages as [{ id: number }];

  const child = spawn(
    process.execPath,
    ['dist/smsgw.js', '--socket', daemon.socket, '--json', 'listen', '--reconnect', '--since', String(first), 'sms.*'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  const lines = () =>
    out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
      .map(({ event, payload }) => `${event} ${payload.text}`);
  const printed = async (line: string) => {
    const end = Date.now() + 30_000;
    while (!lines().includes(line)) {
      if (Date.now() > end) throw new Error(`not printed: ${line}\n${out}`);
      await wait(25);
    }
  };
  await printed('sms.received second');
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'out', report: false });
  await printed('sms.sent out');
  // While it is held up, it learns of nothing; then its connection is gone.
  child.kill('SIGSTOP');
  await receive('third');
  await daemon.call('sms_gateway.message', 'send', { number: '+37060000001', text: 'more', wait: 30, report: false });
  await daemon.stop('SIGKILL');
  await daemon.start();
  await daemon.until('sms_gateway.modem', 'list', {}, (answer) => JSON.stringify(answer).includes('"ready"'));
  await receive('fourth');
  child.kill('SIGCONT');
  await printed('sms.received fourth');
  await receive('fifth');
  await printed('sms.received fifth');
  t.same(lines(), [
    ...['sms.received second', 'sms.sent out'],
    ...['sms.received third', 'sms.sent more', 'sms.received fourth', 'sms.received fifth'],
  ]);
  child.kill();

  const changed = await daemon.call('sms_gateway.message', 'list', { changed_since: '2100-01-01' });
  t.same(changed, { messages: [] });
  t.match(await smsgw('listen', 'sms.recieved'), { code: 64, err: /did you mean sms\.received\?/ });
  t.match(await smsgw('--utc', 'list', '--last', '1'), { out: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/ });
});
