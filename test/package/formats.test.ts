import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { openwrtTree } from '../../scripts/package/contents.ts';
import { apkScripts, apkTree } from '../../scripts/package/formats.ts';
import { serviceContents } from '../../scripts/package/openwrt.ts';
import { targetOf, version } from '../../scripts/package/target.ts';
import { newFolder } from '../support/folder.ts';
import { missingPrograms } from '../support/programs.ts';

const skip = missingPrograms(['musl-gcc', 'dpkg-deb'], 'musl-tools dpkg');

function pack(format: string, out: string): void {
  const args = ['--arch', 'x86_64', '--format', format, '--out', out];
  execFileSync(process.execPath, ['--import=tsx', 'scripts/package.ts', ...args], {
    env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
    stdio: 'pipe',
  });
}

/** `mode owner path [-> target]` of every entry, as tar lists them. */
function listing(archive: Buffer): readonly string[] {
  const text = execFileSync('tar', ['-tvzf', '-', '--numeric-owner', '--full-time'], {
    input: archive,
    encoding: 'utf8',
  });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^(\S+) (\S+) +\d+ \S+ \S+ /, '$1 $2 '));
}

/** What every OpenWrt package of the service holds, apart from the bundle's own files. */
const openwrtFiles = [
  '-rw------- 0/0 ./etc/config/sms_gateway',
  '-rwxr-xr-x 0/0 ./etc/init.d/sms_gateway',
  '-rwxr-xr-x 0/0 ./etc/uci-defaults/99-sms_gateway',
  '-rw-r--r-- 0/0 ./etc/capabilities/sms_gateway.json',
  '-rw-r--r-- 0/0 ./etc/hotplug.d/tty/30-sms_gateway',
  '-rw-r--r-- 0/0 ./etc/hotplug.d/usb/30-sms_gateway',
  '-rw-r--r-- 0/0 ./etc/hotplug.d/ntp/30-sms_gateway',
  '-rw-r--r-- 0/0 ./lib/upgrade/keep.d/sms-gateway',
  '-rw-r--r-- 0/0 ./usr/share/acl.d/sms_gateway.json',
  '-rw-r--r-- 0/0 ./usr/share/acl.d/sms_gateway_read.json',
  '-rw-r--r-- 0/0 ./usr/share/acl.d/sms_gateway_send.json',
  '-rwxr-xr-x 0/0 ./usr/sbin/sms_gateway',
  '-rwxr-xr-x 0/0 ./usr/lib/sms-gateway/main.js',
  '-rwxr-xr-x 0/0 ./usr/lib/sms-gateway/smsgw.js',
  '-rwxr-xr-x 0/0 ./usr/lib/sms-gateway/sms_cgi',
  '-rw-r--r-- 0/0 ./usr/lib/sms-gateway/prebuilds/linux-x64/@serialport+bindings-cpp.musl.node',
  'lrwxrwxrwx 0/0 ./usr/bin/smsgw -> ../lib/sms-gateway/smsgw.js',
  ...['list', 'read', 'send', 'total', 'delete'].map(
    (name) => `lrwxrwxrwx 0/0 ./www/cgi-bin/sms_${name} -> /usr/lib/sms-gateway/sms_cgi`,
  ),
];

function holds(t: Test, found: readonly string[], wanted: readonly string[]): void {
  for (const line of wanted) t.ok(found.includes(line), line);
  t.notOk(
    found.some((line) => / (?!0\/0 )\d+\/\d+ /.test(line)),
    'all is of root',
  );
  t.notOk(
    found.some((line) => /simulator\.js|prebuilds\/.*(glibc|android|darwin)/.test(line) && /musl/.test(found.join())),
    'nothing else',
  );
}

t.test('ipk and tar: what lies in them, whose it is, and the same octets each time', { skip }, async (t) => {
  const [first, second] = [newFolder(t), newFolder(t)];
  for (const out of [first, second]) for (const format of ['ipk', 'tar']) pack(format, out);
  const name = `sms-gateway_${version}-r1_x86_64.ipk`;
  for (const file of [name, `sms-gateway-${version}-x86_64.tar.gz`]) {
    t.ok(readFileSync(`${first}/${file}`).equals(readFileSync(`${second}/${file}`)), `${file} is reproducible`);
  }
  const folder = `${first}/unpacked`;
  mkdirSync(folder);
  execFileSync('tar', ['-xzf', `${first}/${name}`, '-C', folder]);
  t.equal(readFileSync(`${folder}/debian-binary`, 'utf8'), '2.0\n');
  const data = readFileSync(`${folder}/data.tar.gz`);
  holds(t, listing(data), openwrtFiles);
  t.same(
    listing(readFileSync(`${first}/sms-gateway-${version}-x86_64.tar.gz`)),
    listing(data),
    'tar and ipk hold the same',
  );
  execFileSync('tar', ['-xzf', `${folder}/control.tar.gz`, '-C', folder]);
  const control = readFileSync(`${folder}/control`, 'utf8');
  t.match(control, /^Require-User: sms=\d+:sms=\d+:dialout=20$/m);
  t.match(control, /^Depends: libc, node$/m);
  t.match(control, /^Architecture: x86_64$/m);
  t.equal(readFileSync(`${folder}/conffiles`, 'utf8'), '/etc/config/sms_gateway\n');
  t.match(readFileSync(`${folder}/postinst`, 'utf8'), /default_postinst \$0 \$@/);
  t.match(readFileSync(`${folder}/postinst-pkg`, 'utf8'), /killall -q -HUP ubusd/);
  execFileSync('tar', ['-xzf', `${folder}/data.tar.gz`, '-C', folder, './usr/lib/sms-gateway/sms_cgi']);
  const libraries = spawnSync('ldd', [`${folder}/usr/lib/sms-gateway/sms_cgi`], { encoding: 'utf8' });
  t.match(libraries.stdout + libraries.stderr, /statically linked|not a dynamic executable/, 'runs with any libc');
});

t.test('apk: what OpenWrt looks for beside the files', { skip }, async (t) => {
  const target = targetOf('x86_64');
  const contents = serviceContents(openwrtTree(target), target);
  const tree = apkTree(contents);
  const text = (name: string) =>
    tree.files.find(({ path }) => path === `lib/apk/packages/sms-gateway.${name}`)?.data.toString() ?? '';
  t.match(text('list'), /^\/etc\/init\.d\/sms_gateway$/m);
  t.equal(text('conffiles'), '/etc/config/sms_gateway\n/etc/sms_gateway/\n');
  t.match(text('conffiles_static'), /^\/etc\/config\/sms_gateway [0-9a-f]{64}\n$/);
  t.match(text('rusers'), /^sms=\d+:sms=\d+:dialout=20\n$/);
  const scripts = apkScripts(contents);
  t.same(Object.keys(scripts), ['post-install', 'post-upgrade', 'pre-deinstall']);
  t.match(scripts['post-upgrade'], /^#!\/bin\/sh\nexport PKG_UPGRADE=1\n/);
  for (const script of Object.values(scripts)) execFileSync('sh', ['-n'], { input: script });
});

t.test('deb: what lies in it', { skip }, async (t) => {
  const [first, second] = [newFolder(t), newFolder(t)];
  for (const out of [first, second]) pack('deb', out);
  const file = `${first}/sms-gateway_${version}-1_amd64.deb`;
  t.ok(readFileSync(file).equals(readFileSync(file.replace(first, second))), 'reproducible');
  const found = execFileSync('dpkg-deb', ['--ctrl-tarfile', file]);
  t.match(execFileSync('tar', ['-tf', '-'], { input: found, encoding: 'utf8' }), /postinst\n\.\/postrm\n\.\/prerm/);
  const folder = `${first}/root`;
  execFileSync('dpkg-deb', ['-x', file, folder]);
  for (const path of [
    ...['usr/lib/systemd/system/sms-gateway.service', 'usr/lib/sysusers.d/sms-gateway.conf', 'etc/default/sms-gateway'],
    ...[
      'usr/lib/tmpfiles.d/sms-gateway.conf',
      'usr/lib/udev/rules.d/60-sms-gateway.rules',
      'usr/share/bash-completion/completions/smsgw',
      'usr/share/man/man1/smsgw.1.gz',
    ],
    ...['usr/lib/sms-gateway/cgi-bin/sms_send', 'usr/share/doc/sms-gateway/copyright', 'usr/sbin/sms_gateway'],
    'usr/lib/sms-gateway/prebuilds/linux-x64/@serialport+bindings-cpp.glibc.node',
  ]) {
    t.ok(existsSync(`${folder}/${path}`), path);
  }
  t.notOk(existsSync(`${folder}/usr/lib/sms-gateway/prebuilds/linux-x64/@serialport+bindings-cpp.musl.node`));
  const doc = `${folder}/usr/share/doc/sms-gateway`;
  const pages = readdirSync(doc).filter((name) => name.endsWith('.md'));
  t.ok(pages.includes('README.md'));
  for (const page of pages) {
    for (const [, target = ''] of readFileSync(`${doc}/${page}`, 'utf8').matchAll(/\]\(([^)#:]+)[^):]*\)/g)) {
      t.ok(existsSync(`${doc}/${target}`), `${page} links to ${target}`);
    }
  }
  t.match(execFileSync('dpkg-deb', ['-f', file, 'Depends'], { encoding: 'utf8' }), /nodejs \(>= 20\.15\)/);
});

t.test('the Makefile has the version of the project', async (t) => {
  t.match(readFileSync('Makefile', 'utf8'), `PKG_VERSION:=${version}\n`);
  t.throws(() => targetOf('mips_24kc'), /no packages for mips_24kc/);
  t.equal(targetOf('aarch64_cortex-a53').openwrt, 'aarch64_cortex-a53');
});
