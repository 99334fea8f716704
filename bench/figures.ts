/** What the system says of running programs, and how figures are summed up and printed. */
import { readFileSync } from 'node:fs';

/** What some processes, with the children that they have reaped, have cost so far. */
export interface Cost {
  /** ms of processor time. */
  readonly cpu: number;
  /** Octets written towards block devices. */
  readonly disk: number;
}

/** ms of a tick of /proc/PID/stat: USER_HZ is 100 on every Linux architecture that Node runs on. */
const TICK = 10;

/** The processes and all that they have started, which some gateways are made of. */
function withChildren(pids: readonly number[]): readonly number[] {
  return pids.flatMap((pid) => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ');
    return [pid, ...withChildren(children.filter((child) => child !== '').map(Number))];
  });
}

export function costOf(pids: readonly number[]): Cost {
  const each = withChildren(pids).map((pid) => {
    // Behind the name, which may hold blanks: utime, stime, cutime and cstime are fields 14 to 17 of proc(5).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const io = readFileSync(`/proc/${pid}/io`, 'latin1');
    return { cpu: ticks * TICK, disk: Number(/^write_bytes: (\d+)/m.exec(io)?.[1]) };
  });
  return { cpu: sum(each.map(({ cpu }) => cpu)), disk: sum(each.map(({ disk }) => disk)) };
}

/** MB that the processes hold: in all, and what is theirs alone and was written to. */
export function memoryOf(pids: readonly number[]): { readonly resident: number; readonly private: number } {
  const maps = withChildren(pids).map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
  const mb = (name: string) =>
    sum(maps.map((text) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]))) / 1024;
  return { resident: mb('Rss'), private: mb('Private_Dirty') };
}

/** The value below which so large a share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Three significant digits, a dash for what was not measured. */
export function shown(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: digits });
}

/** A table as Markdown has it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
