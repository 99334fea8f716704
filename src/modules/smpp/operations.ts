import { GatewayError } from '../../base/errors.ts';
import type { MessageId } from '../../store/message.ts';
import { causeIn } from '../../store/sender.ts';
import { findMessage, findWaiting, type OperationContext } from './account-messages.ts';
import { destinationOf, recipientOf } from './address.ts';
import type { PduToSend } from './codec.ts';
import { contentOf } from './content.ts';
import type { Fields } from './layout.ts';
import { encodeTag, stateNow } from './receipt.ts';
import type { OperationRequest } from './session.ts';
import { SmppError, status } from './status.ts';
import { checkRegistered, dataSm, submitSm, timesOf, wantsReceipt } from './submit.ts';
import { submitMulti } from './submit-multi.ts';
import { formatTime } from './time.ts';

/** Carries out a request about messages; resolves to the parameters of its response. Throws SmppError, GatewayError. */
export function operate(
  request: OperationRequest,
  context: OperationContext,
): Promise<NonNullable<PduToSend['fields']>> {
  switch (request.command) {
    case 'submit_sm':
      return submitSm(request.fields, context);
    case 'submit_multi':
      return submitMulti(request.fields, context);
    case 'data_sm':
      return dataSm(request.fields, context);
    case 'query_sm':
      return querySm(request.fields, context);
    case 'cancel_sm':
      return cancelSm(request.fields, context);
    case 'replace_sm':
      return replaceSm(request.fields, context);
  }
}

/** SMPP 3.4 4.8. */
async function querySm({ message_id, source_addr }: Fields<'query_sm'>, context: OperationContext) {
  const { message } = await findMessage(context, message_id, source_addr, status.RQUERYFAIL);
  const { value, final } = stateNow(message, context.clock.now());
  return {
    // As the client wrote it: some compare the texts.
    message_id,
    final_date: final ? formatTime(message.changed) : '',
    message_state: value,
    error_code: (causeIn(message.error) ?? 0) & 0xff,
  };
}

/** SMPP 3.4 4.9: one message; without a message_id all messages with these addresses and this service type. */
async function cancelSm(fields: Fields<'cancel_sm'>, context: OperationContext) {
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

/** Whether the message could still be cancelled. */
async function cancel(id: MessageId, { outbox }: OperationContext): Promise<boolean> {
  try {
    await outbox.cancel(id);
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'wrong_state') return false;
    throw error;
  }
}

/** SMPP 3.4 4.10: a new text for a queued message, in its data_coding. */
async function replaceSm(fields: Fields<'replace_sm'>, context: OperationContext) {
  const { outbox, clock, binding } = context;
  const { message, tag } = await findMessage(context, fields.message_id, fields.source_addr, status.RREPLACEFAIL);
  if (fields.sm_default_msg_id !== 0) throw new SmppError(status.RINVDFTMSGID);
  const registered = checkRegistered(fields.registered_delivery);
  const times = timesOf(fields, clock.now());
  const { short_message } = fields;
  const content = contentOf({ esm_class: 0, data_coding: tag.dataCoding, short_message }, binding.account.alphabet);
  const changes = { ...times, report: wantsReceipt(registered), tag: encodeTag({ ...tag, registered }) };
  try {
    await outbox.replace(message.id, content, changes);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'wrong_state') throw new SmppError(status.RREPLACEFAIL);
    throw error;
  }
  return {};
}
