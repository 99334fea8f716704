import { GatewayError } from '../../../base/errors.ts';
import type { OutboxMessage } from '../../../store/message.ts';
import type { SubmitRequest } from '../../../store/outbox/outbox.ts';
import { destinationOf } from '../address.ts';
import { SmppError, status } from '../status.ts';
import type { Fields } from '../wire/layout.ts';
import type { OperationContext } from './context.ts';
import { findWaiting } from './find-waiting.ts';
import { isTransaction } from './messaging-mode.ts';
import { requestTo, submissionOf } from './submission.ts';

/** SMPP 3.4 4.4. Answered when the message is durable. */
export async function submitSm(fields: Fields<'submit_sm'>, context: OperationContext) {
  if (!context.binding.account.throttle.take()) throw new SmppError(status.RTHROTTLED);
  // Transactions are for data_sm.
  if (isTransaction(fields)) throw new SmppError(status.RINVESMCLASS);
  const request = requestTo(submissionOf(fields, context), destinationOf(fields));
  const replaced = fields.replace_if_present_flag === 1 ? await replaceWaiting(request, fields, context) : undefined;
  const { id } = replaced ?? (await context.outbox.submit(request));
  return { message_id: `${id}` };
}

/** Puts the message in the place of one with the same addresses and service type, SMPP 3.4 5.2.18. */
async function replaceWaiting(
  { number, content, validity, notBefore, report, tag }: SubmitRequest,
  fields: Fields<'submit_sm'>,
  context: OperationContext,
): Promise<OutboxMessage | undefined> {
  const changes = {
    ...(validity !== undefined && { validity }),
    ...(notBefore !== undefined && { notBefore }),
    ...(report !== undefined && { report }),
    ...(tag !== undefined && { tag }),
  };
  const waiting = findWaiting(
    context,
    number,
    (tag) => tag.serviceType === fields.service_type && tag.source.address === fields.source_addr,
  );
  for await (const { id } of waiting) {
    try {
      return await context.outbox.replace(id, content, changes);
    } catch (error) {
      // A modem has it meanwhile.
      if (!(error instanceof GatewayError) || error.code !== 'wrong_state') throw error;
    }
  }
  return undefined;
}
