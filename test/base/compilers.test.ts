import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { newFolder } from '../support/folder.ts';

const module = JSON.stringify(resolve('src/base/compilers.ts'));

/** Whether V8 has compiled a function that runs very often: before the compilers are off, then, and within `optimized`. */
const PROGRAM = `
import { optimized, switchCompilersOff } from ${module};
let functions = 0;
const isCompiled = () => {
  // Of one with the same text V8 has the code already.
  const add = new Function('n', 'let sum = ' + ++functions + '; for (let i = 0; i < n; i++) sum += i % 7; return sum;');
  for (let n = 0; n < 3_000; n++) add(1_000);
  // Bits of compiled code: by Maglev and by TurboFan (runtime.h, OptimizationStatus).
  return (%GetOptimizationStatus(add) & (16 | 32 | 64)) !== 0;
};
const seen = [isCompiled()];
switchCompilersOff();
seen.push(isCompiled());
await optimized(1, async () => seen.push(isCompiled()));
await optimized(4e6, async () => {
  seen.push(isCompiled());
  await optimized(4e6, async () => {});
  seen.push(isCompiled());
});
seen.push(isCompiled());
await optimized(4e6, async () => Promise.reject(new Error('failed'))).catch(() => {});
seen.push(isCompiled());
console.log(JSON.stringify(seen));
`;

t.test('the compilers are off but for work that needs them', async (t) => {
  const file = join(newFolder(t), 'program.mjs');
  writeFileSync(file, PROGRAM);
  const args = ['--allow-natives-syntax', '--no-concurrent-recompilation', '--import=tsx', file];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(stderr, '');
  t.same(JSON.parse(stdout), [true, false, false, true, true, false, false]);
});
