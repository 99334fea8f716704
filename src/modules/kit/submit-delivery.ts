import { type ErrorCode, GatewayError } from '../../base/errors.ts';
import type { Outbox, SubmitRequest } from '../../store/outbox/outbox.ts';
import type { DeliveryOutcome } from '../host/contract.ts';

const permanent: ReadonlySet<ErrorCode> = new Set([
  'invalid_number',
  'invalid_text',
  'text_too_long',
  'invalid_argument',
]);

/** Whether no repetition makes a submit better. */
export function isPermanent(error: unknown): error is GatewayError {
  return error instanceof GatewayError && permanent.has(error.code);
}

/**
 * Makes a delivery by putting a message in the outbox. What the outbox will never take is rejected: tried for ever, it
 * would hold back the messages behind it. Throws what passes: queue_full, store_*.
 */
export async function submitDelivery(outbox: Outbox, request: SubmitRequest): Promise<DeliveryOutcome> {
  try {
    await outbox.submit(request);
    return { type: 'done' };
  } catch (error) {
    if (!isPermanent(error)) throw error;
    return { type: 'rejected', reason: error.message };
  }
}
