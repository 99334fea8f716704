import type { Point, Soak } from './soak.ts';

interface Measure {
  readonly title: string;
  readonly of: (point: Point, before: Point | undefined) => number;
  /** What it may grow by after the warm-up: a share of what it was, and as much on top. */
  readonly may: { readonly share: number; readonly more: number };
}

const octets = (now: Point, before: Point | undefined, key: 'stored' | 'written') =>
  before === undefined ? Number.NaN : (now[key] - before[key]) / (now.messages - before.messages);

/** What is watched over the run. */
export const measures: readonly Measure[] = [
  { title: 'Heap after garbage collection, MB', of: ({ heap }) => heap / 1e6, may: { share: 0.1, more: 1 } },
  { title: 'Resident memory, MB', of: ({ resident }) => resident / 1e6, may: { share: 0.15, more: 5 } },
  { title: 'Descriptors', of: ({ descriptors }) => descriptors, may: { share: 0, more: 3 } },
  { title: 'Timers', of: ({ timers }) => timers, may: { share: 0, more: 5 } },
  { title: 'Handles of the event loop', of: ({ handles }) => handles, may: { share: 0, more: 6 } },
  { title: 'Journal, kB', of: ({ journal }) => journal / 1e3, may: { share: 0.25, more: 100 } },
  {
    title: 'Journal octets a message',
    of: (now, before) => octets(now, before, 'stored'),
    may: { share: 0.2, more: 50 },
  },
  {
    title: 'Disk octets a message',
    of: (now, before) => octets(now, before, 'written'),
    may: { share: 0.3, more: 2_000 },
  },
  // Of a machine that others use too: this is to see what grows without end.
  { title: 'To the network, at rest, ms', of: ({ latency }) => latency, may: { share: 2, more: 20 } },
];

function series({ of }: Measure, samples: readonly Point[]): readonly number[] {
  return samples.map((point, at) => of(point, samples[at - 1]));
}

function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The medians of the second quarter, after the warm-up, and of the last. */
function quarters(values: readonly number[]): readonly [number, number] {
  const quarter = Math.floor(values.length / 4);
  return [median(values.slice(quarter, 2 * quarter)), median(values.slice(-quarter))];
}

/** What grew after the warm-up, a sentence each. */
export function growth(samples: readonly Point[]): readonly string[] {
  return measures.flatMap((measure) => {
    const [early, late] = quarters(series(measure, samples));
    const limit = early * (1 + measure.may.share) + measure.may.more;
    if (late <= limit) return [];
    return [
      `not flat: ${measure.title} was ${early.toFixed(1)} in the second quarter and ${late.toFixed(1)} in the last`,
    ];
  });
}

/** Markdown: what was done, and what it cost. */
export function tableOf({ ledger, load, samples, events, world, due }: Soak, seconds: number): string {
  const number = (value: number) =>
    Math.abs(value) >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString('en') : value.toFixed(1);
  const days = (from: Point | undefined, to: Point | undefined) =>
    `${new Date(from?.at ?? 0).toISOString().slice(0, 10)} to ${new Date(to?.at ?? 0).toISOString().slice(0, 10)}`;
  const sum = (map: ReadonlyMap<string, number>) =>
    [...map].map(([name, count]) => `${name} ${number(count)}`).join(', ');
  const scheduled = [...due.values()].reduce((all, count) => all + count, 0);
  const rows = [
    ['messages put in', number(ledger.entered)],
    ['by', sum(load.by)],
    ['arrived', sum(ledger.arrivals)],
    [
      'SMS over the air',
      `${number(world.air.out + world.air.in)}: ${number(world.air.out)} out, ${number(world.air.in)} in`,
    ],
    ['scheduled messages, due and sent', number(scheduled)],
    ['modem lost', number(events.modem)],
    ['config changed', number(events.config)],
    ['MQTT broker, ubusd restarted', `${events.broker}, ${events.ubusd}`],
    ['clock stepped back, forward', `${events.back}, ${events.forward}`],
    ['the clock went from', days(samples[0], samples.at(-1))],
    ['lost', number(ledger.entered - ledger.settled)],
    [
      'sent or handed over again after a loss of modem or broker, or a change of the function',
      sum(ledger.repeats) || '0',
    ],
    ['real time', `${Math.round(seconds / 60)} min`],
  ];
  const figures = measures.map((measure) => [measure.title, ...quarters(series(measure, samples)).map(number)]);
  return [
    '| | |\n|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '\n| median of | second quarter | last quarter |\n|---|---|---|',
    ...figures.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');
}

const WIDTH = 420;
const HEIGHT = 190;
const COLUMNS = 2;
const EDGE = { left: 62, right: 14, top: 30, bottom: 34 } as const;

/** A panel for each measure over the messages of the run, readable on light and dark pages. */
export function plotOf(samples: readonly Point[]): string {
  const rows = Math.ceil(measures.length / COLUMNS);
  const panels = measures.map((measure, at) => {
    const [x, y] = [(at % COLUMNS) * WIDTH, Math.floor(at / COLUMNS) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${panel(measure, samples)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${COLUMNS * WIDTH} ${rows * HEIGHT}" font-family="sans-serif" font-size="11">
<title>What the gateway holds and costs over the messages of a run</title>
<style>
text { fill: #555 } .title { font-weight: bold; fill: #333 } .axis { stroke: #999; fill: none } .grid { stroke: #ddd } .line { stroke: #2266aa; fill: none }
@media (prefers-color-scheme: dark) { text { fill: #aaa } .title { fill: #ddd } .axis { stroke: #777 } .grid { stroke: #444 } .line { stroke: #66aaee } }
</style>
${panels.join('\n')}
</svg>
`;
}

function panel(measure: Measure, samples: readonly Point[]): string {
  const values = series(measure, samples);
  const right = niceTop(samples.at(-1)?.messages ?? 0);
  const top = niceTop(Math.max(...values.filter((value) => !Number.isNaN(value))));
  const x = (messages: number) => EDGE.left + (messages / right) * (WIDTH - EDGE.left - EDGE.right);
  const y = (value: number) => HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const at = (px: number, py: number) => `${px.toFixed(1)},${py.toFixed(1)}`;
  const points = samples.flatMap(({ messages }, n) => {
    const value = values[n] ?? Number.NaN;
    return Number.isNaN(value) ? [] : [at(x(messages), y(value))];
  });
  const steps = [0, 0.25, 0.5, 0.75, 1];
  const short = (value: number) => (value >= 10_000 ? `${value / 1000}k` : `${value}`);
  return [
    `<text class="title" x="${EDGE.left}" y="18">${measure.title}</text>`,
    ...steps.map((step) => {
      const py = y(top * step).toFixed(1);
      const line = `<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${py}" y2="${py}"/>`;
      return `${line}<text x="${EDGE.left - 6}" y="${Number(py) + 4}" text-anchor="end">${short(top * step)}</text>`;
    }),
    ...steps.map(
      (step) => `<text x="${x(right * step)}" y="${HEIGHT - 19}" text-anchor="middle">${short(right * step)}</text>`,
    ),
    `<text x="${(EDGE.left + WIDTH - EDGE.right) / 2}" y="${HEIGHT - 5}" text-anchor="middle">messages</text>`,
    `<path class="axis" d="M${EDGE.left},${EDGE.top}V${HEIGHT - EDGE.bottom}H${WIDTH - EDGE.right}"/>`,
    `<polyline class="line" points="${points.join(' ')}"/>`,
  ].join('');
}

/** The least of 1, 2, 4, 8 and powers of ten of them that is no less. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return ([1, 2, 4, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}
