import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BackOff } from '../base/back-off.ts';
import { didYouMean } from '../base/closest.ts';
import { describeError, GatewayError } from '../base/errors.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { parsePhoneNumber } from '../base/phone-number.ts';
import { counted } from '../base/printable.ts';
import type { RpcClient } from './client.ts';
import { type CommandContext, readStdin, type TextInput, UsageError } from './command.ts';
import { csvLine, parseCsv } from './csv.ts';
import { cell } from './layout.ts';

/** One message of a list. */
export interface BulkRow {
  /** Line of the file. */
  readonly line: number;
  readonly number: string;
  readonly text: string;
  /** Not to be sent before this time, ISO 8601. */
  readonly notBefore?: string;
  /** Why it cannot be sent. */
  readonly fault?: string;
}

/** Octets of a list: some hundred thousand rows, which are all read before the first is sent. */
const MAX_FILE = 32 * 1024 * 1024;

/** The text of a file, or with `-` of standard input. Throws GatewayError file_not_found, too_large, invalid_text. */
export async function readList(path: string, stdin: TextInput): Promise<string> {
  const octets =
    path === '-' ? await readStdin(stdin, MAX_FILE) : await readFile(path).catch((error) => fail('read', path, error));
  if (octets.length > MAX_FILE) throw new GatewayError('too_large', `${path} has more than ${MAX_FILE} octets`);
  if (!isUtf8(octets)) throw new GatewayError('invalid_text', `${path} is not UTF-8`);
  return octets.toString('utf8');
}

function fail(what: 'read' | 'write', path: string, error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const missing = what === 'read' ? `there is no file ${path}` : `there is no folder ${dirname(path)}`;
    throw new GatewayError('file_not_found', missing);
  }
  if (code === 'EISDIR') throw new GatewayError('file_not_found', `${path} is a folder, wanted a file`);
  throw new GatewayError('access_denied', `cannot ${what} ${path}: ${describeError(error)}`);
}

/**
 * The messages of a list with a line of column names: the recipient from the column `number`, the text from the template or
 * else the column `text`. Throws UsageError, GatewayError.
 */
export function rowsOfList(list: string, template: string | undefined): readonly BulkRow[] {
  const [head, ...rows] = parseCsv(list);
  const names = (head?.cells ?? []).map((name) => name.trim().toLowerCase());
  const needed = new Map<number, string>();
  const columnOf = (name: string): number => {
    const at = names.indexOf(name.toLowerCase());
    if (at !== -1) {
      needed.set(at, name);
      return at;
    }
    const there = names.length === 0 ? 'it is empty' : `there are ${names.join(', ')}`;
    const fault = `the list has no column ${JSON.stringify(name)}, ${there}${didYouMean(name, names)}`;
    // A column that the text names may be misspelt there.
    const isTyped = template !== undefined && name !== 'number';
    throw isTyped ? new UsageError(fault) : new GatewayError('parse_error', fault);
  };
  const number = columnOf('number');
  const fill = template === undefined ? fillFrom(columnOf('text')) : parseTemplate(template, columnOf);
  return rows.map(({ line, cells }) => {
    // What a row lacks would be a hole in its text.
    const missing = [...needed].flatMap(([at, name]) => (at < cells.length ? [] : [name])).join(', ');
    return {
      ...{ line, number: (cells[number] ?? '').trim(), text: fill(cells) },
      ...(missing !== '' && { fault: `the row ends before ${missing}` }),
    };
  });
}

type Fill = (cells: readonly string[]) => string;

const fillFrom =
  (column: number): Fill =>
  (cells) =>
    cells[column] ?? '';

/** `{name}` stands for a column, `{{` and `}}` for braces. */
function parseTemplate(template: string, columnOf: (name: string) => number): Fill {
  const pieces = template.split(/(\{\{|\}\}|\{[^{}]*\})/).map((piece): Fill => {
    if (piece === '{{' || piece === '}}') return () => piece[0] ?? '';
    const name = /^\{([^{}]*)\}$/.exec(piece)?.[1];
    if (name !== undefined) return fillFrom(columnOf(name.trim()));
    if (/[{}]/.test(piece))
      throw new UsageError(`a single brace in the text: {column} for a column, {{ or }} for a brace`);
    return () => piece;
  });
  return (cells) => pieces.map((piece) => piece(cells)).join('');
}

/** What became of a list. */
export interface BulkResult {
  readonly rows: number;
  readonly accepted: number;
  /** Of the accepted, how many an earlier run had sent. */
  readonly before: number;
  readonly failed: number;
  /** SMS of the accepted. */
  readonly parts: number;
}

/** Errors that pass: the outbox is full, a limit is reached, the gateway is being restarted. */
const passing =
  /^(?:queue_full|limit_reached|too_many|store_full|store_unavailable|stopping|connection_failed|timeout)$/;
/** Errors that say nothing about the other rows. */
const ofRow = /^(?:invalid_number|invalid_text|text_too_long|number_denied)$/;
/** Pauses while nothing more is accepted, ms. */
const WAITS = { first: 500, longest: 30_000, jitter: 0.2 };
/** Errors that are printed; the result file has all. */
const MAX_PRINTED = 20;

export interface BulkOptions {
  /** Goes into the references: another one sends the same rows again. */
  readonly list: string;
  /** Arguments of each send. */
  readonly args: JsonObject;
  /** Where the outcome of each row goes. */
  readonly result?: string | undefined;
}

/**
 * Sends the rows one after the other. A row has a reference made of its list, number and text, so that a list that is sent once
 * more, mended perhaps, goes on where it was; within a day. Waits while the gateway takes no more.
 */
export async function sendRows(
  rows: readonly BulkRow[],
  { list, args, result }: BulkOptions,
  context: CommandContext,
): Promise<BulkResult> {
  const sum = { rows: rows.length, accepted: 0, before: 0, failed: 0, parts: 0 };
  const line = new Line(context);
  const file = await openResult(result);
  const refs = new References(list);
  try {
    for (const row of rows) {
      try {
        checkRow(row);
        const answer = await line.send(
          {
            ...{ ...args, number: row.number, text: row.text, client_ref: refs.of(row) },
            ...(row.notBefore !== undefined && { not_before: row.notBefore }),
          },
          (why) => context.progress.show(sum.accepted + sum.failed, rows.length, `waits: ${why}`),
        );
        sum.accepted += 1;
        sum.parts += Number(answer['parts'] ?? 0);
        if (answer['duplicate'] === true) sum.before += 1;
        await note(file, row, answer);
      } catch (error) {
        if (!(error instanceof GatewayError && ofRow.test(error.code))) throw error;
        sum.failed += 1;
        if (sum.failed <= MAX_PRINTED) context.remark(`line ${row.line}: ${error.message}`);
        await note(file, row, { state: 'failed', error: error.message });
      }
      context.progress.show(sum.accepted + sum.failed, rows.length, sum.failed === 0 ? '' : `${sum.failed} failed`);
    }
    return sum;
  } finally {
    context.progress.clear();
    line.close();
    await file?.close();
  }
}

function checkRow({ fault }: BulkRow): void {
  if (fault !== undefined) throw new GatewayError('invalid_text', fault);
}

/** The file of outcomes with its line of names, for nobody else to read. Throws as `create`. */
async function openResult(path: string | undefined): Promise<FileHandle | undefined> {
  if (path === undefined) return undefined;
  const file = await create(path);
  await file.write(csvLine(['line', 'number', 'id', 'state', 'parts', 'error']));
  return file;
}

/** A file for nobody else to read. Throws GatewayError file_not_found, access_denied. */
const create = (path: string): Promise<FileHandle> =>
  open(path, 'w', 0o600).catch((error) => fail('write', path, error));

export interface NewFile {
  write(text: string): Promise<void>;
  /** Puts it in its place, or with `false` throws it away. */
  end(whole: boolean): Promise<void>;
}

/** As `create`, but what had the name before stays until the new one is whole. A pipe or a device is written to as it is. */
export async function createAnew(path: string): Promise<NewFile> {
  const before = await stat(path).catch(() => undefined);
  if (before?.isDirectory()) throw new GatewayError('file_not_found', `${path} is a folder, wanted a file`);
  const isStream = before !== undefined && !before.isFile();
  // Of a link the file that it leads to is replaced.
  const place = before?.isFile() ? await realpath(path) : path;
  const beside = isStream ? place : `${place}.${process.pid}.part`;
  const file = await create(beside);
  return {
    write: (text) => file.appendFile(text).catch((error) => fail('write', path, error)),
    async end(whole) {
      await file.close();
      if (isStream) return;
      if (whole) await rename(beside, place).catch((error) => fail('write', path, error));
      else await unlink(beside);
    },
  };
}

async function note(
  file: FileHandle | undefined,
  row: BulkRow,
  { id, state, parts, error }: JsonObject,
): Promise<void> {
  await file?.write(csvLine([String(row.line), row.number, cell(id), cell(state), cell(parts), cell(error)]));
}

/** A connection that is made again when it breaks. */
class Line {
  readonly #context: CommandContext;
  #client: RpcClient | undefined;
  #worked = false;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** Throws what no wait mends. */
  async send(args: JsonObject, waits: (why: string) => void): Promise<JsonObject> {
    const backOff = new BackOff(WAITS);
    for (;;) {
      try {
        this.#client ??= await this.#context.connect();
        const answer = await this.#client.call('sms_gateway.message', 'send', args);
        this.#worked = true;
        return answer;
      } catch (error) {
        if (!(error instanceof GatewayError && passing.test(error.code))) throw error;
        const isGone = error.code === 'connection_failed' || error.code === 'timeout';
        // A gateway that does not run at all is no reason to wait.
        if (isGone && !this.#worked) throw error;
        if (isGone) this.close();
        waits(error.message);
        await pause(backOff.next());
      }
    }
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

/** The reference of each row; equal rows of one list differ by their count. */
class References {
  readonly #list: string;
  readonly #seen = new Map<string, number>();

  constructor(list: string) {
    this.#list = list;
  }

  of({ number, text }: BulkRow): string {
    const hash = createHash('sha256')
      .update(JSON.stringify([this.#list, number, text]))
      .digest('hex')
      .slice(0, 40);
    const count = (this.#seen.get(hash) ?? 0) + 1;
    this.#seen.set(hash, count);
    return `list/${hash}/${count}`;
  }
}

/** What a list would cost, without sending it. */
export interface BulkCost {
  readonly rows: number;
  readonly parts: number;
  /** Rows that would be refused, `line 5: …`. */
  readonly faults: readonly string[];
  /** Messages by their number of parts. */
  readonly by_parts: Readonly<Record<string, number>>;
}

/** Asks what the rows would cost. `result` gets each with the state `dry run`, or `failed` where it would be refused. */
export async function costOfRows(
  rows: readonly BulkRow[],
  result: string | undefined,
  context: CommandContext,
): Promise<BulkCost> {
  const client = await context.client();
  const file = await openResult(result);
  try {
    return await costOf(rows, client, file, context);
  } finally {
    context.progress.clear();
    await file?.close();
  }
}

async function costOf(
  rows: readonly BulkRow[],
  client: RpcClient,
  file: FileHandle | undefined,
  context: CommandContext,
): Promise<BulkCost> {
  const known = new Map<string, number | GatewayError>();
  const partsOf = async (text: string): Promise<number> => {
    const before = known.get(text);
    const found = before ?? (await segmentsOf(client, text));
    if (before === undefined) known.set(text, found);
    if (typeof found === 'number') return found;
    throw found;
  };
  const faults: string[] = [];
  const byParts = new Map<number, number>();
  for (const [at, row] of rows.entries()) {
    const { line, number, text } = row;
    try {
      checkRow(row);
      if (parsePhoneNumber(number) === undefined) {
        throw new GatewayError('invalid_number', `${JSON.stringify(number)} is no phone number`);
      }
      const parts = await partsOf(text);
      byParts.set(parts, (byParts.get(parts) ?? 0) + 1);
      await note(file, row, { state: 'dry run', parts });
    } catch (error) {
      if (!(error instanceof GatewayError && ofRow.test(error.code))) throw error;
      faults.push(`line ${line}: ${error.message}`);
      await note(file, row, { state: 'failed', error: error.message });
    }
    context.progress.show(at + 1, rows.length, '');
  }
  const all = [...byParts].sort(([a], [b]) => a - b);
  const parts = all.reduce((sum, [each, count]) => sum + each * count, 0);
  return { rows: rows.length, parts, faults, by_parts: Object.fromEntries(all) };
}

async function segmentsOf(client: RpcClient, text: string): Promise<number | GatewayError> {
  try {
    const { parts } = await client.call('sms_gateway.message', 'segments', { text });
    return Number(parts);
  } catch (error) {
    if (error instanceof GatewayError && ofRow.test(error.code)) return error;
    throw error;
  }
}

export const costText = ({ rows, parts, faults, by_parts }: BulkCost): string =>
  [
    `${counted(rows, 'row')}, ${counted(rows - faults.length, 'message')}, ${parts} SMS`,
    ...Object.entries(by_parts).map(([each, count]) => `  ${count} of ${each} ${each === '1' ? 'part' : 'parts'}`),
    ...faults.slice(0, MAX_PRINTED),
    ...(faults.length > MAX_PRINTED
      ? [`and ${counted(faults.length - MAX_PRINTED, 'more row', 'more rows')} that cannot be sent`]
      : []),
    'Nothing was sent.',
  ].join('\n');

export function resultText({ rows, accepted, before, failed, parts }: BulkResult): string {
  const again = before === 0 ? '' : ` (${before} by an earlier run)`;
  return `${counted(rows, 'row')}: ${accepted} accepted${again}, ${parts} SMS, ${failed} failed`;
}

/** Values of a table as cells. */
export const cellsOf = (
  table: Readonly<Record<string, Json | undefined>>,
  names: readonly string[],
): readonly string[] =>
  names.map((name) => {
    const value = table[name];
    return value === undefined || value === null
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);
  });
