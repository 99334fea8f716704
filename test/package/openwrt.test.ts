import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import t, { type Test } from 'tap';
import { version } from '../../scripts/package/target.ts';
import { newFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';
import { missingPrograms } from '../support/programs.ts';
import { RouterRoot } from './router-root.ts';

const root = process.getuid?.() === 0 ? false : 'a root folder to chroot into needs root';
const skip = root || missingPrograms(['busybox', 'musl-gcc', 'chroot'], 'busybox musl-tools');

/** Makes the package; `release` tells upgrades apart. */
function makeIpk(t: Test, release: number): string {
  const out = newFolder(t);
  const args = ['--arch', 'x86_64', '--format', 'ipk', '--release', String(release), '--out', out];
  execFileSync(process.execPath, ['--import=tsx', 'scripts/package.ts', ...args], { stdio: 'pipe' });
  return `${out}/sms-gateway_${version}-r${release}_x86_64.ipk`;
}

function makeRoot(t: Test): RouterRoot {
  return new RouterRoot(newFolder(t));
}

const uci = (router: RouterRoot, path: string) => router.run(`uci -q get sms_gateway.${path}`).stdout.trimEnd();

/** As procd: the command with its environment, user and groups. */
function start(router: RouterRoot): { child: ChildProcess; log: () => string } {
  const { instance } = router;
  if (instance === undefined) throw new Error('the service is not running');
  const command = instance.get('command') ?? [];
  t.equal(instance.get('user')?.[0], 'sms');
  const id = router.sh('id -u sms').trim();
  const env = ['/usr/bin/env', '-i', ...(instance.get('env') ?? [])];
  const child = spawn('chroot', [`--userspec=${id}:${id}`, '--groups=20', router.folder, ...env, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      log += String(text);
    });
  }
  return { child, log: () => log };
}

t.test('the package on a router', { skip }, async (t) => {
  const ipk = makeIpk(t, 1);
  const router = makeRoot(t);
  // Debian's Node is no musl program; the binding that is not there is not needed by the simulated modem.
  router.install(ipk);

  await t.test('installed: every function off, a password of its own, enabled and started', async (t) => {
    const password = uci(router, 'post_get.password');
    t.match(password, /^[A-HJ-NP-Za-km-z2-9]{12}$/);
    const other = makeRoot(t);
    other.install(ipk);
    t.not(uci(other, 'post_get.password'), password, 'another router has another one');
    t.equal(router.sh('smsgw config get post_get.password').trim(), password);
    t.match(router.read('tmp/logger.log'), /smsgw config get post_get\.password/);
    t.notMatch(router.read('tmp/logger.log'), password);
    const off = [
      'post_get',
      'pop3',
      'auto_reply',
      'forwarding_to_http',
      'forwarding_to_sms',
      'forwarding_to_smtp',
      'smpp',
    ];
    for (const name of off) t.equal(uci(router, `${name}.enabled`), '0', name);
    t.equal(router.sh('smsgw config check'), '/etc/config/sms_gateway is fine.\n');
    t.equal(router.sh('ls /etc/rc.d'), 'K10sms_gateway\nS95sms_gateway\n');
    t.equal(router.sh('ls /etc/uci-defaults'), '', 'done, and not to be done at the next boot');
    t.match(router.sh('ls -l /etc/config/sms_gateway'), /^-rw-r----- .* root +sms /);
    t.match(router.sh('ls -ld /etc/sms_gateway'), /^drwx------ .* sms +sms /);
  });

  await t.test('what procd is asked for', async (t) => {
    const { instance } = router;
    t.same(instance?.get('command'), [
      ...['/usr/sbin/sms_gateway', '--config-dir', '/etc/config', '--state-dir', '/etc/sms_gateway'],
      ...['--socket', '/var/run/sms_gateway/sms_gateway.sock', '--ubus', '/var/run/ubus/ubus.sock'],
    ]);
    t.same(instance?.get('respawn'), ['3600', '5', '0'], 'for ever');
    t.same(instance?.get('user'), ['sms']);
    t.same(instance?.get('no_new_privs'), ['1']);
    t.match(instance?.get('env'), [`SMS_GATEWAY_VERSION=${version}`]);
    t.ok(instance?.get('file')?.includes('/usr/lib/sms-gateway/main.js'));
    t.same(instance?.get('reload-trigger'), undefined);
    t.equal(
      router.read('tmp/procd/sms_gateway.triggers'),
      'reload-trigger sms_gateway\nmount-trigger /etc/sms_gateway\n',
    );
    t.equal(instance?.get('capabilities'), undefined, 'without ujail');
    router.write('sbin/ujail', '#!/bin/sh\n', 0o755);
    router.sh('/etc/init.d/sms_gateway start');
    t.same(router.instance?.get('capabilities'), ['/etc/capabilities/sms_gateway.json']);
    t.same(router.instance?.get('jail'), ['sms_gateway']);
    router.sh('rm /sbin/ujail; /etc/init.d/sms_gateway start');
  });

  await t.test('twice is as once', async (t) => {
    const before = router.read('etc/config/sms_gateway');
    const { mtimeMs } = statSync(router.path('etc/config/sms_gateway'));
    const { instance } = router;
    router.write(
      'etc/uci-defaults/99-sms_gateway',
      execFileSync('cat', ['uci-defaults/99-sms_gateway'], { encoding: 'utf8' }),
    );
    router.sh('(. /etc/uci-defaults/99-sms_gateway); /etc/init.d/sms_gateway start; /etc/init.d/sms_gateway reload');
    router.sh('rm /etc/uci-defaults/99-sms_gateway');
    t.equal(router.read('etc/config/sms_gateway'), before);
    t.equal(statSync(router.path('etc/config/sms_gateway')).mtimeMs, mtimeMs, 'the file was not written');
    t.same(router.instance, instance, 'procd sees no reason to restart it');
  });

  await t.test('it runs as its own user: sends, receives, sees a commit, answers cgi-bin', async (t) => {
    router.sh('uci set sms_gateway.modem0.device=sim; uci set sms_gateway.modem0.sim_answer=1; uci commit sms_gateway');
    router.sh('/etc/init.d/sms_gateway reload');
    const { child, log } = start(router);
    t.teardown(() => child.kill('SIGKILL'));
    await until(() => /^info ready/m.test(log()), 'the start');
    t.match(router.sh('smsgw send +37060000001 hello --wait 20'), /sent|delivered/);
    await until(() => /hello/.test(router.sh('smsgw list --box inbox')), 'the answer');
    t.match(router.sh('smsgw status'), `sms_gateway ${version}, up `);
    t.match(router.sh('/etc/init.d/sms_gateway status'), `running\nsms_gateway ${version}`);
    const user = execFileSync('ps', ['-o', 'uid=', '-p', String(child.pid)], { encoding: 'utf8' }).trim();
    t.equal(user, router.sh('id -u sms').trim());

    // The commit gives the file back to root; the reload that LuCI and reload_config ask for makes it readable.
    const password = uci(router, 'post_get.password');
    router.sh('uci set sms_gateway.post_get.enabled=1; uci commit sms_gateway; /etc/init.d/sms_gateway reload');
    const cgi = (name: string) =>
      router.sh(`cd /www/cgi-bin && ./${name}`, {
        ...{ REQUEST_METHOD: 'GET', SCRIPT_NAME: `/cgi-bin/${name}`, REMOTE_ADDR: '127.0.0.1' },
        QUERY_STRING: `username=user1&password=${password}`,
      });
    await until(() => /^Used: 1$/m.test(cgi('sms_total')), 'the commit');
    t.same(readdirSync(router.path('www/cgi-bin')), ['sms_delete', 'sms_list', 'sms_read', 'sms_send', 'sms_total']);
    t.match(cgi('sms_list'), /^Index: 0\n(.*\n)*Text: .*hello\n/m);
    child.kill();
    t.same(await once(child, 'exit'), [0, null]);
  });

  await t.test('upgraded: the config stays, the new files restart it', async (t) => {
    const before = router.read('etc/config/sms_gateway');
    const { instance } = router;
    router.write('usr/lib/sms-gateway/vendor/smpp.js', '// an older one\n');
    router.sh('/etc/init.d/sms_gateway start');
    t.notSame(router.instance, instance, 'a file of the bundle changed');
    router.install(makeIpk(t, 2));
    t.equal(router.read('etc/config/sms_gateway'), before);
    t.same(router.instance, instance);
    t.same(readdirSync(router.path('etc/config')), ['sms_gateway']);
  });

  await t.test('the account and the message directory can be chosen', async (t) => {
    router.sh('uci set sms_gateway.gateway.user=root; uci set sms_gateway.gateway.state_dir=/tmp/messages; uci commit');
    router.sh('/etc/init.d/sms_gateway reload');
    t.equal(router.instance?.get('user'), undefined);
    t.match(router.instance?.get('command')?.join(' '), /--state-dir \/tmp\/messages /);
    router.sh('uci delete sms_gateway.gateway.user; uci commit');
    router.write('tmp/messages/letter.txt', 'not of the gateway');
    router.sh('/etc/init.d/sms_gateway reload');
    t.match(router.sh('ls -ln /tmp/messages/letter.txt'), / 0 +0 /, 'the files of others stay theirs');
    t.match(router.read('tmp/logger.log'), /letter\.txt, which is no part of the gateway/);
    router.sh('uci delete sms_gateway.gateway.state_dir; uci commit; /etc/init.d/sms_gateway start');
  });

  await t.test('check says what is wrong', async (t) => {
    router.sh('uci set sms_gateway.smpp.port=70000; uci commit');
    t.match(router.run('/etc/init.d/sms_gateway check'), { status: 78, stdout: /smpp\.port/ });
    router.sh('uci set sms_gateway.smpp.port=7777; uci commit');
  });

  await t.test('hotplug', async (t) => {
    const hotplug = (kind: string, env: Readonly<Record<string, string>>) =>
      router.sh(`for script in /etc/hotplug.d/${kind}/*; do (. $script); done; wait`, env);
    hotplug('ntp', { ACTION: 'periodic' });
    hotplug('usb', { ACTION: 'remove', DEVTYPE: 'usb_interface', INTERFACE: '255/0/0' });
    hotplug('tty', { ACTION: 'add', DEVNAME: 'ttyS0' });
    t.equal(router.run('cat /tmp/ubus.log').stdout, '', 'nothing of its business');
    hotplug('ntp', { ACTION: 'step' });
    await until(() => /module restart .*scheduled/.test(router.run('cat /tmp/ubus.log').stdout), 'the call');
    hotplug('tty', { ACTION: 'add', DEVNAME: 'ttyUSB0' });
    await until(() => /modem restart .*modem0/.test(router.run('cat /tmp/ubus.log').stdout), 'the call');
  });

  await t.test('removed', async (t) => {
    router.remove();
    t.equal(router.instance, undefined);
    t.equal(router.sh('ls /etc/rc.d'), '');
    t.match(router.run('/etc/init.d/sms_gateway status'), { status: 3, stdout: 'inactive\n' });
  });
});

t.test('the scripts are clean', { skip: missingPrograms(['shellcheck'], 'shellcheck') }, async (t) => {
  const listed = execFileSync(
    'git',
    ['ls-files', 'init.d', 'uci-defaults', 'files', 'packaging', 'test.sh', 'test/package'],
    {
      encoding: 'utf8',
    },
  );
  const isScript = (path: string) =>
    /^(init\.d|uci-defaults)\/|hotplug\.d|\.sh$|rc\.common$|debian\/(pre|post)|sbin\/|sms-gateway\/[^.]+$/.test(path);
  const scripts = listed.trimEnd().split('\n').filter(isScript);
  t.ok(scripts.length >= 12, `${scripts.length} scripts`);
  const { status, stdout } = spawnSync('shellcheck', scripts, { encoding: 'utf8' });
  t.equal(status, 0, stdout);
});
