import { parseInstant } from '../../../base/clock.ts';
import { GatewayError } from '../../../base/errors.ts';
import type { JsonObject } from '../../../base/json.ts';
import { defined } from '../../../base/json.ts';
import { parsePhoneNumber } from '../../../base/phone-number.ts';
import type { Inbox } from '../../../store/inbox/inbox.ts';
import type { Message, MessageId, MessagePage, MessageQuery } from '../../../store/message.ts';
import { messageFields } from '../../../store/message-fields.ts';
import type { Outbox } from '../../../store/outbox/outbox.ts';
import type { ArgumentsOf } from '../../method.ts';
import { inboxStates, type messageSignatures } from './signatures.ts';

type ListArguments = ArgumentsOf<typeof messageSignatures.list>;
type Box = Message['box'];

const DEFAULT_LIMIT = 100;
/** A page ends early at this size: ubusd takes messages of 1 MiB at most. Octets of JSON. */
const PAGE_SIZE = 512 * 1024;

/** Octets that an octet of a page takes: in its message, as fields, and as JSON. */
const PAGE_COST = 5;
/** Octets that most messages of a short page take at most. */
const MESSAGE_COST = 10_240;

/** About what a page takes of the memory. */
export const costOfPage = ({ limit = DEFAULT_LIMIT }: ListArguments): number =>
  Math.min(PAGE_SIZE * PAGE_COST, limit * MESSAGE_COST);

/** One page of the boxes, merged by id. */
export async function listMessages(args: ListArguments, inbox: Inbox, outbox: Outbox): Promise<JsonObject> {
  const query: MessageQuery = defined({
    state: args.state,
    number: args.number === undefined ? undefined : (parsePhoneNumber(args.number) ?? args.number),
    text: args.text,
    since: args.since === undefined ? undefined : parseTime('since', args.since),
    changedSince: args.changed_since === undefined ? undefined : parseTime('changed_since', args.changed_since),
    after: args.cursor === undefined ? undefined : parseCursor(args.cursor),
    order: args.order,
    limit: args.limit ?? DEFAULT_LIMIT,
    characters: PAGE_SIZE,
  });
  const boxes = boxesOf(args);
  const pages: readonly MessagePage<Message>[] = await Promise.all(
    boxes.map((box) => (box === 'inbox' ? inbox.list(query) : outbox.list(query))),
  );
  const direction = args.order === 'newest' ? -1 : 1;
  // Behind the end of one box's page its next messages may stand before those of the other.
  const ends = pages.flatMap(({ messages, more }) => (more ? messages.slice(-1) : []));
  const found = pages
    .flatMap((page) => page.messages)
    .filter(({ id }) => ends.every((end) => direction * (id - end.id) <= 0))
    .sort((a, b) => direction * (a.id - b.id));
  const messages = fitting(found.slice(0, query.limit).map(messageFields));
  const more = messages.length < found.length || pages.some((page) => page.more);
  const last = found[messages.length - 1];
  return defined({ messages, cursor: more && last !== undefined ? String(last.id) : undefined });
}

/** The first messages that fit a page; one at least. */
function fitting(messages: readonly JsonObject[]): readonly JsonObject[] {
  let size = 0;
  const end = messages.findIndex((message, i) => {
    size += Buffer.byteLength(JSON.stringify(message));
    return i > 0 && size > PAGE_SIZE;
  });
  return end === -1 ? messages : messages.slice(0, end);
}

function boxesOf({ box, state }: ListArguments): readonly Box[] {
  if (state === undefined) return box === undefined ? ['inbox', 'outbox'] : [box];
  const owner: Box = (inboxStates as readonly string[]).includes(state) ? 'inbox' : 'outbox';
  if (box === undefined || box === owner) return [owner];
  throw new GatewayError('invalid_argument', `state ${state} is a state of ${owner} messages, got box ${box}`);
}

/** Throws invalid_argument, with the name of the argument. */
export function parseTime(argument: string, text: string): number {
  const isForm = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const time = isForm ? parseInstant(text) : undefined;
  if (time !== undefined) return time;
  throw new GatewayError(
    'invalid_argument',
    `argument ${argument}: wanted a time like 2026-01-31 or 2026-01-31T12:00:00Z`,
  );
}

function parseCursor(text: string): MessageId {
  if (/^\d{1,10}$/.test(text)) return Number(text) as MessageId;
  throw new GatewayError('invalid_argument', 'argument cursor: wanted the cursor of the page before');
}
