/**
 * Years in minutes: `npm run soak -- --messages 470000 --seed 1`. The whole gateway with every function on, a modem that
 * is lost, a config that changes, brokers that restart, and a clock that skips the hours in which nothing happens. Writes the
 * plot and the figures with --write. Exits with 1 when something was lost or doubled, or grew after the warm-up.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seeded } from '../support/seeded.ts';
import { growth, plotOf, tableOf } from './report.ts';
import { Soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    minutes: { type: 'string' },
    rounds: { type: 'string' },
    events: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    directory: { type: 'string', default: tmpdir() },
    write: { type: 'boolean', default: false },
  },
});
process.env['TZ'] = 'Europe/Vilnius';
const messages = Number(values.messages);
const rounds = Number(values.rounds ?? Math.min(125, Math.max(20, Math.round(messages / 500))));
const folder = mkdtempSync(join(values.directory, 'smsgw-soak-'));
const soak = await Soak.open({ folder, rounds, events: Number(values.events), random: seeded(Number(values.seed)) });
const started = performance.now();
const end = values.minutes === undefined ? undefined : started + Number(values.minutes) * 60_000;
let share = 200;
let before = started;

/**
 * With --minutes as many as the time that is left has room for, by the round before; no more than before once the warm-up is over,
 * as memory and journal hold what a day brings.
 */
function shareOf(round: number): number {
  if (end === undefined) return Math.round(((round + 1) * messages) / rounds) - Math.round((round * messages) / rounds);
  const now = performance.now();
  const took = now - before;
  before = now;
  const room = Math.max(1_000, end - now) / (rounds - round);
  if (round > 0) share = Math.round(share * Math.min(round < rounds / 4 ? 1.5 : 1, Math.max(0.5, room / took)));
  share = Math.min(10_000, Math.max(40, share));
  return share;
}

let shown = 0;
let stopped = false;
// Interrupted, it ends with the round, and its figures count.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stopped = true;
  });
try {
  for (let round = 0; round < rounds; round++) {
    await soak.round(round, shareOf(round));
    if (round % Math.ceil(rounds / 20) === 0) console.log(soak.progress());
    for (const fault of soak.ledger.faults.slice(shown)) console.log(`round ${round}: ${fault}`);
    if (soak.ledger.faults.length > shown) console.log(soak.world.log.join('\n'));
    shown = soak.ledger.faults.length;
    if (stopped || soak.ledger.faults.length > 20) break;
  }
  await wait(200);
} finally {
  await soak.close();
}
const faults = [...soak.ledger.faults, ...growth(soak.samples)];
const seconds = Math.round((performance.now() - started) / 1000);
const table = tableOf(soak, seconds);
console.log(table);
for (const fault of faults.slice(0, 30)) console.log(fault);
console.log(faults.length === 0 ? 'flat, nothing lost, nothing doubled' : `${faults.length} faults`);
if (values.write) {
  writeFileSync('docs/img/soak.svg', plotOf(soak.samples));
  const page = readFileSync('docs/soak.md', 'utf8');
  const marks = /(<!-- figures[^>]*-->\n)[\s\S]*(<!-- end -->)/;
  writeFileSync(
    'docs/soak.md',
    page.replace(marks, (_, begin, end) => `${begin}\n${table}\n${end}`),
  );
} else writeFileSync(join(tmpdir(), 'soak.svg'), plotOf(soak.samples));
rmSync(folder, { recursive: true, force: true });
process.exit(faults.length === 0 ? 0 : 1);
