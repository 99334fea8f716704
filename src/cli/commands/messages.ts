import type { JsonObject } from '../../base/json.ts';
import { printableLines } from '../../base/printable.ts';
import { type Command, readInteger } from '../command.ts';
import { cell, columns, localTime, shownText, tables } from '../layout.ts';

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
    since: { value: 'TIME', help: 'Only from this time on: 2026-01-31 or 2026-01-31T12:00:00Z.' },
    limit: { value: 'N', help: 'At most this many; default 100.' },
    cursor: { value: 'CURSOR', help: 'Go on where a page ended.' },
  },
  count: [0, 0],
  async run(input, context) {
    const args = {
      box: input.text('box'),
      state: input.text('state'),
      number: input.text('number'),
      text: input.text('text'),
      since: input.text('since'),
      limit: input.integer('limit'),
      cursor: input.text('cursor'),
    };
    const result = await (await context.client()).call('sms_gateway.message', 'list', args);
    context.show(result, messageTable);
    if (result['cursor'] !== undefined) context.remark(`There are more: --cursor ${result['cursor']}`);
    return 0;
  },
};

function messageTable({ messages }: JsonObject): string {
  const rows = tables(messages).map((m) => [
    m['id'],
    m['box'] === 'inbox' ? 'in' : 'out',
    m['state'],
    localTime(m['time']),
    m['number'],
    shownText(m),
  ]);
  return rows.length === 0 ? 'No messages.' : columns([['ID', 'BOX', 'STATE', 'TIME', 'NUMBER', 'TEXT'], ...rows]);
}

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

function wholeMessage(message: JsonObject): string {
  const rows = [
    [message['box'] === 'inbox' ? 'From' : 'To', message['number']],
    ['Time', localTime(message['time'])],
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
  arguments: 'ID...',
  help: 'Delete messages.',
  details: 'Stops at the first that cannot be deleted.',
  options: {},
  count: [1, Number.POSITIVE_INFINITY],
  async run({ words }, context) {
    const ids = words.map((word) => readInteger('ID', word));
    const client = await context.client();
    for (const id of ids) {
      context.show(await client.call('sms_gateway.message', 'delete', { id }), () => `${id} deleted`);
    }
    return 0;
  },
};

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
