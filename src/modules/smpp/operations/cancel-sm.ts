import { GatewayError } from '../../../base/errors.ts';
import type { MessageId } from '../../../store/message.ts';
import { destinationOf, recipientOf } from '../address.ts';
import { SmppError, status } from '../status.ts';
import type { Fields } from '../wire/layout.ts';
import type { OperationContext } from './context.ts';
import { findMessage } from './find-message.ts';
import { findWaiting } from './find-waiting.ts';

/** SMPP 3.4 4.9: one message, or without a message_id all with these addresses and this service type. */
export async function cancelSm(fields: Fields<'cancel_sm'>, context: OperationContext) {
  const cancelled = fields.message_id === '' ? await cancelAll(fields, context) : await cancelOne(fields, context);
  if (!cancelled) throw new SmppError(status.RCANCELFAIL);
  return {};
}

async function cancelOne({ message_id, source_addr }: Fields<'cancel_sm'>, context: OperationContext) {
  const { message } = await findMessage(context, message_id, source_addr, status.RCANCELFAIL);
  return cancel(message.id, context);
}

async function cancelAll(fields: Fields<'cancel_sm'>, context: OperationContext): Promise<boolean> {
  const waiting = findWaiting(
    context,
    recipientOf(destinationOf(fields)),
    ({ serviceType, source }) => serviceType === fields.service_type && source.address === fields.source_addr,
  );
  let some = false;
  for await (const { id } of waiting) some = (await cancel(id, context)) || some;
  return some;
}

/** Whether it could still be taken back. */
async function cancel(id: MessageId, { outbox }: OperationContext): Promise<boolean> {
  try {
    await outbox.cancel(id);
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'wrong_state') return false;
    throw error;
  }
}
