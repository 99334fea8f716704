import type { InboxMessage } from '../store/message.ts';
import type { DeliveryOutcome } from './module.ts';

const HOUR_MS = 3_600_000;

/** The outcome with `retry_hours` respected: what failed for the moment fails for good once the message is that old. */
export function limitRetries(
  outcome: DeliveryOutcome,
  { received, time }: Pick<InboxMessage, 'received' | 'time'>,
  now: number,
  hours: number,
): DeliveryOutcome {
  if (outcome.type !== 'retry') return outcome;
  // The service centre's time as well: a router without a clock receives messages in a year of its own.
  const age = now - Math.max(received, time);
  return hours > 0 && age < hours * HOUR_MS ? outcome : { type: 'rejected', reason: outcome.reason };
}
