import { type ErrorCode, GatewayError } from '../../base/errors.ts';
import { causeIn } from '../../store/sender.ts';
import { type Found, findAll, findWaiting, type OperationContext } from './account-messages.ts';
import { destinationOf, recipientOf } from './address.ts';
import type { PduToSend } from './codec.ts';
import { contentOf } from './content.ts';
import type { Fields } from './layout.ts';
import { encodeTag, leastAdvanced, stateNow } from './receipt.ts';
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

/**
 * SMPP 3.4 4.8. The answer has one state: of a submit_multi (4.5) it is that of the message which is least advanced, and
 * it is final when all are.
 */
async function querySm({ message_id, source_addr }: Fields<'query_sm'>, context: OperationContext) {
  const found = await findAll(context, message_id, source_addr, status.RQUERYFAIL);
  const now = context.clock.now();
  const told = ({ message }: Found) => ({ message, state: stateNow(message, now) });
  const [first, ...others] = found;
  const { message, state } = leastAdvanced([told(first), ...others.map(told)]);
  const changed = Math.max(...found.map(({ message }) => message.changed));
  return {
    // As the client wrote it: some compare the texts.
    message_id,
    final_date: state.final ? formatTime(changed) : '',
    message_state: state.value,
    error_code: (causeIn(message.error) ?? 0) & 0xff,
  };
}

/**
 * SMPP 3.4 4.9: the message with this id, or what still waits of a submit_multi; without a message_id all messages with
 * these addresses and this service type.
 */
async function cancelSm(fields: Fields<'cancel_sm'>, context: OperationContext) {
  const cancelled =
    fields.message_id === '' ? await cancelMatching(fields, context) : await cancelById(fields, context);
  if (!cancelled) throw new SmppError(status.RCANCELFAIL);
  return {};
}

async function cancelById({ message_id, source_addr }: Fields<'cancel_sm'>, context: OperationContext) {
  const found = await findAll(context, message_id, source_addr, status.RCANCELFAIL);
  return anyInTime(found, ({ message }) => context.outbox.cancel(message.id));
}

async function cancelMatching(fields: Fields<'cancel_sm'>, context: OperationContext): Promise<boolean> {
  const waiting = findWaiting(
    context,
    recipientOf(destinationOf(fields)),
    ({ serviceType, source }) => serviceType === fields.service_type && source.address === fields.source_addr,
  );
  let some = false;
  for await (const { id } of waiting) some = (await anyInTime([id], (each) => context.outbox.cancel(each))) || some;
  return some;
}

const tooLate: ReadonlySet<ErrorCode> = new Set(['wrong_state', 'message_not_found']);

/**
 * Whether a change came in time for one message at least: a modem may have begun to send it. Rejects when one of the
 * changes fails for another reason, so that no client takes a part for the whole.
 */
async function anyInTime<T>(messages: readonly T[], change: (message: T) => Promise<unknown>): Promise<boolean> {
  const done = messages.map(async (message) => {
    try {
      await change(message);
      return true;
    } catch (error) {
      if (error instanceof GatewayError && tooLate.has(error.code)) return false;
      throw error;
    }
  });
  return (await Promise.all(done)).includes(true);
}

/** SMPP 3.4 4.10: a new text for a queued message, in its data_coding; for all of a submit_multi that still wait. */
async function replaceSm(fields: Fields<'replace_sm'>, context: OperationContext) {
  const { outbox, clock, binding } = context;
  const found = await findAll(context, fields.message_id, fields.source_addr, status.RREPLACEFAIL);
  if (fields.sm_default_msg_id !== 0) throw new SmppError(status.RINVDFTMSGID);
  const registered = checkRegistered(fields.registered_delivery);
  const times = timesOf(fields, clock.now());
  const { short_message } = fields;
  const contents = found.map(({ message: { id }, tag }) => ({
    ...{ id, tag: encodeTag({ ...tag, registered }) },
    content: contentOf({ esm_class: 0, data_coding: tag.dataCoding, short_message }, binding.account.alphabet),
  }));
  const replaced = await anyInTime(contents, ({ id, content, tag }) =>
    outbox.replace(id, content, { ...times, report: wantsReceipt(registered), tag }),
  );
  if (!replaced) throw new SmppError(status.RREPLACEFAIL);
  return {};
}
