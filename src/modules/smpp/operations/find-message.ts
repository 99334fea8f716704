import { MAX_MESSAGE_ID, type MessageId, type OutboxMessage } from '../../../store/message.ts';
import { SmppError, status } from '../status.ts';
import { accountOf, type SubmitTag, tagOf } from '../tag.ts';
import type { OperationContext } from './context.ts';

/**
 * The message of the account with this message_id. Throws SmppError: RINVMSGID for what is no number, `absent` when
 * there is no such message, or when it has another source address.
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
