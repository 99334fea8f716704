import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { tooLate } from '../../src/modules/rules/authorisation.ts';
import { System, type SystemOptions } from '../../src/system/system.ts';
import { newFolder, testFolder } from '../support/folder.ts';
import { ModuleRig, type ModuleRigOptions } from '../support/module-rig.ts';
import { until } from '../support/outbox-rig.ts';

const ALICE = '+37060000001';
const BOB = '+37060000002';
const PASSWORD = 'Geheim7';
const gateway = `config gateway 'gateway'\n\toption admin_password '${PASSWORD}'\n`;

type Options = Readonly<Record<string, string | readonly string[]>>;

function section(type: string, name: string, options: Options): string {
  const lines = Object.entries(options).flatMap(([option, value]) =>
    typeof value === 'string' ? [`option ${option} '${value}'`] : value.map((item) => `list ${option} '${item}'`),
  );
  return `config ${type} '${name}'\n${lines.map((line) => `\t${line}\n`).join('')}\n`;
}

/** An enabled rule `r` whose text is `go`. */
const rule = (options: Options, name = 'r') => section('rule', name, { enabled: '1', smstext: 'go', ...options });

/** In a script: the folder that it lies in. */
const HERE = '"$(dirname "$0")"';

/** A folder with executable scripts and the files of a small router. */
function folder(t: Test, scripts: Readonly<Record<string, string>> = {}): string {
  const base = newFolder(t);
  mkdirSync(`${base}/state`);
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(base, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return base;
}

async function open(t: Test, base: string, config: string, system: SystemOptions = {}, more = {}): Promise<ModuleRig> {
  const options: ModuleRigOptions = { config, system: systemOf(base, system), ...more };
  const rig = await ModuleRig.open(base, options);
  t.teardown(() => rig.close());
  return rig;
}

const systemOf = (base: string, options: SystemOptions) =>
  new System({
    root: base,
    ubus: `${base}/ubus`,
    reboot: `${base}/reboot`,
    isRoot: true,
    uptime: () => 86_400,
    ...options,
  });

/** Lets a message arrive and waits for the rules; gives what was answered since. */
async function order(rig: ModuleRig, text: string, from = ALICE, time?: number): Promise<readonly string[]> {
  const before = (await rig.outbox()).length;
  await rig.receive(from, text, time === undefined ? {} : { time });
  await rig.handled('rules');
  return (await rig.outbox()).slice(before).map(({ number, text }) => (number === from ? text : `${number}: ${text}`));
}

const counters = (rig: ModuleRig) => rig.modules.status('rules').counters;

t.test('send_status answers with the status', async (t) => {
  const base = testFolder(t, {
    proc: {
      sys: { kernel: { hostname: 'RUT240\n' } },
      net: { route: 'Iface\tDestination\tGateway\n' },
    },
    etc: { 'os-release': 'NAME="OpenWrt"\nPRETTY_NAME="OpenWrt 23.05.3"\n' },
  });
  const rig = await open(t, base, gateway + rule({ action: 'send_status', smstext: 'status' }));
  t.strictSame(await order(rig, `${PASSWORD} status`), [
    'Router name - RUT240; WAN IP - none; Data Connection state - disconnected; Connection type - none; ' +
      'Signal strength - -71 dBm; New FW available - unknown, running OpenWrt 23.05.3;',
  ]);
  t.strictSame(
    (await rig.outbox()).map(({ modem, source }) => [modem, source]),
    [['gsm0', 'rules']],
  );
  t.match(
    rig.log.find((line) => line.includes('(send_status)')),
    `info rules: rule r (send_status) for ${ALICE}`,
  );
});

t.test('password', async (t) => {
  const status = rule({ action: 'send_status', message: 'fine' });
  t.test('from the config; its case matters', async (t) => {
    const rig = await open(t, folder(t), gateway + status);
    t.strictSame(await order(rig, `  ${PASSWORD}\n GO `), ['fine']);
    t.strictSame(await order(rig, `${PASSWORD.toLowerCase()} go`), []);
    t.strictSame(await order(rig, 'go'), []);
    t.strictSame(await order(rig, `${PASSWORD} ${PASSWORD} go`), []);
    t.match(counters(rig), { executed: 1, refused: 1 });
    t.notMatch(rig.log.filter((line) => !line.startsWith('debug')).join('\n'), /geheim/i, 'the log holds no secret');
  });
  t.test('a hash in the config', async (t) => {
    const rig = await open(t, folder(t), gateway.replace(PASSWORD, md5) + status);
    t.strictSame(await order(rig, 'password go'), ['fine']);
    t.strictSame(await order(rig, `${md5} go`), [], 'the hash itself opens nothing');
  });
  t.test("root's", async (t) => {
    const shadow = (hash: string) => `daemon:*:1:0:99999:7:::\nroot:${hash}:19000:0:99999:7:::\n`;
    const cases: readonly (readonly [string, string, string, boolean])[] = [
      ['md5crypt', md5, 'password', true],
      ['md5crypt, wrong', md5, 'passw0rd', false],
      ['the hash is not the password', md5, md5, false],
      ['a scheme that cannot be checked', '$y$j9T$abc$def', '$y$j9T$abc$def', false],
      ['locked', '!', '!', false],
      ['none', '', '-', false],
    ];
    for (const [what, hash, secret, right] of cases) {
      const base = testFolder(t, { etc: { shadow: shadow(hash) } });
      const rig = await ModuleRig.open(base, { config: status, system: systemOf(base, {}) });
      t.strictSame(await order(rig, `${secret} go`), right ? ['fine'] : [], what);
      await rig.close();
    }
  });
});

/** `openssl passwd -1 -salt abcdefgh password` */
const md5 = '$1$abcdefgh$G//4keteveJp0qb8z2DxG/';

t.test('serial number', async (t) => {
  const bySerial = rule({ action: 'send_status', message: 'fine', authorisation: 'serial' });
  const cases: readonly (readonly [string, string, string, string, boolean])[] = [
    ['from the config', gateway.replace('admin_password', 'serial'), '', PASSWORD.toUpperCase(), true],
    ['of the board', '', '1102345678\0', '1102345678', true],
    ['wrong', '', '1102345678\0', '1102345679', false],
    ['a board without one', '', '0000000000', '0000000000', false],
  ];
  for (const [what, config, serial, secret, right] of cases) {
    const base = testFolder(t, { sys: { firmware: { devicetree: { base: { 'serial-number': serial } } } } });
    const rig = await ModuleRig.open(base, { config: config + bySerial, system: systemOf(base, {}) });
    t.strictSame(await order(rig, `${secret} go`), right ? ['fine'] : [], what);
    await rig.close();
  }
});

t.test('wrong passwords lock out strangers, and nobody who is listed or was right before', async (t) => {
  const rig = await open(t, folder(t), gateway + rule({ action: 'send_status', message: 'fine' }));
  t.strictSame(await order(rig, `${PASSWORD} go`), ['fine']);
  for (let n = 0; n < 5; n++) t.strictSame(await order(rig, `wrong${n} go`), []);
  t.strictSame(await order(rig, `${PASSWORD} go`), ['fine'], 'the owner is let in, whoever forged the sender');
  for (let n = 0; n < 5; n++) t.strictSame(await order(rig, `wrong${n} go`, BOB), []);
  t.strictSame(await order(rig, `${PASSWORD} go`, BOB), [], 'a stranger is not listened to');
  for (let n = 0; n < 55; n++) await order(rig, 'wrong go', `+4960000${1000 + n}`);
  t.strictSame(await order(rig, `${PASSWORD} go`, '+37060000003'), [], 'many names together lock out all strangers');
  t.strictSame(await order(rig, `${PASSWORD} go`), ['fine']);
  await rig.clock.advance(3_601_000);
  t.strictSame(await order(rig, `${PASSWORD} go`, BOB), ['fine']);
});

t.test('a commit is no way around a lock-out; new secrets begin anew', async (t) => {
  const config = (password: string, message: string) =>
    `config gateway 'gateway'\n\toption admin_password '${password}'\n${rule({ action: 'send_status', message })}`;
  const rig = await open(t, folder(t), config(PASSWORD, 'fine'));
  t.strictSame(await order(rig, `${PASSWORD} go`), ['fine']);
  for (let n = 0; n < 5; n++) for (const from of [ALICE, BOB]) await order(rig, `wrong${n} go`, from);
  await rig.configure(config(PASSWORD, 'well'));
  t.strictSame(await order(rig, `${PASSWORD} go`, BOB), [], 'a stranger stays locked out');
  t.strictSame(await order(rig, `${PASSWORD} go`), ['well'], 'who was right is still known');
  await rig.configure(config('Another8', 'well'));
  t.strictSame(await order(rig, 'Another8 go', BOB), ['well'], 'nobody has guessed at the new password yet');
  for (let n = 0; n < 5; n++) await order(rig, `${PASSWORD} go`);
  t.strictSame(await order(rig, 'Another8 go'), [], 'who knew the old one is a stranger');
});

t.test('five forged messages do not lock out the phone that a rule lists', async (t) => {
  const listed = rule({ action: 'send_status', message: 'fine', allowed_phone: 'single', tel: ALICE });
  const rig = await open(t, folder(t), gateway + listed);
  for (let n = 0; n < 6; n++) t.strictSame(await order(rig, `wrong${n} go`), []);
  t.strictSame(await order(rig, `${PASSWORD} go`), ['fine']);
});

t.test('answers', async (t) => {
  t.test('go to other phones where the rule says so', async (t) => {
    const others = { to_other_phone: '1', to_number: [BOB, '+37060000003', BOB] };
    const rig = await open(t, folder(t), gateway + rule({ action: 'send_status', message: '%sn asks', ...others }));
    t.strictSame(await order(rig, `${PASSWORD} go`), [`${BOB}: ${ALICE} asks`, `+37060000003: ${ALICE} asks`]);
  });
  t.test('go by the modem of the rule', async (t) => {
    const modems = ['gsm0', 'gsm1'].map((name) => section('modem', name, { device: 'sim' })).join('');
    const config = gateway + modems + rule({ action: 'send_status', message: 'fine', modem: 'gsm1' });
    const rig = await open(t, folder(t), config, {}, { modems: ['gsm1'] });
    await order(rig, `${PASSWORD} go`);
    t.strictSame(
      (await rig.outbox()).map(({ modem }) => modem),
      ['gsm1'],
    );
  });
  t.test('go nowhere when the sender is a name', async (t) => {
    const rig = await open(t, folder(t), gateway + rule({ action: 'send_status', message: 'fine' }));
    t.strictSame(await order(rig, `${PASSWORD} go`, 'MyBank'), []);
    t.match(counters(rig), { executed: 1 });
  });
});

t.test('command', async (t) => {
  const config = (argv: readonly string[], options: Options = {}, command: Options = {}) =>
    gateway +
    rule({ action: 'command', command: 'job', ...options }) +
    section('command', 'c', { name: 'job', argv, ...command });
  const outcome = async (script: string, options?: Options, command?: Options) => {
    const base = folder(t, { job: script });
    const rig = await ModuleRig.open(base, { config: config([`${base}/job`, 'a b', '$HOME'], options, command) });
    await rig.receive(ALICE, `${PASSWORD} go`);
    await rig.handled('rules');
    await until(() => /rule r \(command\)/.test(rig.log.join('\n')), 'the command has ended');
    await until(async () => options?.['reply'] === '0' || (await rig.outbox()).length > 0, 'it was answered');
    const [answer] = await rig.outbox();
    const result = { answer: answer?.text, parts: answer?.parts, log: rig.log.join('\n'), counters: counters(rig) };
    await rig.close();
    return result;
  };

  t.test('runs without a shell and answers with the output', async (t) => {
    const { answer, counters } = await outcome(
      'echo "$#:$1:$2"; pwd; printf "\\033[1mx\\tz\\r\\n"; env | grep -c HOME; true',
    );
    t.equal(answer, '2:a b:$HOME\n/\n [1mx z\n0');
    t.match(counters, { executed: 1, failed: 0 });
  });
  t.test('nothing printed', async (t) => {
    t.equal((await outcome('exit 0')).answer, 'job: done');
  });
  t.test('a failure is answered with what was printed', async (t) => {
    const { answer, counters, log } = await outcome('echo "no such pump" >&2; exit 3');
    t.equal(answer, 'job: exit code 3\nno such pump');
    t.match(counters, { executed: 0, failed: 1 });
    t.match(log, `warning rules: rule r (command) for ${ALICE} failed: job: exit code 3`);
    t.notMatch(log.replace(/^debug .*$/gm, ''), /pump/);
  });
  t.test('a program that is not there', async (t) => {
    const base = folder(t);
    const rig = await open(t, base, config([`${base}/none`]));
    await rig.receive(ALICE, `${PASSWORD} go`);
    await until(async () => (await rig.outbox()).length > 0, 'it was answered');
    t.match((await rig.outbox())[0]?.text, /^job does not run: there is no program/);
  });
  t.test('a program that others can change does not run, and is shown', async (t) => {
    const base = folder(t, { job: `echo run >>${HERE}/runs; echo fine` });
    chmodSync(`${base}/job`, 0o757);
    const rig = await open(t, base, config([`${base}/job`]));
    const fault = `other users can write to ${base}/job (mode 0757), and must not: chmod go-w`;
    t.match(rig.log.join('\n'), `warning rules: command job does not run, and rules cannot use it: ${fault}`);
    t.equal(rig.modules.status('rules').error, `command job does not run: ${fault}`);
    t.strictSame(await order(rig, `${PASSWORD} go`), [`job does not run: ${fault}`]);
    t.notOk(existsSync(`${base}/runs`));
    chmodSync(`${base}/job`, 0o755);
    await rig.receive(ALICE, `${PASSWORD} go`);
    await until(async () => (await rig.outbox()).at(-1)?.text === 'fine', 'it runs now');
    t.equal(rig.modules.status('rules').error, undefined);
  });
  t.test('output is cut to the parts that the rule allows', async (t) => {
    const { answer = '', parts } = await outcome('i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done');
    t.equal(parts, 3);
    t.match(answer, /^line 0\nline 1\n[\s\S]*\.\.\.$/);
    t.equal((await outcome('printf "%0500d" 0', { max_parts: '1' })).answer, `${'0'.repeat(157)}...`);
    t.equal(
      (await outcome('printf "%067d" 0 | sed "s/0/\\xd0\\xb6\\xf0\\x9f\\x98\\x80/g"', { max_parts: '1' })).parts,
      1,
    );
  });
  t.test('no answer where none is wanted', async (t) => {
    t.equal((await outcome('echo secret', { reply: '0' })).answer, undefined);
  });
  t.test('a program that hangs is killed with its children', async (t) => {
    const base = folder(t, { job: `sleep 1000 & echo $! >${HERE}/child; wait` });
    const rig = await open(t, base, config([`${base}/job`], {}, { timeout: '5' }));
    await rig.receive(ALICE, `${PASSWORD} go`);
    await until(() => existsSync(`${base}/child`) && readFileSync(`${base}/child`, 'utf8').endsWith('\n'), 'it runs');
    await rig.clock.advance(5_000);
    await until(async () => (await rig.outbox()).length > 0, 'it was answered');
    t.equal((await rig.outbox())[0]?.text, 'job: killed after 5 s');
    const child = Number(readFileSync(`${base}/child`, 'utf8'));
    await until(() => !isRunning(child), 'the child is gone');
  });
  t.test('a commit that does not concern the rules lets it end', async (t) => {
    const base = folder(t, {
      job: `echo run >>${HERE}/runs; while [ ! -e ${HERE}/go ]; do sleep 0.05; done; echo well`,
    });
    const rig = await open(t, base, config([`${base}/job`]));
    await rig.receive(ALICE, `${PASSWORD} go`);
    await until(() => existsSync(`${base}/runs`), 'it runs');
    const text = config([`${base}/job`]).replace(gateway, `${gateway}\toption log_text '0'\n\toption keep_sent '31'\n`);
    await rig.configure(text);
    writeFileSync(`${base}/go`, '');
    await rig.handled('rules');
    await until(async () => (await rig.outbox()).length > 0, 'it was answered');
    t.equal((await rig.outbox())[0]?.text, 'well');
    t.equal(readFileSync(`${base}/runs`, 'utf8'), 'run\n');
  });
  t.test('stopping the module ends it, and it is not run again', async (t) => {
    const base = folder(t, { job: `echo run >>${HERE}/runs; exec sleep 1000` });
    const rig = await ModuleRig.open(base, { config: config([`${base}/job`]) });
    await rig.receive(ALICE, `${PASSWORD} go`);
    await until(() => existsSync(`${base}/runs`) && readFileSync(`${base}/runs`, 'utf8') === 'run\n', 'it runs');
    const after = await rig.crash();
    t.teardown(() => after.close());
    await after.handled('rules');
    await order(after, 'nothing for rules');
    t.equal(readFileSync(`${base}/runs`, 'utf8'), 'run\n');
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

t.test('ubus', async (t) => {
  const options = { action: 'ubus', object: 'network.interface.wan', method: 'down' };
  const script = 'printf "%s|" "$@"';
  const rig = await open(t, folder(t, { ubus: script }), gateway + rule({ ...options, args: '{"force": true}' }));
  await order(rig, `${PASSWORD} go`);
  await until(async () => (await rig.outbox()).length > 0, 'it was answered');
  t.equal((await rig.outbox())[0]?.text, '-S|-t|20|call|network.interface.wan|down|{"force": true}|');

  const without = await open(t, folder(t), gateway + rule(options));
  await order(without, `${PASSWORD} go`);
  await until(async () => (await without.outbox()).length > 0, 'it was answered');
  t.match((await without.outbox())[0]?.text, /^network.interface.wan down: .*ENOENT/);
});

t.test('reboot', async (t) => {
  const config = gateway + rule({ action: 'reboot', smstext: 'reboot', status_sms: '1', message: 'restarting %rn' });
  const reboots = (base: string) => (existsSync(`${base}/reboots`) ? readFileSync(`${base}/reboots`, 'utf8') : '');
  /** Keeps what a process that starts now would find. */
  const script = `cd ${HERE}; mkdir -p later; cp state/journal later; echo reboot >>reboots`;

  t.test('sends the status first', async (t) => {
    const base = folder(t, { reboot: script });
    const rig = await open(t, base, config);
    const release = rig.modem.block();
    await rig.receive(ALICE, `${PASSWORD} reboot`);
    await until(() => rig.modem.given.length === 1, 'the status is being sent');
    t.equal(reboots(base), '', 'it waits for that');
    release();
    await until(() => reboots(base) !== '', 'it restarts');
    t.match(rig.sent, [`${ALICE} restarting `]);
  });
  t.test('an account without the rights of root asks procd', async (t) => {
    const base = folder(t, { ubus: `echo "$@" >>${HERE}/reboots` });
    const system = systemOf(base, { isRoot: false });
    const rig = await ModuleRig.open(base, { config, system });
    t.teardown(() => rig.close());
    await rig.receive(ALICE, `${PASSWORD} reboot`);
    await until(() => reboots(base) !== '', 'it restarts');
    t.match(reboots(base), /call system reboot \{\}/);
  });
  t.test('does not wait for ever', async (t) => {
    const base = folder(t, { reboot: script });
    const rig = await open(t, base, config);
    rig.modem.ready = false;
    await rig.receive(ALICE, `${PASSWORD} reboot`);
    await until(async () => (await rig.outbox()).length === 1, 'the status is submitted');
    await until(async () => {
      await rig.clock.advance(10_000);
      return rig.store.deliveries.pending('rules') === 0;
    }, 'its patience is at an end');
    await until(() => reboots(base) !== '', 'it restarts');
    t.strictSame(rig.sent, []);
  });
  t.test('happens once, whatever a start afterwards finds', async (t) => {
    const base = folder(t, { reboot: script });
    const rig = await ModuleRig.open(base, { config, system: systemOf(base, {}) });
    await rig.receive(ALICE, `${PASSWORD} reboot`);
    await until(() => reboots(base) !== '', 'it restarts');
    await rig.close();
    // What lay on the disk at the very moment of the restart.
    const later = await ModuleRig.open(base, { config, system: systemOf(base, {}) }, `${base}/later`);
    t.teardown(() => later.close());
    await later.handled('rules');
    await order(later, 'something else');
    t.equal(reboots(base), 'reboot\n');
  });
  t.test('a crash before it is no loss', async (t) => {
    const base = folder(t, { reboot: script });
    const rig = await ModuleRig.open(base, { config, system: systemOf(base, {}) });
    await rig.receive(ALICE, `${PASSWORD} reboot`);
    await until(() => reboots(base) !== '', 'it restarts');
    const later = await rig.crash({ before: /"e":"done"/ });
    t.teardown(() => later.close());
    await until(() => reboots(base) === 'reboot\nreboot\n', 'it was not known to be done, and is done');
    t.equal((await later.outbox()).length, 1, 'the status is submitted once');
  });
  t.test('a failure is answered', async (t) => {
    const base = folder(t, { reboot: 'echo busy; exit 1' });
    const rig = await open(t, base, config);
    await rig.receive(ALICE, `${PASSWORD} reboot`);
    await until(async () => (await rig.outbox()).length === 2, 'it was answered');
    t.equal((await rig.outbox())[1]?.text, 'reboot: exit code 1\nbusy');
  });
  t.test('an order from before the start of the system is not carried out', async (t) => {
    const base = folder(t, { reboot: script });
    const rig = await open(t, base, config, { uptime: () => 60 });
    t.strictSame(await order(rig, `${PASSWORD} reboot`, ALICE, rig.clock.now() - 120_000), []);
    t.match(rig.log.join('\n'), /the system has restarted since/);
    t.equal(reboots(base), '');
  });
});

t.test('too late', (t) => {
  const now = Date.UTC(2026, 0, 10);
  const hour = 3_600_000;
  const cases: readonly (readonly ['reboot' | 'command', number, number, boolean])[] = [
    ['command', now - 23 * hour, 86_400, false],
    ['command', now - 25 * hour, 86_400, true],
    ['command', now + 9 * hour, 86_400, false],
    ['command', now - 120_000, 60, false],
    ['reboot', now - 120_000, 60, true],
    ['reboot', now - 30_000, 60, false],
    ['reboot', now - hour, 700, false],
    ['reboot', now + hour, 60, false],
  ];
  for (const [action, sent, uptime, late] of cases) {
    const refusal = tooLate({ action, max_age: 24 }, sent, { now, uptime });
    t.equal(refusal !== undefined, late, `${action}, sent ${(now - sent) / 1000} s ago, up ${uptime} s`);
  }
  t.end();
});

t.test('send_sms', async (t) => {
  const options = {
    action: 'send_sms',
    authorisation: 'no',
    message: 'alarm of %sn',
    to_number: [BOB, '+37060000003'],
  };
  const rig = await ModuleRig.open(folder(t), { config: rule(options) });
  t.strictSame(await order(rig, 'go'), [`${BOB}: alarm of ${ALICE}`, `+37060000003: alarm of ${ALICE}`]);
  const after = await rig.crash({ before: /"e":"done"/ });
  t.teardown(() => after.close());
  await after.handled('rules');
  t.match(counters(after), { executed: 1 }, 'the delivery was repeated');
  t.equal((await after.outbox()).length, 2, 'nobody gets it twice');
});

t.test('switch_modem', async (t) => {
  const modems = ['gsm0', 'gsm1', 'gsm2'].map((name) => section('modem', name, { device: 'sim' })).join('');
  const config = (modem: string) => gateway + modems + rule({ action: 'switch_modem', modem });
  const rig = await open(t, folder(t), config('gsm1'), {}, { modems: ['gsm1'] });
  t.strictSame(await order(rig, `${PASSWORD} go`), ['gsm1 sends now']);
  await until(() => rig.modems.get('gsm1')?.given.length === 1, 'the answer goes by it');
  t.equal(rig.store.outbox.preferred, 'gsm1');
  await rig.configure(config('gsm2'));
  t.strictSame(await order(rig, `${PASSWORD} go`), ['modem gsm2 is not in use']);
  t.equal(rig.store.outbox.preferred, 'gsm1');
});

t.test('an action that this gateway does not have', async (t) => {
  const rig = await open(t, folder(t), gateway + rule({ action: 'fw_upgrade', smstext: 'upgrade' }));
  t.strictSame(await order(rig, `${PASSWORD} upgrade`), [
    'fw_upgrade is not carried out here: a firmware without a person beside it can leave the router dead',
  ]);
  t.strictSame(await order(rig, 'wrong upgrade'), []);
});

t.test('a sender may trigger a rule so often an hour', async (t) => {
  const options = { action: 'send_status', message: 'fine', authorisation: 'no', max_per_hour: '2' };
  const rig = await open(t, folder(t), rule(options));
  t.equal((await order(rig, 'go')).length, 1);
  t.equal((await order(rig, 'go')).length, 1);
  t.equal((await order(rig, 'go')).length, 0);
  t.equal((await order(rig, 'go', BOB)).length, 1);
  const before = section('rule', 'b', { enabled: '1', smstext: 'other', action: 'send_status', authorisation: 'no' });
  await rig.configure(before + rule({ ...options, message: 'well' }));
  t.equal((await order(rig, 'go')).length, 0, 'also over a change of the rule');
  await rig.clock.advance(3_601_000);
  t.equal((await order(rig, 'go')).length, 1);
});

t.test('a rule that has changed since its message came', async (t) => {
  const base = folder(t, { job: `echo run >>${HERE}/runs` });
  const rig = await ModuleRig.open(base, { config: gateway + rule({ action: 'send_status', message: 'fine' }) });
  t.strictSame(await order(rig, `${PASSWORD} go`), ['fine']);
  const command = section('command', 'c', { name: 'job', argv: [`${base}/job`] });
  const config = gateway + command + rule({ action: 'command', command: 'job', smstext: 'run' });
  const after = await rig.crash({ before: /"e":"done"/, config });
  t.teardown(() => after.close());
  await after.handled('rules');
  t.match(after.log.join('\n'), /no rule is meant by it any more/);
  t.notOk(existsSync(`${base}/runs`));
});

t.test('rules are off without an enabled one', async (t) => {
  const rig = await open(t, folder(t), gateway + rule({ action: 'send_status', enabled: '0' }));
  await rig.receive(ALICE, `${PASSWORD} go`);
  await until(() => rig.received.length === 1, 'it came');
  t.match(rig.modules.status('rules'), { enabled: false, state: 'disabled', pending: 0 });
  t.strictSame(await rig.outbox(), []);
});
