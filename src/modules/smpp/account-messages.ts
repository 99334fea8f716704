import { budgets } from '../../access/budgets.ts';
import type { Clock } from '../../base/clock.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { GroupConfig } from '../../config/config.ts';
import { MAX_MESSAGE_ID, type MessageId, type MessagePage, type OutboxMessage } from '../../store/message.ts';
import type { Outbox } from '../../store/outbox/outbox.ts';
import { accountOf, type SubmitTag, tagOf } from './receipt.ts';
import type { Binding } from './session.ts';
import { SmppError, status } from './status.ts';

/** The context of an operation. */
export interface OperationContext {
  readonly binding: Binding;
  readonly outbox: Outbox;
  readonly groups: readonly GroupConfig[];
  readonly clock: Clock;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}

/** A message of an account, and what was stored with it. */
export interface Found {
  readonly message: OutboxMessage;
  readonly tag: SubmitTag;
}

/**
 * The account's messages with this message_id: one, or as many as a submit_multi has made, its first in front. Throws as
 * findMessage.
 */
export async function findAll(
  context: OperationContext,
  ...what: readonly [messageId: string, sourceAddress: string, absent: number]
): Promise<readonly [Found, ...Found[]]> {
  const first = await findMessage(context, ...what);
  return [first, ...(await othersOf(first, context))];
}

/** Longest time from the first message of a submit_multi to its last, ms: they may wait for memory, and for the disk. */
const MULTI_MS = 2 * budgets.memory.storingWaitMs.limit;

/** They follow the first at once, but some may have been refused or deleted, and others may stand in between. */
async function othersOf({ message, tag }: Found, { outbox }: OperationContext): Promise<readonly Found[]> {
  const { others = 0 } = tag;
  const found: Found[] = [];
  let after: MessageId | undefined = message.id;
  while (found.length < others && after !== undefined) {
    const limit = others - found.length;
    const page: MessagePage<OutboxMessage> = await outbox.list({ after, limit, characters: PAGE_CHARACTERS });
    for (const each of page.messages) {
      if (each.time > message.time + MULTI_MS) return found;
      const tag = tagOf(each);
      if (each.batch === message.id && tag !== undefined) found.push({ message: each, tag });
    }
    after = page.more ? page.messages.at(-1)?.id : undefined;
  }
  return found;
}

/**
 * The account's message with this message_id. Throws SmppError: RINVMSGID for a malformed id, `absent` when there is no
 * such message, or when it has another source address.
 */
async function findMessage(
  { binding, outbox }: OperationContext,
  messageId: string,
  sourceAddress: string,
  absent: number,
): Promise<Found> {
  if (!/^[0-9]{1,10}$/.test(messageId) || Number(messageId) > MAX_MESSAGE_ID) throw new SmppError(status.RINVMSGID);
  const message = await outbox.get(Number(messageId) as MessageId);
  const tag = message && tagOf(message);
  if (tag?.source.address !== sourceAddress || message === undefined) throw new SmppError(absent);
  if (accountOf(message) !== binding.account.name) throw new SmppError(absent);
  return { message, tag };
}

const PAGE = 1000;
/** Texts of a page; each may be long. */
const PAGE_CHARACTERS = 262_144;

/** The account's queued messages to a number that `fits` accepts, oldest first. */
export async function* findWaiting(
  { binding, outbox }: OperationContext,
  number: PhoneNumber,
  fits: (tag: SubmitTag) => boolean,
): AsyncGenerator<OutboxMessage, void, void> {
  let after: MessageId | undefined;
  do {
    const page = await outbox.list({
      ...{ state: 'queued', number, limit: PAGE, characters: PAGE_CHARACTERS },
      ...(after !== undefined && { after }),
    });
    for (const message of page.messages) {
      const tag = tagOf(message);
      if (accountOf(message) === binding.account.name && tag !== undefined && fits(tag)) yield message;
    }
    after = page.more ? page.messages.at(-1)?.id : undefined;
  } while (after !== undefined);
}
