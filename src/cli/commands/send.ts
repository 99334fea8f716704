import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { type ErrorCode, errorTable, GatewayError } from '../../base/errors.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import {
  type Command,
  type CommandContext,
  type Input,
  missingArgument,
  readStdin,
  timeForm,
  UsageError,
} from '../command.ts';
import { cell, columns, tables } from '../layout.ts';

/** Octets; far more than the 255 parts that a message can have. */
const MAX_STDIN = 256 * 1024;

export const send: Command = {
  name: 'send',
  arguments: '[options] NUMBER|@GROUP [TEXT...|-]',
  help: 'Send a message to a number, to every member of a group, or to a list.',
  details: `Without a TEXT, or with -, the text is read from standard input. Words are joined by blanks; put -- in front
of a text that begins with a dash.
--file sends to each row of a CSV list instead of NUMBER. Its first line names the columns: number, and others. TEXT is
then a template, such as "Hello {name}"; without it the column text is sent. Waits while the outbox is full or a
limit is reached. The same list again, or mended, goes on where it was: rows that were sent within a day are not
sent again, unless --ref is another.`,
  options: {
    modem: { value: 'NAME', help: 'Send by this modem.' },
    priority: { value: '0..3', help: '0 bulk, 1 normal (default), 2 high, 3 alarm.' },
    validity: { value: 'MINUTES', help: 'Give up after this time.' },
    flash: { help: 'Show at once, do not store.' },
    report: { help: 'Ask for a delivery report.' },
    at: { value: 'TIME', help: `Not before this time: ${timeForm}, or with Z in UTC.` },
    wait: { value: 'SECONDS', help: 'Wait until it is sent or has failed; the exit code shows the outcome.' },
    ref: { value: 'REF', help: 'Reference: the same one within a day sends nothing again.' },
    file: { value: 'FILE', help: 'Send to every row of this list; - is standard input.' },
    'dry-run': { help: 'Of --file: only check the rows, and count the SMS.' },
    result: { value: 'FILE', help: 'Of --file: write here what became of each row, as CSV.' },
  },
  count: [0, Number.POSITIVE_INFINITY],
  async run(input, context) {
    const file = input.text('file');
    if (file !== undefined) return sendFile(file, input, context);
    for (const option of ['dry-run', 'result']) {
      if (input.flag(option) || input.text(option) !== undefined) throw new UsageError(`--${option} goes with --file`);
    }
    if (input.words.length === 0) throw missingArgument(send);
    const [, second = '', ...more] = input.words;
    if (isRecipient(second) && more.length > 0) {
      const several = 'send to several by a group or by --file';
      throw new UsageError(`${second} is a second recipient: ${several}; quote a text that begins with a number`);
    }
    const wait = input.integer('wait');
    const args = { ...recipient(input), ...options(input), text: await textOf(input, context) };
    const client = await context.client();
    const result = await client.call('sms_gateway.message', 'send', args, 30_000 + (wait ?? 0) * 1000);
    context.show(result, render);
    if (result['warning'] !== undefined) context.remark(`Warning: ${cell(result['warning'])}`);
    return exitCodeOf(result, wait !== undefined);
  },
};

async function sendFile(file: string, input: Input, context: CommandContext): Promise<number> {
  if (input.text('wait') !== undefined) throw new UsageError('--wait does not go with --file');
  const [first = '', ...more] = input.words;
  if (isRecipient(first) && more.length > 0) {
    throw new UsageError(`${first} is a recipient, those of --file stand in its column number; quote the text`);
  }
  const template = input.words.length === 0 ? undefined : input.words.join(' ');
  const bulk = await import('../bulk.ts');
  const rows = bulk.rowsOfList(await bulk.readList(file, context.stdin), template);
  if (input.flag('dry-run')) {
    const cost = await bulk.costOfRows(rows, input.text('result'), context);
    context.show({ ...cost }, () => bulk.costText(cost));
    return cost.faults.length === 0 ? 0 : errorTable.invalid_text.exit;
  }
  const { client_ref: ref, ...args } = options(input);
  const list = JSON.stringify([file === '-' ? '' : basename(file), ref ?? '']);
  const result = await bulk.sendRows(rows, { list, args, result: input.text('result') }, context);
  context.show({ ...result }, () => bulk.resultText(result));
  return result.failed === 0 ? 0 : errorTable.invalid_text.exit;
}

/** Whether a word of its own is surely no text. */
const isRecipient = (word: string): boolean => /^\+\d{6,15}$/.test(word) || /^@[A-Za-z0-9_]+$/.test(word);

function recipient({ words: [to = ''] }: Input): JsonObject {
  return to.startsWith('@') ? { group: to.slice(1) } : { number: to };
}

function options(input: Input): JsonObject {
  return {
    modem: input.text('modem'),
    priority: input.integer('priority'),
    validity: input.integer('validity'),
    flash: input.flag('flash') || undefined,
    report: input.flag('report') || undefined,
    not_before: input.time('at'),
    wait: input.integer('wait'),
    client_ref: input.text('ref'),
  };
}

async function textOf({ words }: Input, { stdin, remark }: CommandContext): Promise<string> {
  const typed = words.slice(1);
  if (typed.length > 0 && typed.join() !== '-') return typed.join(' ');
  if (stdin.isTTY) remark('Type the text, and Ctrl-D on a line of its own to end it.');
  const octets = await readStdin(stdin, MAX_STDIN);
  if (octets.length > MAX_STDIN) throw new GatewayError('text_too_long', `a text has at most ${MAX_STDIN} octets`);
  if (!isUtf8(octets)) throw new GatewayError('invalid_text', 'the text is not UTF-8');
  // The newline that ends the last line of a file is no part of the message.
  const text = octets.toString('utf8').replace(/\r?\n$/, '');
  if (text === '') throw new UsageError('the text is missing');
  return text;
}

function render(result: JsonObject): string {
  const { id, state, parts, encoding, error, recipients } = result;
  if (recipients !== undefined) {
    const rows = tables(recipients).map((r) => [r['id'] ?? '-', r['number'], r['state'], r['error']]);
    return columns([['ID', 'NUMBER', 'STATE', ''], ...rows]);
  }
  const reason = error === undefined ? '' : `: ${cell(error)}`;
  const again = result['duplicate'] === true ? ' (sent before with this reference)' : '';
  return `${cell(id)} ${cell(state)}, ${cell(parts)} ${parts === 1 ? 'part' : 'parts'} ${cell(encoding)}${reason}${again}`;
}

/** 0 when every recipient is on the way; with `--wait`, when every message was sent. */
function exitCodeOf(result: JsonObject, waited: boolean): number {
  const messages = result['recipients'] === undefined ? [result] : tables(result['recipients']);
  for (const { code, state } of messages) {
    const failed = code === undefined ? (waited ? failureOf(state) : undefined) : codeOf(code);
    if (failed !== undefined) return errorTable[failed].exit;
  }
  return 0;
}

function failureOf(state: Json | undefined): ErrorCode | undefined {
  if (state === 'sent' || state === 'delivered') return undefined;
  return state === 'queued' || state === 'sending' ? 'timeout' : 'modem_rejected';
}

const codeOf = (code: Json): ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'internal';
