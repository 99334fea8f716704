import type { Clock } from '../../base/clock.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { GroupConfig } from '../../config/config.ts';
import { MAX_MESSAGE_ID, type MessageId, type OutboxMessage } from '../../store/message.ts';
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

/**
 * The account's message with this message_id. Throws SmppError: RINVMSGID for a malformed id, `absent` when there is no
 * such message, or when it has another source address.
 */
export async function findMessage(
  { binding, outbox }: OperationContext,
  messageId: string,
  sourceAddress: string,
  absent: number,
): Promise<{ readonly message: OutboxMessage; readonly tag: SubmitTag }> {
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
