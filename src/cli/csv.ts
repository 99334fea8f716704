import { GatewayError } from '../base/errors.ts';

/**
 * What spreadsheets take for a formula, and run: a cell that begins with one of these (OWASP, CSV injection). The guard is an
 * apostrophe in front; a cell that begins like a guarded one gets one as well, so that each cell comes back as it was.
 */
const formula = /^'*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/;
/** Phone numbers and other plain numbers are no formulas: scripts read them as they are. */
const plainNumber = /^[+-]?\d+(?:\.\d+)?$/;

const guard = (cell: string): string => (formula.test(cell) && !plainNumber.test(cell) ? `'${cell}` : cell);
const unguard = (cell: string): string => (cell.startsWith("'") && formula.test(cell) ? cell.slice(1) : cell);

/** Characters that may stand between fields. */
const separators = [',', ';', '\t'] as const;

/** A row, and the line of the file that it begins at. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The rows of a text in CSV, RFC 4180; empty lines are none. What separates fields is the character of the three that the first
 * line has most of. Throws GatewayError parse_error with the line.
 */
export function parseCsv(text: string): readonly CsvRow[] {
  // Spreadsheets put a byte order mark in front.
  const input = text.replace(/^\ufeff/, '');
  const separator = separatorOf(input);
  const rows: CsvRow[] = [];
  let line = 1;
  let cells: string[] = [];
  let began = line;
  for (let at = 0; at <= input.length; at++) {
    const cell = readCell(input, at, separator, line);
    cells.push(unguard(cell.value));
    at = cell.end;
    line += cell.lines;
    if (input[at] === separator) continue;
    if (cells.length > 1 || cells[0] !== '') rows.push({ line: began, cells });
    cells = [];
    if (input[at] === '\r' && input[at + 1] === '\n') at++;
    line++;
    began = line;
  }
  return rows;
}

function separatorOf(text: string): string {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  const count = (separator: string) => first.split(separator).length;
  return [...separators].sort((a, b) => count(b) - count(a))[0] ?? ',';
}

interface Cell {
  readonly value: string;
  /** Where the cell ends: at a separator, at the end of a line, or of the text. */
  readonly end: number;
  /** Ends of lines in it. */
  readonly lines: number;
}

function readCell(text: string, start: number, separator: string, line: number): Cell {
  if (text[start] !== '"') {
    let end = start;
    while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end++;
    return { value: text.slice(start, end), end, lines: 0 };
  }
  let value = '';
  for (let at = start + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote === -1) throw new GatewayError('parse_error', `line ${line}: a quote that begins a field never ends`);
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const end = quote + 1;
      const next = text[end];
      if (next !== undefined && next !== separator && next !== '\n' && next !== '\r') {
        throw new GatewayError('parse_error', `line ${line}: something stands behind the quote that ends a field`);
      }
      return { value, end, lines: value.split('\n').length - 1 };
    }
    value += '"';
    at = quote + 2;
  }
}

/** One row with the end of its line. Cells that a spreadsheet would run as formulas are guarded. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(guard).map(quote).join(',')}\r\n`;

const quote = (cell: string): string => (/[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
