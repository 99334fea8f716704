/** `npm run package -- --arch ARCH --format FORMAT`: packages for OpenWrt and Debian, without an SDK. Reproducible. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tarGz } from './package/archives.ts';
import { debianTree, openwrtTree, pagesTree, sourceTree } from './package/contents.ts';
import { apk, type Contents, deb, ipk, type Packing } from './package/formats.ts';
import { pagesContents, serviceContents } from './package/openwrt.ts';
import { packageName, targetOf, version } from './package/target.ts';
import type { Tree } from './package/tree.ts';

const usage = `Usage: npm run package -- --arch ARCH --format FORMAT [--release N] [--out DIR]

  --arch     x86_64, aarch64, arm_cortex-a7, or the longer name that \`opkg print-architecture\` shows
  --format   ipk (OpenWrt up to 24.10), apk (25.12 and newer), deb (Debian), tar (unpack over /),
             source (what the feed's Makefile builds from)
  --release  packaging of this version, 1
  --out      where the packages go, packages/
`;

/** The time in the packages: SOURCE_DATE_EPOCH, else that of the last commit, else the epoch. */
function packingTime(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d{1,10}$/.test(given)) return Number(given);
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8', stdio: 'pipe' }));
  } catch {
    return 0;
  }
}

const kilobytes = (octets: number) => `${Math.ceil(octets / 1000)} kB`;

function main(): void {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: 'x86_64' },
      format: { type: 'string' },
      release: { type: 'string', default: '1' },
      out: { type: 'string', default: 'packages' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (!/^[1-9]\d{0,4}$/.test(values.release)) throw new Error(`--release: got ${values.release}, wanted a number`);
  const target = targetOf(values.arch);
  const packing: Packing = { release: Number(values.release), time: packingTime() };
  mkdirSync(values.out, { recursive: true });
  const write = (name: string, tree: Tree, data: Buffer) => {
    writeFileSync(join(values.out, name), data);
    process.stdout.write(`${join(values.out, name)}: ${kilobytes(data.length)}, installed ${kilobytes(tree.size)}\n`);
  };
  const openwrtPackages = (format: 'ipk' | 'apk', pack: (contents: Contents, packing: Packing) => Buffer) => {
    const pages = pagesTree();
    const all = [serviceContents(openwrtTree(target), target), ...(pages === undefined ? [] : [pagesContents(pages)])];
    for (const contents of all) {
      const { name, tree, arch } = contents;
      const file =
        format === 'ipk'
          ? `${name}_${version}-r${values.release}_${arch}.ipk`
          : `${name}-${version}-r${values.release}.apk`;
      write(file, tree, pack(contents, packing));
    }
  };
  const { format } = values;
  if (format === 'ipk') openwrtPackages('ipk', ipk);
  else if (format === 'apk') openwrtPackages('apk', apk);
  else if (format === 'deb') {
    const tree = debianTree(target);
    const file = `${packageName}_${version}-${values.release}_${target.debian}.deb`;
    write(file, tree, deb(tree, target, packing));
  } else if (format === 'tar') {
    const tree = openwrtTree(target);
    write(`${packageName}-${version}-${target.openwrt}.tar.gz`, tree, tarGz(tree, packing.time));
  } else if (format === 'source') {
    const tree = sourceTree(version);
    write(`${packageName}-${version}.tar.gz`, tree, tarGz(tree, packing.time));
  } else {
    throw new Error(`--format: got ${format ?? 'nothing'}, wanted ipk, apk, deb, tar or source`);
  }
}

try {
  main();
} catch (error) {
  process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exit(1);
}
