import { sameSubscriber } from '../../base/phone-number.ts';
import { fromHex, toUserData, userDataText } from '../../sms/index.ts';
import {
  type Content,
  charactersOf,
  isFull,
  type MessagePage,
  type MessageQuery,
  type OutboxMessage,
  type OutboxPart,
} from '../message.ts';
import { mrOf, type Part, progress, progressOf } from './part.ts';
import type { Progressed, Submitted } from './records.ts';
import type { OutboxRow } from './row.ts';
import type { OutboxTable } from './table.ts';

const names = ['queued', 'sending', 'sent', 'delivered', 'undelivered', 'expired'] as const;

/** A message, from its submit record and the changes since. `inHand`: a modem is sending it right now. */
export function outboxMessage(submitted: Submitted, now: Progressed, inHand: boolean): OutboxMessage {
  const { id, number, content, encoding, priority, source, batch, clientRef, tag, report } = submitted;
  const { state, time, expires, attempts, changed, notBefore, error } = now;
  const modem = now.via ?? submitted.modem;
  return {
    box: 'outbox',
    id,
    number,
    content,
    text: textOf(content),
    encoding,
    time,
    state,
    parts: now.parts.length,
    partStates: now.parts.map((part) => outboxPart(part, inHand)),
    priority,
    expires,
    attempts,
    source,
    changed,
    ...(report !== undefined && { report }),
    ...(modem !== undefined && { modem }),
    ...(notBefore !== undefined && { notBefore }),
    ...(clientRef !== undefined && { clientRef }),
    ...(batch !== undefined && { batch }),
    ...(tag !== undefined && { tag }),
    ...(error !== undefined && { error }),
  };
}

function textOf(content: Content): string {
  if (content.type === 'text') return content.text;
  return userDataText(content.dcs, toUserData(fromHex(content.udh ?? ''), fromHex(content.data)));
}

/** One for all parts: a long message has hundreds. */
const untold = {
  queued: { state: 'queued' },
  sending: { state: 'sending' },
  ambiguous: { state: 'ambiguous' },
} as const satisfies Readonly<Record<string, OutboxPart>>;

function outboxPart(part: Part, inHand: boolean): OutboxPart {
  const at = progressOf(part);
  if (at === progress.attempted) return inHand ? untold.sending : untold.ambiguous;
  if (at === progress.queued) return untold.queued;
  return { state: names[at], mr: mrOf(part) };
}

/** One page. The rows in memory rule out most messages; contents are read for the page, and to search in them. */
export async function listRows(
  table: OutboxTable,
  query: MessageQuery,
  view: (row: OutboxRow) => Promise<OutboxMessage>,
): Promise<MessagePage<OutboxMessage>> {
  const messages: OutboxMessage[] = [];
  let characters = 0;
  const wanted = query.text?.toLowerCase();
  const step = query.order === 'newest' ? before : next;
  let row = step(table, query.after);
  for (; row !== undefined; row = step(table, row.id)) {
    if (!fits(row, query)) continue;
    const message = await view(row);
    if (wanted !== undefined && !message.text.toLowerCase().includes(wanted)) continue;
    characters += charactersOf(message);
    if (isFull(messages, query, characters)) return { messages, more: true };
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

function fits(row: OutboxRow, { state, number, since, changedSince }: MessageQuery): boolean {
  if (state !== undefined && row.state !== state) return false;
  if (since !== undefined && row.time < since) return false;
  if (changedSince !== undefined && row.changed < changedSince) return false;
  return number === undefined || sameSubscriber(row.number, number);
}
