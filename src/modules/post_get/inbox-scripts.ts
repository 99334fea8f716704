import { GatewayError } from '../../base/errors.ts';
import type { Inbox } from '../../store/inbox/inbox.ts';
import type { InboxMessage, MessageId } from '../../store/message.ts';
import { messageDetails } from '../../store/message-fields.ts';
import type { Reply } from './answer.ts';
import type { DateWriter } from './date.ts';
import { listEntry, readEntry, totals } from './layout.ts';

type Parameters = ReadonlyMap<string, string>;

/**
 * A listing ends once it has this many characters as a JSON string, which is how the shim gets it: an answer of the RPC
 * namespace has 1 MiB. The rest follows when the first messages are deleted.
 */
const MAX_LISTING = 1_000_000;
const PAGE = 100;

const states: Readonly<Record<string, string | undefined>> = {
  all: undefined,
  read: 'read',
  unread: 'unread',
  new: 'unread',
};

export async function smsList(inbox: Inbox, parameters: Parameters, date: DateWriter): Promise<Reply> {
  const wanted = (parameters.get('state') || 'all').toLowerCase();
  if (!Object.hasOwn(states, wanted)) throw new GatewayError('invalid_argument', 'Unknown state argument');
  const sizeOf = (message: InboxMessage) =>
    Math.max(jsonSize(listEntry(message, date)), jsonSize(JSON.stringify(messageDetails(message))));
  const { messages, more } = await gather(inbox, states[wanted], sizeOf);
  return {
    text: () => messages.map((message) => listEntry(message, date)).join(''),
    json: () => ({ messages: messages.map(messageDetails), more }),
  };
}

/** Shows the message as it was before this call made it read. */
export async function smsRead(inbox: Inbox, parameters: Parameters, date: DateWriter): Promise<Reply> {
  const number = parameters.get('number');
  // A client in the field looks for these words when it gave no index.
  if (number === undefined || number === '') throw new GatewayError('invalid_argument', 'out of range');
  const index = indexOf(number);
  const message = await inbox.byIndex(index);
  if (message === undefined) throw new GatewayError('message_not_found', `no message with index ${index}`);
  // A full disk, of which the store tells the log, must keep nobody from reading.
  await inbox.markRead(message.id).catch(() => undefined);
  return { text: () => readEntry(message, date), json: () => messageDetails(message) };
}

/** OK also when there is no such message: a client that repeats a delete whose answer was lost has what it wants. */
export async function smsDelete(inbox: Inbox, parameters: Parameters): Promise<Reply> {
  const message = await inbox.byIndex(indexOf(parameters.get('number') ?? ''));
  const deleted = message !== undefined && (await inbox.delete(message.id));
  return { text: () => 'OK\n', json: () => ({ deleted }) };
}

export async function smsTotal(inbox: Inbox): Promise<Reply> {
  const { used, total, unread } = inbox.total();
  return { text: () => totals(used, total), json: () => ({ used, total, unread }) };
}

function indexOf(text: string): number {
  const digits = text.trim();
  if (!/^[0-9]{1,10}$/.test(digits)) throw new GatewayError('invalid_number', 'number is not the index of a message');
  return Number(digits);
}

const jsonSize = (text: string): number => JSON.stringify(text).length;

async function gather(
  inbox: Inbox,
  state: string | undefined,
  sizeOf: (message: InboxMessage) => number,
): Promise<{ messages: InboxMessage[]; more: boolean }> {
  const messages: InboxMessage[] = [];
  let size = 0;
  let after: MessageId | undefined;
  for (;;) {
    const query = { limit: PAGE, ...(state === undefined ? {} : { state }), ...(after === undefined ? {} : { after }) };
    const page = await inbox.list(query);
    for (const message of page.messages) {
      size += sizeOf(message);
      if (size > MAX_LISTING && messages.length > 0) return { messages, more: true };
      messages.push(message);
    }
    after = page.messages.at(-1)?.id;
    if (!page.more || after === undefined) return { messages, more: false };
  }
}
