import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from './target.ts';

const source = 'src/cgi/sms_cgi.c';
const common = [
  '-std=c99',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Os',
  '-static',
  '-s',
  '-ffunction-sections',
  '-Wl,--gc-sections',
];

type Compiler = readonly [program: string, ...args: readonly string[]];

const isThere = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

/** Debian's cross compiler with the musl of the package musl-dev, which may lie under $MUSL_ROOT. */
function crossCompiler({ gnu, musl, flags }: Target): Compiler | undefined {
  const gcc = `${gnu}-gcc`;
  const root = process.env['MUSL_ROOT'] ?? '';
  const folder = `${root}/usr/lib/${musl}`;
  if (!existsSync(`${folder}/crt1.o`) || !isThere(gcc)) return undefined;
  const libgcc = execFileSync(gcc, [...flags, '-print-libgcc-file-name'], { encoding: 'utf8' }).trim();
  const start = ['crt1.o', 'crti.o'].map((name) => `${folder}/${name}`);
  return [
    gcc,
    ...[...flags, '-nostdinc', '-isystem', `${root}/usr/include/${musl}`, '-nostdlib', '-no-pie', ...start, source],
    ...['-Wl,--start-group', `${folder}/libc.a`, libgcc, '-Wl,--end-group', `${folder}/crtn.o`],
  ];
}

/** The compilers that can make a static program for the target, the best first. */
function compilerFor(target: Target): Compiler {
  const own = process.env['SHIM_CC'];
  if (own !== undefined) return [...(own.split(' ') as [string]), source];
  if (isThere('zig')) return ['zig', 'cc', '-target', target.zig, source];
  if (arch() === target.node && isThere('musl-gcc')) return ['musl-gcc', source];
  const cross = crossCompiler(target);
  if (cross !== undefined) return cross;
  const debian = `gcc-${target.gnu.replace('_', '-')} and musl-dev of ${target.debian}`;
  throw new Error(
    `no compiler for ${target.musl}: install zig, or Debian's ${debian} (under $MUSL_ROOT), or set SHIM_CC`,
  );
}

/** Compiles the program behind the cgi-bin URLs: static, as neither glibc nor musl may be counted on. */
export function buildShim(target: Target): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'sms-cgi-'));
  const output = join(folder, 'sms_cgi');
  const [program, ...args] = compilerFor(target);
  try {
    execFileSync(program, [...common, ...args, '-o', output], { stdio: ['ignore', 'inherit', 'inherit'] });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
