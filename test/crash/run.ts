/**
 * The long crash test: `npm run crash-test -- --kills 300 --seed 1`. Needs `npm run build`. Prints what it found and
 * exits with 1 when something was lost, seen twice, or sent twice without a kill that explains it.
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
const progress = (count: number) => void (count % 50 === 0 && console.log(`${count} kills`));
const started = Date.now();
const { faults, ...figures } = await crashHarness({ folder, kills, seed, progress });
console.log({ kills, seed, seconds: Math.round((Date.now() - started) / 1000), ...figures });
for (const fault of faults.slice(0, 20)) console.log(fault);
console.log(
  faults.length === 0 ? 'nothing lost, nothing seen twice' : `${faults.length} faults; the state is in ${folder}`,
);
if (faults.length === 0) rmSync(folder, { recursive: true, force: true });
process.exit(faults.length === 0 ? 0 : 1);
