import { sleep } from '../../../clock.ts';
import type { MessageId, OutboxState } from '../../../store/message.ts';
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
  if (!context.binding.throttle.take()) throw new SmppError(status.RTHROTTLED);
  if (fields.message_payload === undefined) throw new SmppError(status.RMISSINGTLV);
  const request = requestTo(submissionOf(fields, context), destinationOf(fields));
  const { id } = await context.outbox.submit(request);
  if (isTransaction(fields)) await transaction(id, context);
  // A GSM modem does not hear when a phone is reachable again, so no alert_notification can be promised.
  return { message_id: `${id}`, ...(fields.set_dpf === 1 && { dpf_result: DPF_NOT_SET }) };
}

const successes: ReadonlySet<OutboxState> = new Set(['sent', 'delivered']);

async function transaction(id: MessageId, { outbox, clock, signal }: OperationContext): Promise<void> {
  const late = new AbortController();
  const waiting = AbortSignal.any([late.signal, signal]);
  const settled = outbox.settled(id, waiting).then(
    ({ state }) => successes.has(state),
    () => false,
  );
  const timer = new AbortController();
  void sleep(clock, TRANSACTION_MS, timer.signal).then(
    () => late.abort(),
    () => undefined,
  );
  const sent = await settled;
  timer.abort();
  if (sent) return;
  // The client takes it for lost: it must not be sent after all. Too late when a modem has it.
  await outbox.cancel(id).catch(() => undefined);
  throw new SmppError(status.RDELIVERYFAILURE);
}
