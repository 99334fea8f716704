import { within } from '../../../base/abort.ts';
import { type MessageId, outboxStates } from '../../../store/message.ts';
import { destinationOf } from '../address.ts';
import { SmppError, status } from '../status.ts';
import type { Fields } from '../wire/layout.ts';
import type { OperationContext } from './context.ts';
import { isTransaction } from './messaging-mode.ts';
import { requestTo, submissionOf } from './submission.ts';

/** For the network to take a message while the client waits, ms. */
const TRANSACTION_MS = 20_000;
const DPF_NOT_SET = 0;

/** SMPP 3.4 4.7. In transaction mode it is answered when the network has the message, or will not have it. */
export async function dataSm(fields: Fields<'data_sm'>, context: OperationContext) {
  if (!context.binding.account.throttle.take()) throw new SmppError(status.RTHROTTLED);
  if (fields.message_payload === undefined) throw new SmppError(status.RMISSINGTLV);
  const request = requestTo(submissionOf(fields, context), destinationOf(fields));
  const { id } = await context.outbox.submit(request);
  if (isTransaction(fields)) await transaction(id, context);
  // A GSM modem does not hear when a phone is reachable again, so no alert_notification can be promised.
  return { message_id: `${id}`, ...(fields.set_dpf === 1 && { dpf_result: DPF_NOT_SET }) };
}

async function transaction(id: MessageId, { outbox, clock, signal }: OperationContext): Promise<void> {
  const settled = outbox.settled(id, signal);
  const state = await within(settled, 'data_sm', { clock, ms: TRANSACTION_MS, signal }).then(
    (message) => message.state,
    () => undefined,
  );
  if (state !== undefined && outboxStates[state].success) return;
  // Told that it has failed, the client must not find it sent after all. What a modem has in hand is as good as sent.
  if (state === undefined && !(await cancelled(id, outbox))) return;
  throw new SmppError(status.RDELIVERYFAILURE);
}

const cancelled = (id: MessageId, outbox: OperationContext['outbox']): Promise<boolean> =>
  outbox.cancel(id).then(
    () => true,
    () => false,
  );
