import type { Point, Soak } from './soak.ts';

interface Measure {
  readonly title: string;
  readonly of: (point: Point, before: Point | undefined) => number;
  /** What it may grow by after the warm-up: a share of what it was, and as much on top. */
  readonly may: { readonly share: number; readonly more: number };
}

const each = (now: Point, before: Point | undefined, key: 'stored' | 'written' | 'cpu') =>
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
    of: (now, before) => each(now, before, 'stored'),
    may: { share: 0.2, more: 50 },
  },
  {
    title: 'Disk octets a message',
    of: (now, before) => each(now, before, 'written'),
    may: { share: 0.3, more: 2_000 },
  },
  // Of a machine that others use too: these are to see what grows without end.
  {
    title: 'Processor time a message, ms',
    of: (now, before) => each(now, before, 'cpu'),
    may: { share: 0.5, more: 1 },
  },
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
    ['came twice without a cause', number(ledger.faults.filter((fault) => fault.endsWith(' twice')).length)],
    ['came again after a loss of modem or broker, or a change of the function', sum(ledger.repeats) || '0'],
    ['real time', `${Math.round(seconds / 60)} min, ${number(ledger.entered / seconds)} messages a second`],
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

const WIDTH = 480;
const HEIGHT = 168;
const COLUMNS = 2;
const EDGE = { left: 52, right: 22, top: 34, bottom: 26 } as const;
/** Points of a running median, which shows what single ones hide. */
const SMOOTH = 9;

/**
 * A panel for each measure over the messages of the run, readable on light and dark pages: each point, a running median, and
 * the two quarters that are compared.
 */
export function plotOf(samples: readonly Point[]): string {
  const rows = Math.ceil(measures.length / COLUMNS);
  const panels = measures.map((measure, at) => {
    const [x, y] = [(at % COLUMNS) * WIDTH, Math.floor(at / COLUMNS) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${panel(measure, samples)}</g>`;
  });
  const [width, height] = [COLUMNS * WIDTH, rows * HEIGHT];
  const note =
    'Over the messages put in. Thin: each look. Bold: median of nine. Shaded: the quarters that are compared, with their medians.';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 28}" font-family="system-ui, sans-serif" font-size="11">
<title>What the gateway holds and costs over the messages of a run</title>
<style>
text { fill: #57606a } .title { font-weight: 600; font-size: 12px; fill: #24292f } .grid { stroke: #d0d7de; stroke-width: .6 } .axis { stroke: #8c959f }
.quarter { fill: #0969da; opacity: .07 } .line { stroke: #0969da; opacity: .4; fill: none; stroke-width: .8; stroke-linejoin: round } .median { stroke: #0969da; fill: none; stroke-width: 1.8; stroke-linejoin: round }
@media (prefers-color-scheme: dark) { text { fill: #9198a1 } .title { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #6e7681 } .quarter { fill: #58a6ff; opacity: .1 } .line, .median { stroke: #58a6ff } }
</style>
${panels.join('\n')}
<text x="${EDGE.left}" y="${height + 14}">${note}</text>
</svg>
`;
}

function panel(measure: Measure, samples: readonly Point[]): string {
  const values = series(measure, samples);
  const right = Math.max(1, samples.at(-1)?.messages ?? 0);
  const step = niceStep(Math.max(...values.filter((value) => !Number.isNaN(value)), 0) / 4);
  const top = 4 * step;
  const [from, to] = [WIDTH - EDGE.right, HEIGHT - EDGE.bottom];
  const x = (messages: number) => EDGE.left + (messages / right) * (from - EDGE.left);
  const y = (value: number) => to - (value / top) * (to - EDGE.top);
  const line = (of: readonly number[]) =>
    samples
      .flatMap(({ messages }, n) => {
        const value = of[n] ?? Number.NaN;
        return Number.isNaN(value) ? [] : [`${x(messages).toFixed(1)},${y(value).toFixed(1)}`];
      })
      .join(' ');
  const quarter = Math.floor(samples.length / 4);
  const shade = (begin: number, end: number) => {
    const [left, width] = [
      x(samples[begin]?.messages ?? 0),
      x(samples[end]?.messages ?? 0) - x(samples[begin]?.messages ?? 0),
    ];
    return `<rect class="quarter" x="${left.toFixed(1)}" width="${Math.max(0, width).toFixed(1)}" y="${EDGE.top}" height="${to - EDGE.top}"/>`;
  };
  const medians = quarters(values).map((value) => short(Number(value.toPrecision(3))));
  const across = niceStep(right / 5);
  return [
    `<text class="title" x="${EDGE.left}" y="20">${measure.title}</text>`,
    `<text x="${from}" y="20" text-anchor="end">${medians.join(' \u2192 ')}</text>`,
    quarter > 0 ? shade(quarter, 2 * quarter) + shade(samples.length - quarter, samples.length - 1) : '',
    ...[0, 1, 2, 3, 4].map((at) => {
      const py = y(at * step).toFixed(1);
      const kind = at === 0 ? 'axis' : 'grid';
      return `<line class="${kind}" x1="${EDGE.left}" x2="${from}" y1="${py}" y2="${py}"/><text x="${EDGE.left - 7}" y="${Number(py) + 4}" text-anchor="end">${short(at * step)}</text>`;
    }),
    ...Array.from({ length: Math.floor(right / across) + 1 }, (_, at) => {
      const px = x(at * across).toFixed(1);
      return `<text x="${px}" y="${to + 15}" text-anchor="middle">${short(at * across)}</text>`;
    }),
    `<polyline class="line" points="${line(values)}"/>`,
    `<polyline class="median" points="${line(smooth(values))}"/>`,
  ].join('');
}

/** The running median; each end has fewer points. */
function smooth(values: readonly number[]): readonly number[] {
  const half = Math.floor(SMOOTH / 2);
  return values.map((value, at) =>
    Number.isNaN(value) ? value : median(values.slice(Math.max(0, at - half), at + half + 1)),
  );
}

const short = (value: number): string =>
  value >= 10_000
    ? `${Number((value / 1000).toFixed(1)).toLocaleString('en')}k`
    : `${Number(value.toPrecision(4)).toLocaleString('en')}`;

/** The least of 1, 2, 2.5, 5 and powers of ten of them that is no less. */
function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 0.01)));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value * 0.999) ?? 10) * power;
}
