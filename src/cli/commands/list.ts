import type { JsonObject } from '../../base/json.ts';
import { tables } from '../answer.ts';
import type { Command } from '../command.ts';
import { columns, localTime, shownText } from '../layout.ts';

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
    context.show(result, render);
    if (result['cursor'] !== undefined) context.remark(`There are more: --cursor ${result['cursor']}`);
    return 0;
  },
};

function render({ messages }: JsonObject): string {
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
