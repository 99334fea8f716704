import { GatewayError } from '../../../base/errors.ts';
import { contentOf } from '../content.ts';
import { SmppError, status } from '../status.ts';
import { encodeTag } from '../tag.ts';
import type { Fields } from '../wire/layout.ts';
import type { OperationContext } from './context.ts';
import { findMessage } from './find-message.ts';
import { checkRegistered, timesOf, wantsOutcome } from './submission.ts';

/** SMPP 3.4 4.10: new text for a message that waits, in the data_coding of the old one. */
export async function replaceSm(fields: Fields<'replace_sm'>, context: OperationContext) {
  const { outbox, clock, binding } = context;
  const { message, tag } = await findMessage(context, fields.message_id, fields.source_addr, status.RREPLACEFAIL);
  if (fields.sm_default_msg_id !== 0) throw new SmppError(status.RINVDFTMSGID);
  const registered = checkRegistered(fields.registered_delivery);
  const times = timesOf(fields, clock.now());
  const { short_message } = fields;
  const content = contentOf({ esm_class: 0, data_coding: tag.dataCoding, short_message }, binding.account.alphabet);
  const changes = { ...times, report: wantsOutcome(registered), tag: encodeTag({ ...tag, registered }) };
  try {
    await outbox.replace(message.id, content, changes);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'wrong_state') throw new SmppError(status.RREPLACEFAIL);
    throw error;
  }
  return {};
}
