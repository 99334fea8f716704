import { isUtf8 } from 'node:buffer';
import { type ErrorCode, errorTable, GatewayError } from '../../base/errors.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { type Command, type CommandContext, type Input, timeForm, UsageError } from '../command.ts';
import { cell, columns, tables } from '../layout.ts';

/** Octets; far more than the 255 parts that a message can have. */
const MAX_STDIN = 256 * 1024;

export const send: Command = {
  name: 'send',
  arguments: '[options] NUMBER|@GROUP [TEXT...|-]',
  help: 'Send a message to a number, or to every member of a group.',
  details: `Without a TEXT, or with -, the text is read from standard input. Words are joined by blanks; put -- in front
of a text that begins with a dash.`,
  options: {
    modem: { value: 'NAME', help: 'Send by this modem.' },
    priority: { value: '0..3', help: '0 bulk, 1 normal (default), 2 high, 3 alarm.' },
    validity: { value: 'MINUTES', help: 'Give up after this time.' },
    flash: { help: 'Show at once, do not store.' },
    report: { help: 'Ask for a delivery report.' },
    at: { value: 'TIME', help: `Not before this time: ${timeForm}, or with Z in UTC.` },
    wait: { value: 'SECONDS', help: 'Wait until it is sent or has failed; the exit code shows the outcome.' },
    ref: { value: 'REF', help: 'Reference: the same one within a day sends nothing again.' },
  },
  count: [1, Number.POSITIVE_INFINITY],
  async run(input, context) {
    const wait = input.integer('wait');
    const args = { ...recipient(input), ...options(input), text: await textOf(input, context) };
    const client = await context.client();
    const result = await client.call('sms_gateway.message', 'send', args, 30_000 + (wait ?? 0) * 1000);
    context.show(result, render);
    if (result['warning'] !== undefined) context.remark(`Warning: ${cell(result['warning'])}`);
    return exitCodeOf(result, wait !== undefined);
  },
};

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
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    size += chunk.length;
    if (size > MAX_STDIN) throw new GatewayError('text_too_long', `a text has at most ${MAX_STDIN} octets`);
  }
  const octets = Buffer.concat(chunks);
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
