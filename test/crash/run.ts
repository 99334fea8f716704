/**
 * The long crash test: `npm run crash-test -- --kills 300 --seed 1`. Needs `npm run build`. Prints what it found and
 * exits with 1 when something was lost, shown twice, or doubled more often than the daemon was killed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crashHarness } from './harness.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '300' }, seed: { type: 'string', default: `${Date.now() % 100_000}` } },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
const folder = mkdtempSync(join(tmpdir(), 'smsgw-crash-'));
const progress = (kill: number) => void (kill % 50 === 0 && console.log(`${kill} kills`));
const started = Date.now();
const { faults, ...figures } = await crashHarness({ folder, kills, seed, byUrl: true, progress });
console.log({ kills, seed, seconds: Math.round((Date.now() - started) / 1000), ...figures });
for (const fault of faults.slice(0, 20)) console.log(fault);
console.log(
  faults.length === 0 ? 'nothing lost, nothing seen twice' : `${faults.length} faults; the state is in ${folder}`,
);
if (faults.length === 0) rmSync(folder, { recursive: true, force: true });
process.exit(faults.length === 0 && figures.doubled <= kills ? 0 : 1);
