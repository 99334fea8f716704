import { createHash } from 'node:crypto';
import { subscriberNetwork } from '../../access/address.ts';
import { GatewayError } from '../../base/errors.ts';
import { type AnswerRoom, makeAnswer } from '../../base/memory-pool.ts';
import { type PhoneNumber, parsePhoneNumber, plainNumberText } from '../../base/phone-number.ts';
import type { PostGetConfig } from '../../config/config.ts';
import { type Outcome, outcomeFields, submitToAll, waitForAll } from '../../store/group-send.ts';
import type { Inbox } from '../../store/inbox/inbox.ts';
import { type InboxMessage, type MessageId, type OutboxState, outboxStates } from '../../store/message.ts';
import { messageDetails } from '../../store/message-fields.ts';
import type { SubmitRequest } from '../../store/outbox/outbox.ts';
import { localTime, type TimeZone } from '../../system/time-zone.ts';
import type { ModuleContext } from '../host/contract.ts';
import { readableText } from '../kit/received-message.ts';
import { errorReply, type Reply } from './cgi.ts';

export type PostGetContext = ModuleContext<PostGetConfig>;

type Parameters = ReadonlyMap<string, string>;

/** Who sends. */
export interface Client {
  readonly username: string;
  readonly address: string;
}

/** Numbers in one request. */
const MAX_NUMBERS = 100;

/**
 * sms_send: submits the text and waits until a modem has sent it. For a group or several numbers the answer is OK when all
 * messages are sent, ERROR when one failed, else TIMEOUT; the JSON form lists each recipient.
 */
export async function smsSend(
  context: PostGetContext,
  parameters: Parameters,
  client: Client,
  signal: AbortSignal,
): Promise<Reply> {
  const { outbox, clock, config } = context;
  const number = parameters.get('number') ?? '';
  const group = parameters.get('group') ?? '';
  const text = parameters.get('text') ?? '';
  if (number === '' && group === '') required('"number" or "group"');
  if (text === '') required('"text"');
  const numbers = number === '' ? membersOf(group, context) : numbersOf(number);
  const toSeveral = number === '' || numbers.length > 1;

  const requestFor = (to: PhoneNumber): SubmitRequest => ({
    number: to,
    content: { type: 'text', text },
    source: 'cgi',
    share: subscriberNetwork(client.address),
    by: `${client.username} at ${client.address}`,
    joinKey: joinKey(client.address, group, to, text),
    ...(config.modem === undefined ? {} : { modem: config.modem }),
  });
  const submitted = await submitToAll(outbox, numbers, requestFor, { characters: text.length, signal });
  if (config.send_timeout === 0) return replyOf(submitted, isOnTheWay, toSeveral);
  const wait = config.send_timeout * 1000;
  const outcomes = await waitForAll(outbox, submitted, clock, wait, [signal, context.signal]);
  return replyOf(outcomes, isSent, toSeveral);
}

function required(name: string): never {
  throw new GatewayError('invalid_argument', `${name} parameter is required`);
}

/**
 * One number, or several with commas, without repetitions. A `+` that the client does not escape arrives as a blank.
 * Behind a comma a blank stands for `+` only when the first number begins with one too: else the number may be national.
 */
function numbersOf(text: string): readonly PhoneNumber[] {
  const items = plainNumberText(text)
    .split(',')
    .filter((item, at) => at === 0 || item.trim() !== '');
  if (items.length > MAX_NUMBERS) throw new GatewayError('invalid_argument', `more than ${MAX_NUMBERS} numbers`);
  const unescaped = /^ [1-9]/.test(items[0] ?? '');
  const numbers = items.map((item, at) => {
    if (unescaped) return numberOf(item.replace(/^ +(?=[1-9])/, '+'));
    if (at > 0 && /^ +[1-9]/.test(item)) throw new GatewayError('invalid_number', 'a + must be written as %2B');
    return numberOf(item);
  });
  return [...new Set(numbers)];
}

function numberOf(text: string): PhoneNumber {
  const number = parsePhoneNumber(text);
  if (number === undefined) throw new GatewayError('invalid_number', 'number is not a phone number');
  return number;
}

function membersOf(name: string, { shared }: PostGetContext): readonly PhoneNumber[] {
  const group = shared.groups.find((candidate) => candidate.name === name);
  if (group === undefined) throw new GatewayError('group_not_found', 'no group of that name');
  if (group.tel.length === 0) throw new GatewayError('group_empty', 'the group has no members');
  return [...new Set(group.tel)];
}

/** Joins a repeated request of the same client to the first one while that is pending. Holds no text in clear. */
function joinKey(client: string, group: string, number: PhoneNumber, text: string): string {
  const digest = createHash('sha256').update(JSON.stringify([client, group, number, text]));
  return `cgi:${digest.digest('base64url')}`;
}

/** Whether a state counts as success. */
type Good = (state: OutboxState) => boolean;

const isSent: Good = (state) => outboxStates[state].success;
const isOnTheWay: Good = (state) => isSent(state) || !outboxStates[state].settled;
/** The message is queued, or the modem has not answered. */
const isOpen: Good = (state) => state === 'unknown' || !outboxStates[state].settled;

function replyOf(outcomes: readonly Outcome[], isGood: Good, toSeveral: boolean): Reply {
  const messages = outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome.message]));
  const first = messages[0];
  if (first === undefined) throw outcomes.find((outcome) => 'error' in outcome)?.error;
  const { id, state, parts, encoding } = first;
  const json = { id, state, parts, encoding, ...(toSeveral ? { recipients: outcomes.map(outcomeFields) } : {}) };
  const error = errorOf(outcomes, isGood);
  if (error === undefined) return { text: () => (parts === 1 ? 'OK\n' : `OK\n${parts}/${parts}\n`), json: () => json };
  const failed = errorReply(error);
  return { ...failed, json: () => ({ ...failed.json(), ...json }) };
}

function errorOf(outcomes: readonly Outcome[], isGood: Good): GatewayError | undefined {
  const bad = outcomes.filter((outcome) => 'error' in outcome || !isGood(outcome.message.state));
  const refused = bad.find((outcome) => 'error' in outcome);
  if (refused !== undefined && 'error' in refused) return refused.error;
  const failed = bad.find((outcome) => !('error' in outcome) && !isOpen(outcome.message.state));
  if (failed !== undefined && 'message' in failed) {
    return new GatewayError('modem_rejected', failed.message.error ?? `the message is ${failed.message.state}`);
  }
  return bad.length === 0 ? undefined : new GatewayError('timeout', 'not sent yet; the message stays in the queue');
}

/**
 * Longest listing, characters of its JSON string: the shim gets it so, and an answer of the RPC namespace has at most 1 MiB.
 * The other messages are listed once the first are deleted.
 */
const MAX_LISTING = 1_000_000;
const PAGE = 100;

const states: Readonly<Record<string, string | undefined>> = {
  all: undefined,
  read: 'read',
  unread: 'unread',
  new: 'unread',
};

/** sms_list. */
export async function smsList(
  { inbox, access }: Pick<PostGetContext, 'inbox' | 'access'>,
  parameters: Parameters,
  date: DateWriter,
  { room, signal }: { readonly room: AnswerRoom | undefined; readonly signal: AbortSignal },
): Promise<Reply> {
  const wanted = (parameters.get('state') || 'all').toLowerCase();
  if (!Object.hasOwn(states, wanted)) throw new GatewayError('invalid_argument', 'Unknown state argument');
  const sizeOf = (message: InboxMessage) =>
    Math.max(jsonSize(listEntry(message, date)), jsonSize(JSON.stringify(messageDetails(message))));
  const octets = Math.min(MAX_LISTING, inbox.octets) * LISTING_COST;
  return makeAnswer(room, access.memory.answers, octets, signal, async () => {
    const { messages, more } = await gather(inbox, states[wanted], sizeOf);
    return {
      text: () => messages.map((message) => listEntry(message, date)).join(''),
      json: () => ({ messages: messages.map(messageDetails), more }),
    };
  });
}

/** Octets that a character of a listing takes, or an octet in the journal: in its message, in its text, and as JSON. */
const LISTING_COST = 5;

/** sms_read: the message with its state before this call, which marks it read. */
export async function smsRead(inbox: Inbox, parameters: Parameters, date: DateWriter): Promise<Reply> {
  const number = parameters.get('number');
  // Clients compare these words when they give no index.
  if (number === undefined || number === '') throw new GatewayError('invalid_argument', 'out of range');
  const index = indexOf(number);
  const message = await inbox.byIndex(index);
  if (message === undefined) throw new GatewayError('message_not_found', `no message with index ${index}`);
  // A full disk, which the store logs, must not prevent reading.
  await inbox.markRead(message.id).catch(() => undefined);
  return { text: () => readEntry(message, date), json: () => messageDetails(message) };
}

/** sms_delete: OK also without such a message, since a client whose answer was lost repeats the request. */
export async function smsDelete(inbox: Inbox, parameters: Parameters): Promise<Reply> {
  const message = await inbox.byIndex(indexOf(parameters.get('number') ?? ''));
  const deleted = message !== undefined && (await inbox.delete(message.id));
  return { text: () => 'OK\n', json: () => ({ deleted }) };
}

/** sms_total. */
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
    const query = {
      limit: PAGE,
      characters: MAX_LISTING,
      ...(state === undefined ? {} : { state }),
      ...(after === undefined ? {} : { after }),
    };
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

/** Clients compare this line, or split at it. */
const DASHES = '-'.repeat(30);

/** An entry of sms_list: Text before Status, and dashes after every message, also the last. */
function listEntry(message: InboxMessage, date: DateWriter): string {
  return `${head(message, date)}Text: ${textLines(readableText(message))}\nStatus: ${message.state}\n${DASHES}\n`;
}

/** The answer of sms_read: Status before Text. */
export function readEntry(message: InboxMessage, date: DateWriter): string {
  return `${head(message, date)}Status: ${message.state}\nText: ${textLines(readableText(message))}\n`;
}

export function totals(used: number, total: number): string {
  return `Used: ${used}\nTotal: ${total}\n`;
}

function head(message: InboxMessage, date: DateWriter): string {
  const sender = plain(message.number).replaceAll('\n', ' ');
  return `Index: ${message.index}\nDate: ${date(message.time)}\nSender: ${sender}\n`;
}

/**
 * Clients split lines at LF, C programs stop at NUL, and an escape sequence could control a user's terminal. The JSON
 * form has the text unchanged.
 */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all but line breaks and tabs
  return text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\u{FFFD}');
}

/**
 * A line of a text that looks like the layout gets a blank in front, so that no text forges a sender or the next message
 * of the list. Python splits lines at U+2028 and U+2029 as well.
 */
function textLines(text: string): string {
  return plain(text).replace(/(?<=[\n\u2028\u2029])(?=---|(?:Index|Date|Sender|Text|Status):)/g, ' ');
}

export type DateFormat = 'ctime' | 'iso';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** Formats a time, ms since the epoch. */
export type DateWriter = (time: number) => string;

/**
 * Times in the router's zone: `Sat Oct 26 19:04:11 2024` (ctime, day of the month padded with a blank) or
 * `2024-10-26 19:04:11` (iso).
 */
export function dateWriter(format: DateFormat, zone: TimeZone): DateWriter {
  return (time) => {
    const iso = new Date(localTime(zone, time)).toISOString();
    const clock = iso.slice(11, 19);
    if (format === 'iso') return `${iso.slice(0, 10)} ${clock}`;
    const date = new Date(iso);
    const day = String(date.getUTCDate()).padStart(2, ' ');
    return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${clock} ${date.getUTCFullYear()}`;
  };
}
