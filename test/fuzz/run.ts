/**
 * The long search: `npm run fuzz`, or `npm run fuzz -- --seconds 60 --target mime --seed 7`. Each target is bundled with
 * the packages that it uses and searched by coverage with jazzer.js, a process each, under limits of time and memory.
 * Inputs that led further stay in `.fuzz/corpus` and begin the next search. jazzer.js needs glibc 2.38; on an older
 * system `FUZZ_NODE` names another way to start Node, and without one the inputs are mutations of the seeds.
 *
 * `--short` makes a fixed number of such mutations, the same for the same seed on any system: what continuous
 * integration runs.
 *
 * Prints a table, and exits with 1 when an input broke something. It stands in the output or in `.fuzz/found`, and
 * becomes a test beside the code that it broke.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { type FuzzTarget, mutate } from './input.ts';
import { targetOf, targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    target: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
    /** Mutates in this process. */
    alone: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});
const wanted = values.target?.map(targetOf) ?? targets;
const node = process.env['FUZZ_NODE']?.split(' ') ?? [process.execPath];

/** For one input. */
const MAX_SECONDS = 10;
/** For the whole process, of which the fuzzer itself takes some 500. */
const MAX_MEGABYTES = 2_500;

const FOLDER = '.fuzz';
const BUNDLE = `${FOLDER}/targets.cjs`;

async function bundle(): Promise<void> {
  mkdirSync(`${FOLDER}/found`, { recursive: true });
  await build({
    entryPoints: ['test/fuzz/targets.ts'],
    outfile: BUNDLE,
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error' },
    // Never opened here, and native.
    external: ['serialport'],
  });
}

const escaped = (word: string): string =>
  `"${word.replace(/[^ !#-[\]-~]/g, (octet) => `\\x${octet.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;

/** Files for jazzer.js: the entry, the dictionary, the seeds. */
function prepare({ name, words, seeds }: FuzzTarget): { readonly entry: string; readonly corpus: string } {
  const entry = `${FOLDER}/${name}.cjs`;
  const corpus = `${FOLDER}/corpus/${name}`;
  mkdirSync(corpus, { recursive: true });
  writeFileSync(
    entry,
    `const { run } = require('./targets.cjs').targetOf('${name}');\nexports.fuzz = (input) => run(input);\n`,
  );
  writeFileSync(`${FOLDER}/${name}.dict`, `${words.map(escaped).join('\n')}\n`);
  for (const [n, seed] of seeds.entries()) writeFileSync(`${corpus}/seed-${n}`, seed);
  return { entry, corpus };
}

type Row = Readonly<Record<'by' | 'runs' | 'a second' | 'coverage' | 'corpus' | 'MB' | 'found', string | number>>;

interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Runs Node; what a search that broke off printed last is shown. */
function run(name: string, [program = '', ...args]: readonly string[]): Promise<Ended> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      if (lines.length > 200) lines.splice(0, 100);
    });
  }
  return new Promise((resolve) => {
    child.on('close', (code) => {
      if (code !== 0) console.log(`${name} ended with ${code}:\n${lines.slice(-60).join('\n')}\n`);
      resolve({ code, lines });
    });
  });
}

/** The last match of the first group. */
function last(lines: readonly string[], pattern: RegExp): string {
  return lines.map((line) => pattern.exec(line)?.[1]).findLast((found) => found !== undefined) ?? '?';
}

async function byCoverage(target: FuzzTarget): Promise<Row> {
  const { entry, corpus } = prepare(target);
  const { name, longest } = target;
  const begun = performance.now();
  const { code, lines } = await run(name, [
    ...[...node, 'node_modules/@jazzer.js/core/dist/cli.js', entry, corpus],
    // The targets connect to themselves.
    ...[
      '--disableBugDetectors',
      'ssrf',
      '--timeout',
      String(MAX_SECONDS * 1000),
      '--',
      `-max_total_time=${values.seconds}`,
      `-seed=${values.seed}`,
    ],
    ...[`-max_len=${longest}`, `-rss_limit_mb=${MAX_MEGABYTES}`, `-dict=${FOLDER}/${name}.dict`],
    ...[`-artifact_prefix=${FOLDER}/found/${name}-`, '-print_final_stats=1'],
  ]);
  const runs = last(lines, /^(?:#|stat::number_of_executed_units:\s+)(\d+)/);
  return {
    by: 'coverage',
    runs,
    'a second': Math.round((Number(runs) * 1000) / (performance.now() - begun)),
    coverage: last(lines, /\bcov: (\d+)/),
    corpus: readdirSync(corpus).length,
    MB: last(lines, /(?:\brss: |^stat::peak_rss_mb:\s+)(\d+)/),
    found: code === 0 ? 'nothing' : 'see above',
  };
}

async function byMutation({ name, seeds }: FuzzTarget): Promise<Row> {
  const begun = performance.now();
  const pass = values.short ? ['--short'] : ['--seconds', values.seconds];
  const self = [process.execPath, '--import', 'tsx', 'test/fuzz/run.ts', '--alone', '--target', name];
  const { code, lines } = await run(name, [...self, '--seed', values.seed, ...pass]);
  const runs = Number(last(lines, /^(\d+) runs/));
  return {
    by: 'mutation',
    runs,
    'a second': Math.round((runs * 1000) / (performance.now() - begun)),
    coverage: '',
    corpus: seeds.length,
    MB: last(lines, /, (\d+) MB$/),
    found: code === 0 ? 'nothing' : 'see above',
  };
}

async function alone(target: FuzzTarget): Promise<void> {
  const search = values.short
    ? { runs: target.shortRuns }
    : { runs: Number.MAX_SAFE_INTEGER, limit: Number(values.seconds) * 1000 };
  const runs = await mutate(target, { ...search, seed: Number(values.seed) });
  console.log(`${runs} runs, ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
}

async function all(): Promise<boolean> {
  const [program = '', ...args] = node;
  const probe = spawnSync(program, [...args, '-e', "require('@jazzer.js/fuzzer')"], { encoding: 'utf8' });
  const covers = !values.short && probe.status === 0;
  if (covers) await bundle();
  else if (!values.short) console.log(`jazzer.js does not load here: ${/^Error: .*$/m.exec(probe.stderr)?.[0]}`);
  const rows = new Map<string, Row>();
  const queue = [...wanted];
  const work = async () => {
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
      rows.set(target.name, await (covers ? byCoverage(target) : byMutation(target)));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
  console.table(Object.fromEntries(wanted.map(({ name }) => [name, rows.get(name)])));
  return [...rows.values()].every(({ found }) => found === 'nothing');
}

if (values.alone) for (const target of wanted) await alone(target);
else process.exitCode = (await all()) ? 0 : 1;
