import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bashCompletion } from '../../src/cli/commands/completion.ts';
import { commands } from '../../src/cli/commands/index.ts';
import { manPage } from './man-page.ts';
import { buildShim } from './shim.ts';
import { packageName, type Target } from './target.ts';
import { Tree } from './tree.ts';

const lib = 'usr/lib/sms-gateway';
export const cgiNames = ['sms_list', 'sms_read', 'sms_send', 'sms_total', 'sms_delete'] as const;

/** What LuCI shows and checks; the rest of files/ is the service's. */
const pages = ['files/www', 'files/usr/share/luci', 'files/usr/share/rpcd'];
const isPage = (source: string) => pages.some((page) => source === page || source.startsWith(`${page}/`));

/** The bundle with the one binding that fits, and the shim. */
function addProgram(
  tree: Tree,
  { node, binding }: Target,
  libc: 'glibc' | 'musl',
  shim: Buffer,
  without: string,
): Tree {
  if (!existsSync('dist/main.js')) throw new Error('there is no dist: npm run build');
  const prebuilds = join('dist/prebuilds', `linux-${node}`);
  return tree
    .copy('dist', lib, (source) => !['dist/prebuilds', 'dist/simulator.js', without].includes(source))
    .copy(prebuilds, `${lib}/prebuilds/linux-${node}`, (source) => source.endsWith(`.${binding}${libc}.node`))
    .file(`${lib}/main.js`, readFileSync('dist/main.js'), 0o755)
    .file(`${lib}/smsgw.js`, readFileSync('dist/smsgw.js'), 0o755)
    .file(`${lib}/sms_cgi`, shim, 0o755)
    .link('usr/bin/smsgw', '../lib/sms-gateway/smsgw.js');
}

/** The package `sms-gateway` of OpenWrt, as the feed's Makefile makes it. */
export function openwrtTree(target: Target): Tree {
  const tree = new Tree().copy('files', '', (source) => !isPage(source));
  // LuCI serves the pages there, from a package of its own.
  addProgram(tree, target, 'musl', buildShim(target), 'dist/www');
  tree
    .file('etc/config/sms_gateway', readFileSync('files/etc/config/sms_gateway'), 0o600)
    .file('etc/init.d/sms_gateway', readFileSync('init.d/sms_gateway'), 0o755)
    .file('etc/uci-defaults/99-sms_gateway', readFileSync('uci-defaults/99-sms_gateway'), 0o755)
    .file('lib/upgrade/keep.d/sms-gateway', '/etc/sms_gateway/\n');
  for (const name of cgiNames) tree.link(`www/cgi-bin/${name}`, `/${lib}/sms_cgi`);
  return tree;
}

/** The package `luci-app-sms-gateway`; undefined while there are no pages. */
export function pagesTree(): Tree | undefined {
  const there = pages.filter((page) => existsSync(page));
  if (there.length === 0) return undefined;
  return there.reduce((tree, page) => tree.copy(page, page.slice('files/'.length)), new Tree());
}

/** The package of Debian. */
export function debianTree(target: Target): Tree {
  const doc = `usr/share/doc/${packageName}`;
  const tree = new Tree();
  addProgram(tree, target, 'glibc', buildShim(target), '');
  for (const name of cgiNames) tree.link(`${lib}/cgi-bin/${name}`, '../sms_cgi');
  const page = (name: string, text: string) => tree.file(`usr/share/man/${name}.gz`, gzipSync(text, { level: 9 }));
  page('man1/smsgw.1', manPage());
  tree.file('usr/share/bash-completion/completions/smsgw', bashCompletion(commands));
  page('man8/sms_gateway.8', readFileSync('packaging/debian/sms_gateway.8', 'utf8'));
  tree.copy('docs', doc);
  // The pages of docs/ lie beside these there.
  for (const name of ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'])
    tree.file(`${doc}/${name}`, readFileSync(name, 'utf8').replaceAll('](docs/', ']('));
  for (const name of readdirSync('docs').filter((name) => name.endsWith('.md')))
    tree.file(`${doc}/${name}`, readFileSync(`docs/${name}`, 'utf8').replaceAll('](../', ']('));
  return tree
    .file('usr/sbin/sms_gateway', readFileSync('files/usr/sbin/sms_gateway'), 0o755)
    .copy('packaging/debian/sms-gateway.service', 'usr/lib/systemd/system/sms-gateway.service')
    .copy('packaging/debian/sysusers.conf', 'usr/lib/sysusers.d/sms-gateway.conf')
    .copy('packaging/debian/tmpfiles.conf', 'usr/lib/tmpfiles.d/sms-gateway.conf')
    .copy('packaging/debian/udev.rules', 'usr/lib/udev/rules.d/60-sms-gateway.rules')
    .copy('packaging/debian/default', 'etc/default/sms-gateway')
    .copy('files/etc/config/sms_gateway', 'usr/share/sms-gateway/sms_gateway')
    .copy('examples', `${doc}/examples`)
    .copy('packaging/debian/nginx.conf', `${doc}/examples/nginx.conf`)
    .copy('packaging/debian/lighttpd.conf', `${doc}/examples/lighttpd.conf`)
    .file(`${doc}/copyright`, copyright())
    .link(`${doc}/THIRD-PARTY-LICENSES`, `../../../lib/${packageName}/THIRD-PARTY-LICENSES`);
}

/** What the feed's Makefile builds from: the bundle, the shim's source, and the files. */
export function sourceTree(version: string): Tree {
  const root = `${packageName}-${version}`;
  return ['dist', 'files', 'init.d', 'uci-defaults', 'src/cgi', 'LICENSE', 'README.md'].reduce(
    (tree, source) => tree.copy(source, join(root, source)),
    new Tree(),
  );
}

/** DEP-5. */
function copyright(): string {
  const paragraph = readFileSync('LICENSE', 'utf8')
    .replace(/^MIT License\n\n/, '')
    .trimEnd()
    .split('\n');
  const [holder = '', , ...terms] = paragraph;
  const license = terms.map((line) => (line === '' ? ' .' : ` ${line}`)).join('\n');
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${packageName}

Files: *
Copyright: ${holder.replace(/^Copyright \(c\) /, '')}
License: MIT
${license}

Files: usr/lib/${packageName}/vendor/* usr/lib/${packageName}/prebuilds/*
Copyright: see usr/lib/${packageName}/THIRD-PARTY-LICENSES
License: MIT or BSD or ISC
 Code of other packages, each under the licence that stands in that file.
`;
}
