import { isPermanent } from '../../base/errors.ts';
import type { Outbox, SubmitRequest } from '../../store/outbox/outbox.ts';
import type { DeliveryOutcome } from '../host/contract.ts';

/**
 * Makes a delivery by putting a message in the outbox. What the outbox will never take is rejected: tried for ever, it
 * would hold back the messages behind it. Throws errors that pass: queue_full, store_*.
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
