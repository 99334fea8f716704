import { causeIn } from '../../../store/outbox/reason.ts';
import { stateNow } from '../message-state.ts';
import { status } from '../status.ts';
import { formatTime } from '../time.ts';
import type { Fields } from '../wire/layout.ts';
import type { OperationContext } from './context.ts';
import { findMessage } from './find-message.ts';

/** SMPP 3.4 4.8. */
export async function querySm({ message_id, source_addr }: Fields<'query_sm'>, context: OperationContext) {
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
