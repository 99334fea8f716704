import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import { counted, printable } from '../base/printable.ts';

/** The tables in a field of an answer; none when it holds something else. */
export function tables(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export const table = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

/** A value of an answer as one word or line. */
export function cell(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return printable(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

/** Rows in columns, two blanks apart; the last column is as long as it is. */
export function columns(rows: readonly (readonly (Json | undefined)[])[]): string {
  const cells = rows.map((row) => row.map(cell));
  const widthOf = (i: number) => Math.max(...cells.map((row) => lengthOf(row[i] ?? '')));
  const widths = Array.from({ length: Math.max(...cells.map((row) => row.length)) }, (_, i) => widthOf(i));
  const line = (row: readonly string[]) => row.map((text, i) => text + ' '.repeat((widths[i] ?? 0) - lengthOf(text)));
  return cells.map((row) => line(row).join('  ').trimEnd()).join('\n');
}

/** Fields of an answer, a line each; what is nested has the names above it in front. */
export function fieldRows(fields: JsonObject, time: ShowTime): readonly (readonly string[])[] {
  return Object.entries(fields).flatMap(([name, value]) => valueRows(name.replaceAll('_', ' '), value, time));
}

function valueRows(name: string, value: Json | undefined, time: ShowTime): readonly (readonly string[])[] {
  if (Array.isArray(value)) {
    if (!value.some(isNested)) return [[name, value.length === 0 ? 'none' : value.map(cell).join(', ')]];
    return value.flatMap((element, at) => valueRows(`${name} ${at + 1}`, element, time));
  }
  if (!isJsonObject(value)) return [[name, isoTime.test(String(value)) ? time(value) : cell(value)]];
  const entries = Object.entries(value);
  if (entries.length === 0) return [];
  if (!entries.some(([, inner]) => isNested(inner))) return [[name, facts(value, time)]];
  return entries.flatMap(([inner, field]) => valueRows(`${name} ${inner.replaceAll('_', ' ')}`, field, time));
}

const isNested = (value: Json | undefined): boolean => typeof value === 'object' && value !== null;
const isoTime = /^\d{4}-\d\d-\d\dT[0-9:.]+Z$/;

/** A table of single values on one line: `3 of 1000, unread 1`. */
function facts({ used, total, ...others }: JsonObject, time: ShowTime): string {
  const whole = used !== undefined && total !== undefined;
  const rest = whole
    ? others
    : { ...(used !== undefined && { used }), ...(total !== undefined && { total }), ...others };
  const words = Object.entries(rest).map(([name, value]) => {
    const shown = isoTime.test(String(value)) ? time(value) : cell(value);
    return `${name.replaceAll('_', ' ')} ${shown}`;
  });
  return [...(whole ? [`${cell(used)} of ${cell(total)}`] : []), ...words].join(', ');
}

const lengthOf = (text: string) => [...text].length;

/** A time of an answer as people read it. */
export type ShowTime = (value: Json | undefined) => string;

/** By the clock on the wall, `2026-01-31 12:00:00`, or in UTC with a Z behind. */
export const timeIn =
  (utc: boolean): ShowTime =>
  (value) => {
    const time = new Date(typeof value === 'string' ? value : Number.NaN);
    if (Number.isNaN(time.getTime())) return cell(value);
    if (utc) return `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
    const two = (part: number) => String(part).padStart(2, '0');
    const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
    return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  };

/** A received signal of an answer with its unit. */
export const signalText = (value: Json | undefined): string => (value === undefined ? '' : `${cell(value)} dBm`);

/** The text of a message; of a binary one its octets. */
export function shownText({ text, data }: JsonObject): string {
  return text === '' && data !== undefined ? `Binary message: ${data}` : String(text ?? '');
}

/** The same on one line: a sign stands for each line end. */
export const shownLine = (message: JsonObject): string => shownText(message).replace(/\r\n|[\r\n]/g, '⏎');

/** Faults of the config as compilers write them: `file:line: error: section.option: message`. */
export function faultLines(faults: Json | undefined): string {
  const lines = tables(faults).map(({ severity, file, line, section, option, message }) => {
    const place = line === undefined ? cell(file) : `${cell(file)}:${cell(line)}`;
    const name = [section, option].filter((part) => part !== undefined).map(cell);
    return [place, cell(severity), ...(name.length === 0 ? [] : [name.join('.')]), cell(message)].join(': ');
  });
  return lines.join('\n');
}

/** The doors of `status` that have locked somebody out, and how many addresses. */
export const lockOutTexts = (doors: JsonObject): readonly string[] =>
  Object.entries(doors).flatMap(([door, use]) => {
    const locked = Number(table(use)['locked_out'] ?? 0);
    return locked > 0 ? [`${counted(locked, 'address', 'addresses')} at ${doorTitles[door] ?? cell(door)}`] : [];
  });

/** Doors by the names that people know them by. */
const doorTitles: Readonly<Record<string, string>> = {
  cgi: 'Post/Get',
  pages: 'the pages',
  api: 'the REST interface',
  smpp: 'SMPP',
};

/** One line for each sentence of `warnings`. */
export const warningLines = (warnings: Json | undefined): string =>
  (Array.isArray(warnings) ? warnings : []).map((warning) => `warning: ${cell(warning)}`).join('\n');
