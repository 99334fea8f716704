import { errorTable, GatewayError } from '../../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import { counted } from '../../base/printable.ts';
import type { BulkRow, NewFile } from '../bulk.ts';
import { type Command, type CommandContext, timeForm, UsageError } from '../command.ts';
import { tables } from '../layout.ts';

const columns = [
  'id',
  'box',
  'number',
  'text',
  'time',
  'state',
  'modem',
  'parts',
  'encoding',
  'error',
  'data',
  'not_before',
] as const;

/** Messages of one call. */
const PAGE = 500;

export const exportMessages: Command = {
  name: 'export',
  arguments: '[options] [FILE]',
  help: 'Write messages to a file, or to standard output, as CSV or JSON lines.',
  details: `Oldest first, times in UTC. Marks nothing as read. Only you may read the FILE that it makes; one that was there is
replaced when all is written. In CSV an apostrophe
stands before text that a spreadsheet would run as a formula: what begins with = + - @, a tab or a line end. import
takes it off.`,
  options: {
    format: { value: 'csv|jsonl', help: 'Default what the name of FILE ends with, else csv.' },
    box: { value: 'inbox|outbox', help: 'Only this box; default both.' },
    state: { value: 'STATE', help: 'Only in this state: unread, queued, sent, failed, ...' },
    number: { value: 'NUMBER', help: 'Only from or to this number.' },
    since: { value: 'TIME', help: `Only from this time on: ${timeForm}, or with Z in UTC.` },
  },
  count: [0, 1],
  async run(input, context) {
    const [path] = input.words;
    const isLines = path?.endsWith('.jsonl') || (path === undefined && input.flag('json'));
    const format = formatOf(input.text('format') ?? (isLines ? 'jsonl' : 'csv'));
    const { cellsOf } = await import('../bulk.ts');
    const { csvLine } = await import('../csv.ts');
    const lineOf = (message: JsonObject) =>
      format === 'csv' ? csvLine(cellsOf(message, columns)) : `${JSON.stringify(message)}\n`;
    const filter = {
      box: input.text('box'),
      state: input.text('state'),
      number: input.text('number'),
      since: input.time('since'),
    };
    const client = await context.client();
    const total = await countOf(filter.box, client);
    const file = await target(path, context);
    let exported = 0;
    let whole = false;
    try {
      if (format === 'csv') await file.write(csvLine(columns));
      let cursor: Json | undefined;
      do {
        const page = await client.call('sms_gateway.message', 'list', { ...filter, limit: PAGE, cursor });
        const messages = tables(page['messages']);
        await file.write(messages.map(lineOf).join(''));
        exported += messages.length;
        context.progress.show(exported, Math.max(total, exported), '');
        cursor = page['cursor'];
      } while (cursor !== undefined);
      whole = true;
    } finally {
      await file.end(whole);
      context.progress.clear();
    }
    if (path !== undefined)
      context.show({ exported, file: path }, () => `${counted(exported, 'message is', 'messages are')} in ${path}.`);
    return 0;
  },
};

function formatOf(text: string): 'csv' | 'jsonl' {
  if (text === 'csv' || text === 'jsonl') return text;
  throw new UsageError(`--format: got ${JSON.stringify(text)}, wanted csv or jsonl`);
}

/** About how many messages there are, for the bar. */
async function countOf(
  box: string | undefined,
  client: Awaited<ReturnType<CommandContext['client']>>,
): Promise<number> {
  const { queue, store } = await client.call('sms_gateway', 'status');
  const sent = Object.entries(isJsonObject(queue) ? queue : {}).filter(([state]) => state !== 'doubled');
  const inbox = isJsonObject(store) && isJsonObject(store['inbox']) ? Number(store['inbox']['used'] ?? 0) : 0;
  const outbox = sent.reduce((sum, [, count]) => sum + Number(count), 0);
  return box === 'inbox' ? inbox : box === 'outbox' ? outbox : inbox + outbox;
}

async function target(path: string | undefined, { write }: CommandContext): Promise<NewFile> {
  if (path === undefined || path === '-') return { write: async (text) => write(text), end: async () => undefined };
  const { createAnew } = await import('../bulk.ts');
  return createAnew(path);
}

/** What has not been sent where it comes from. */
const unsent = new Set(['', 'queued', 'failed', 'expired', 'cancelled']);

export const importMessages: Command = {
  name: 'import',
  arguments: '[options] FILE',
  help: 'Send what an export of another gateway holds and that one has not sent.',
  details: `FILE is CSV or JSON lines as export writes them; - is standard input. Messages that wait, failed, expired or were
cancelled there go into the outbox here, those that were sent or received do not: the inbox holds only what came by
a modem of this gateway. What is scheduled there waits for its time here. --state takes fewer of them. The same file
again sends nothing twice within a day.`,
  options: {
    state: { value: 'STATE', help: 'Only those in this state there: queued, failed, expired, cancelled.' },
    'dry-run': { help: 'Only check the messages, and count the SMS.' },
    result: { value: 'FILE', help: 'Write here what became of each message, as CSV.' },
  },
  count: [1, 1],
  async run(input, context) {
    const [path = ''] = input.words;
    const state = input.text('state');
    if (state !== undefined && !unsent.has(state)) {
      throw new UsageError(`--state: got ${JSON.stringify(state)}, wanted queued, failed, expired or cancelled`);
    }
    const bulk = await import('../bulk.ts');
    const all = await recordsOf(await bulk.readList(path, context.stdin));
    const rows = all.filter(
      (row) => row.box !== 'inbox' && (state === undefined ? unsent.has(row.state) : row.state === state),
    );
    const skipped = all.length - rows.length;
    if (input.flag('dry-run')) {
      const cost = await bulk.costOfRows(rows, input.text('result'), context);
      context.show({ ...cost, skipped }, () => `${skipped} are not to be sent\n${bulk.costText(cost)}`);
      return cost.faults.length === 0 ? 0 : errorTable.invalid_text.exit;
    }
    const result = await bulk.sendRows(rows, { list: 'import', args: {}, result: input.text('result') }, context);
    context.show({ ...result, skipped }, () => `${bulk.resultText(result)}; ${skipped} are not to be sent`);
    return result.failed === 0 ? 0 : errorTable.invalid_text.exit;
  },
};

interface Exported extends BulkRow {
  readonly box: string;
  readonly state: string;
}

async function recordsOf(list: string): Promise<readonly Exported[]> {
  const record = (line: number, get: (name: string) => string): Exported => ({
    line,
    ...{ box: get('box'), state: get('state'), number: get('number'), text: get('text') },
    ...(get('not_before') !== '' && { notBefore: get('not_before') }),
  });
  if (/^\s*\{/.test(list)) {
    return list.split('\n').flatMap((text, at) => {
      if (text.trim() === '') return [];
      const message = parseLine(text, at + 1);
      return [record(at + 1, (name) => (typeof message[name] === 'string' ? message[name] : ''))];
    });
  }
  const { parseCsv } = await import('../csv.ts');
  const [head, ...rows] = parseCsv(list);
  const names = (head?.cells ?? []).map((name) => name.trim().toLowerCase());
  for (const name of ['number', 'text']) {
    if (!names.includes(name)) {
      throw new GatewayError(
        'parse_error',
        `the list has no column ${JSON.stringify(name)}, wanted one that export wrote`,
      );
    }
  }
  return rows.map(({ line, cells }) => record(line, (name) => cells[names.indexOf(name)] ?? ''));
}

function parseLine(text: string, line: number): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // The error is thrown below.
  }
  throw new GatewayError('parse_error', `line ${line} is no JSON object`);
}
