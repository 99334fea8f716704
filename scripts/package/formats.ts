import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ar, digest, tarGz } from './archives.ts';
import { homepage, license, maintainer, type Target, version } from './target.ts';
import { Tree } from './tree.ts';

/** A package before it has a format. */
export interface Contents {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly tree: Tree;
  /** Processor name of OpenWrt, or `all`. */
  readonly arch: string;
  readonly depends: readonly string[];
  /** Files that a user edits. */
  readonly conffiles: readonly string[];
  /** `user=id:group=id:further groups`. */
  readonly user?: string;
  /** Shell lines that run after an installation and an upgrade, where there is a running system. */
  readonly postinst: string;
}

export interface Packing {
  /** Counts packagings of one version. */
  readonly release: number;
  /** Seconds since the epoch, of everything in the package. */
  readonly time: number;
}

/** Made by the SDK for every package: users, uci-defaults, enable and start are in /lib/functions.sh. */
const sdkPostinst = (opkg: boolean, { name, postinst }: Contents): string => `#!/bin/sh
[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
${
  opkg
    ? 'default_postinst $0 $@'
    : `export root="\${IPKG_INSTROOT}"
export pkgname="${name}"
add_group_and_user
default_postinst
${postinst}`
}`;

const sdkPrerm = (opkg: boolean, { name }: Contents): string => `#!/bin/sh
[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
${opkg ? 'default_prerm $0 $@' : `export root="\${IPKG_INSTROOT}"\nexport pkgname="${name}"\ndefault_prerm`}
`;

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');

/** For opkg, OpenWrt 24.10 and older. */
export function ipk(contents: Contents, { release, time }: Packing): Buffer {
  const { name, arch, depends, conffiles, user, title, description, tree, postinst } = contents;
  const control = lines([
    `Package: ${name}`,
    `Version: ${version}-r${release}`,
    `Depends: ${depends.join(', ')}`,
    `Source: ${name}`,
    `License: ${license}`,
    'Section: net',
    ...(user === undefined ? [] : [`Require-User: ${user}`]),
    `URL: ${homepage}`,
    `Maintainer: ${maintainer}`,
    `Architecture: ${arch}`,
    `Installed-Size: ${tree.size}`,
    `Description: ${title}`,
    ` ${description}`,
  ]);
  const scripts = new Tree()
    .file('control', control)
    .file('postinst', `${sdkPostinst(true, contents)}\n`, 0o755)
    .file('postinst-pkg', `#!/bin/sh\n${postinst}`, 0o755)
    .file('prerm', sdkPrerm(true, contents), 0o755);
  const inside = conffiles.filter((path) => tree.files.some((file) => `/${file.path}` === path));
  if (inside.length > 0) scripts.file('conffiles', lines(inside));
  const archive = new Tree()
    .file('debian-binary', '2.0\n')
    .file('control.tar.gz', tarGz(scripts, time))
    .file('data.tar.gz', tarGz(tree, time));
  return tarGz(archive, time);
}

/** What apk's default_postinst of OpenWrt looks for beside the files. */
export function apkTree({ name, tree, conffiles, user }: Contents): Tree {
  const all = new Tree();
  for (const entry of tree.entries) {
    if (entry.kind === 'file') all.file(entry.path, entry.data, entry.mode);
    else if (entry.kind === 'link') all.link(entry.path, entry.target);
    else all.directory(entry.path, entry.mode);
  }
  const base = `lib/apk/packages/${name}`;
  const sums = tree.files
    .filter(({ path }) => conffiles.includes(`/${path}`))
    .map(({ path, data }) => `/${path} ${digest('sha256', data)}`);
  all.file(
    `${base}.list`,
    lines(tree.entries.filter(({ kind }) => kind !== 'directory').map(({ path }) => `/${path}`)),
  );
  if (conffiles.length > 0) all.file(`${base}.conffiles`, lines(conffiles));
  if (sums.length > 0) all.file(`${base}.conffiles_static`, lines(sums));
  if (user !== undefined) all.file(`${base}.rusers`, `${user}\n`);
  return all;
}

/** The scripts of an apk package, by their names there. */
export function apkScripts(contents: Contents): Readonly<Record<string, string>> {
  const postinst = sdkPostinst(false, contents);
  return {
    'post-install': postinst,
    'post-upgrade': postinst.replace('#!/bin/sh\n', '#!/bin/sh\nexport PKG_UPGRADE=1\n'),
    'pre-deinstall': sdkPrerm(false, contents),
  };
}

/** For apk v3, OpenWrt 25.12 and newer. Needs apk-tools 3. Throws where they are not installed. */
export function apk(contents: Contents, { release, time }: Packing): Buffer {
  const found = spawnSync('apk', ['--version'], { encoding: 'utf8' });
  if (found.error !== undefined || !/apk-tools 3/.test(found.stdout)) {
    throw new Error(
      "format apk needs apk of apk-tools 3 (in OpenWrt's SDK: staging_dir/host/bin/apk); there is none on PATH",
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'sms-gateway-apk-'));
  try {
    const root = join(folder, 'root');
    writeTree(apkTree(contents), root);
    const scripts = Object.entries(apkScripts(contents)).flatMap(([name, text]) => {
      writeFileSync(join(folder, name), text, { mode: 0o755 });
      return ['--script', `${name}:${join(folder, name)}`];
    });
    const { name, arch, depends, description } = contents;
    const info = [
      `name:${name}`,
      `version:${version}-r${release}`,
      `description:${description}`,
      `arch:${arch === 'all' ? 'noarch' : arch}`,
      `license:${license}`,
      `origin:${name}`,
      `url:${homepage}`,
      `maintainer:${maintainer}`,
      `depends:${depends.join(' ')}`,
    ].flatMap((field) => ['--info', field]);
    const output = join(folder, 'package.apk');
    execFileSync('apk', ['mkpkg', ...info, ...scripts, '--files', root, '--output', output], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeTree(tree: Tree, root: string): void {
  mkdirSync(root, { recursive: true });
  for (const entry of tree.entries) {
    const path = join(root, entry.path);
    if (entry.kind === 'link') symlinkSync(entry.target, path);
    else if (entry.kind === 'file') writeFileSync(path, entry.data);
    else mkdirSync(path, { recursive: true });
    if (entry.kind !== 'link') chmodSync(path, entry.mode);
  }
}

/** For dpkg. */
export function deb(tree: Tree, target: Target, { release, time }: Packing): Buffer {
  const control = readFileSync('packaging/debian/control', 'utf8')
    .replace('@VERSION@', `${version}-${release}`)
    .replace('@ARCHITECTURE@', target.debian)
    .replace('@INSTALLED_SIZE@', String(Math.ceil(tree.size / 1024)))
    .replace('@MAINTAINER@', maintainer)
    .replace('@HOMEPAGE@', homepage);
  const scripts = new Tree()
    .file('control', control)
    .file('conffiles', '/etc/default/sms-gateway\n')
    .file('md5sums', lines(tree.files.map(({ path, data }) => `${digest('md5', data)}  ${path}`)));
  for (const name of ['postinst', 'prerm', 'postrm']) {
    scripts.file(name, readFileSync(`packaging/debian/${name}`), 0o755);
  }
  return ar(
    [
      ['debian-binary', Buffer.from('2.0\n')],
      ['control.tar.gz', tarGz(scripts, time)],
      ['data.tar.gz', tarGz(tree, time)],
    ],
    time,
  );
}
