import { GatewayError } from '../../base/errors.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { printableLines } from '../../base/printable.ts';
import type { RpcClient } from '../client.ts';
import { type Command, type Input, readInteger, timeForm, UsageError } from '../command.ts';
import { cell, columns, type ShowTime, shownLine, shownText, tables } from '../layout.ts';

export const list: Command = {
  name: 'list',
  arguments: '[options]',
  help: 'List messages, oldest first.',
  details: 'Listing does not mark them as read.',
  options: {
    box: { value: 'inbox|outbox', help: 'Only this box; default both.' },
    state: { value: 'STATE', help: 'Only in this state: unread, queued, sent, failed, ...' },
    number: { value: 'NUMBER', help: 'Only from or to this number.' },
    text: { value: 'TEXT', help: 'Only with this in the text.' },
    since: {
      value: 'TIME',
      help: `Only from this time on: ${timeForm}, or with Z in UTC.`,
    },
    last: { value: 'N', help: 'Only the newest N, at most 1000.' },
    limit: { value: 'N', help: 'At most this many; default 100.' },
    cursor: { value: 'CURSOR', help: 'Go on where a page ended.' },
  },
  count: [0, 0],
  async run(input, context) {
    const last = input.integer('last');
    for (const option of ['limit', 'cursor']) {
      if (last !== undefined && input.text(option) !== undefined)
        throw new UsageError(`--last and --${option} exclude each other`);
    }
    const args = {
      box: input.text('box'),
      state: input.text('state'),
      number: input.text('number'),
      text: input.text('text'),
      since: input.time('since'),
      limit: last ?? input.integer('limit'),
      order: last === undefined ? undefined : 'newest',
      cursor: input.text('cursor'),
    };
    const result = await (await context.client()).call('sms_gateway.message', 'list', args);
    if (last !== undefined) {
      // People read downwards: the newest stands last.
      context.show({ messages: [...tables(result['messages'])].reverse() }, messageTable);
      return 0;
    }
    context.show(result, messageTable);
    if (result['cursor'] !== undefined) context.remark(`There are more: --cursor ${result['cursor']}`);
    return 0;
  },
};

function messageTable({ messages }: JsonObject, time: ShowTime): string {
  const all = tables(messages);
  const withErrors = all.some(({ error }) => error !== undefined);
  const row = (start: readonly (Json | undefined)[], error: Json | undefined, text: Json) =>
    withErrors ? [...start, error, text] : [...start, text];
  const rows = all.map((m) =>
    row(
      [m['id'], m['box'] === 'inbox' ? 'in' : 'out', m['state'], time(m['time']), m['number']],
      m['error'],
      shownLine(m),
    ),
  );
  const head = row(['ID', 'BOX', 'STATE', 'TIME', 'NUMBER'], 'ERROR', 'TEXT');
  return rows.length === 0 ? 'No messages.' : columns([head, ...rows]);
}

/** One method for several messages, in their order; it stops at the first error. */
function forEachMessage(name: 'cancel' | 'retry', help: string, details = ''): Command {
  return {
    name,
    arguments: 'ID...',
    help,
    details: `${details}Stops at the first error.`,
    options: {},
    count: [1, Number.POSITIVE_INFINITY],
    async run({ words }, context) {
      const ids = words.map((word) => readInteger('ID', word));
      const client = await context.client();
      for (const id of ids) {
        context.show(await client.call('sms_gateway.message', name, { id }), (r) => `${id} ${cell(r['state'])}`);
      }
      return 0;
    },
  };
}

export const cancel = forEachMessage('cancel', 'Take back messages that have not been sent.');

export const retry = forEachMessage(
  'retry',
  'Send messages again that failed, expired or were cancelled.',
  'They go at once, whatever time they were scheduled for. ',
);

export const read: Command = {
  name: 'read',
  arguments: '[--keep-unread] ID',
  help: 'Print one message and mark it as read.',
  options: { 'keep-unread': { help: 'Do not mark it as read.' } },
  count: [1, 1],
  async run(input, context) {
    const args = { id: readInteger('ID', input.words[0] ?? ''), mark: !input.flag('keep-unread') };
    context.show(await (await context.client()).call('sms_gateway.message', 'read', args), wholeMessage);
    return 0;
  },
};

function wholeMessage(message: JsonObject, time: ShowTime): string {
  const rows = [
    [message['box'] === 'inbox' ? 'From' : 'To', message['number']],
    ['Time', time(message['time'])],
    ['Not before', message['not_before'] === undefined ? undefined : time(message['not_before'])],
    ['State', message['state']],
    ['Modem', message['modem']],
    ['Parts', message['parts']],
    ['Error', message['error']],
  ];
  const head = columns(rows.filter(([, value]) => value !== undefined).map(([name, value]) => [`${name}:`, value]));
  return `${head}\n\n${printableLines(shownText(message))}`;
}

export const deleteMessages: Command = {
  name: 'delete',
  arguments: '[--box inbox|outbox] ID...|--all|--read|--older DAYS',
  help: 'Delete messages.',
  details: `Of IDs it stops at the first that cannot be deleted. Of the others those that still wait to be sent stay.
--read and --older together take what is both.`,
  options: {
    all: { help: 'Every message.' },
    read: { help: 'Every received message that is read.' },
    older: { value: 'DAYS', help: 'Every message that is older.' },
    box: { value: 'inbox|outbox', help: 'Of --all and --older: only this box.' },
  },
  count: [0, Number.POSITIVE_INFINITY],
  async run(input, context) {
    const { words } = input;
    const many = input.flag('all') || input.flag('read') || input.text('older') !== undefined;
    if (many === words.length > 0) throw new UsageError('wanted IDs, or one of --all, --read and --older');
    if (many) {
      const deleted = await deleteMany(input, await context.client());
      context.show({ deleted }, () => `${deleted} deleted`);
      return 0;
    }
    const ids = words.map((word) => readInteger('ID', word));
    const client = await context.client();
    for (const id of ids) {
      context.show(await client.call('sms_gateway.message', 'delete', { id }), () => `${id} deleted`);
    }
    return 0;
  },
};

const DAY_MS = 86_400_000;

/** Deletes what the options describe, page by page; returns how many. */
async function deleteMany(input: Input, client: RpcClient): Promise<number> {
  const days = input.integer('older');
  const before = days === undefined ? Number.POSITIVE_INFINITY : Date.now() - days * DAY_MS;
  const filter = { box: input.text('box'), state: input.flag('read') ? 'read' : undefined };
  let cursor: Json | undefined;
  let deleted = 0;
  do {
    const page = await client.call('sms_gateway.message', 'list', { ...filter, cursor });
    for (const { id, state, time } of tables(page['messages'])) {
      if (Date.parse(String(time)) >= before || state === 'queued' || state === 'sending') continue;
      try {
        await client.call('sms_gateway.message', 'delete', { id });
        deleted++;
      } catch (error) {
        // Somebody else was quicker, or it is being sent again.
        if (!(error instanceof GatewayError && /^(message_not_found|wrong_state)$/.test(error.code))) throw error;
      }
    }
    cursor = page['cursor'];
  } while (cursor !== undefined);
  return deleted;
}

export const total: Command = {
  name: 'total',
  arguments: '',
  help: 'Count the received messages.',
  options: {},
  count: [0, 0],
  async run(_input, context) {
    const result = await (await context.client()).call('sms_gateway.message', 'total');
    context.show(result, (r) => `${cell(r['used'])} of ${cell(r['total'])} messages, ${cell(r['unread'])} unread`);
    return 0;
  },
};
