/**
 * The long power-cut test: `npm run power-cut -- --cuts 500 --seed 1`, as root; `--minutes 10` ends it early. Needs `npm run build`. Prints
 * what it found and exits with 1 when something was lost, seen twice, or sent twice without a cut that explains it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crashHarness } from '../crash/harness.ts';
import { seeded } from '../support/seeded.ts';
import { noPowerDisk, PowerDisk } from './power-disk.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    cuts: { type: 'string', default: '500' },
    seed: { type: 'string', default: `${Date.now() % 100_000}` },
  },
});
const lacks = noPowerDisk();
if (lacks !== false) {
  console.error(lacks);
  process.exit(1);
}
const kills = Number(values.cuts);
const seed = Number(values.seed);
const folder = mkdtempSync(join(tmpdir(), 'smsgw-power-'));
const enough = values.minutes === undefined ? undefined : AbortSignal.timeout(Number(values.minutes) * 60_000);
let clean = false;
const disk = await PowerDisk.open(folder, seeded(seed));
const progress = (count: number) => void (count % 50 === 0 && console.log(`${count} cuts`));
const started = Date.now();
try {
  const { faults, ...figures } = await crashHarness({ folder, kills, seed, progress, disk, ...(enough && { enough }) });
  const { cuts: kinds, unsafe, flushes, repairs } = disk;
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log({
    cuts: Object.values(kinds).reduce((sum, count) => sum + count, 0),
    seed,
    seconds,
    ...kinds,
    'writes that were not safe': unsafe,
    flushes,
    repairs,
    ...figures,
  });
  for (const fault of faults.slice(0, 20)) console.log(fault);
  clean = faults.length === 0;
  console.log(
    clean ? 'nothing lost, nothing seen twice' : `${faults.length} faults; what there is of them is in ${folder}`,
  );
  process.exitCode = clean ? 0 : 1;
} finally {
  await disk.close();
  if (clean) rmSync(folder, { recursive: true, force: true });
}
