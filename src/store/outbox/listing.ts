import { sameSubscriber } from '../../base/phone-number.ts';
import type { MessagePage, MessageQuery, OutboxMessage } from '../message.ts';
import type { OutboxRow } from './row.ts';
import type { OutboxTable } from './table.ts';

/** One page. What memory holds sorts out most; contents are read for the page, and to search in them. */
export async function listRows(
  table: OutboxTable,
  query: MessageQuery,
  view: (row: OutboxRow) => Promise<OutboxMessage>,
): Promise<MessagePage<OutboxMessage>> {
  const messages: OutboxMessage[] = [];
  const wanted = query.text?.toLowerCase();
  const step = query.order === 'newest' ? before : next;
  let row = step(table, query.after);
  for (; row !== undefined; row = step(table, row.id)) {
    if (!fits(row, query)) continue;
    const message = await view(row);
    if (wanted !== undefined && !message.text.toLowerCase().includes(wanted)) continue;
    if (messages.length === query.limit) return { messages, more: true };
    messages.push(message);
  }
  return { messages, more: false };
}

/** The row behind that id, or the first. */
function next({ pending, finished }: OutboxTable, id = 0): OutboxRow | undefined {
  const [a, b] = [pending.from(id + 1), finished.from(id + 1)];
  if (a === undefined || b === undefined) return a ?? b;
  return a.id < b.id ? a : b;
}

/** The row before that id, or the last. */
function before({ pending, finished }: OutboxTable, id = Number.POSITIVE_INFINITY): OutboxRow | undefined {
  const [a, b] = [pending.before(id), finished.before(id)];
  if (a === undefined || b === undefined) return a ?? b;
  return a.id > b.id ? a : b;
}

function fits(row: OutboxRow, { state, number, since }: MessageQuery): boolean {
  if (state !== undefined && row.state !== state) return false;
  if (since !== undefined && row.time < since) return false;
  return number === undefined || sameSubscriber(row.number, number);
}
