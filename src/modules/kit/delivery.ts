/** How functions carry out their deliveries: by a message of their own, or by retries up to a limit. */
import type { Clock } from '../../base/clock.ts';
import { isPermanent } from '../../base/errors.ts';
import type { InboxMessage } from '../../store/message.ts';
import { LimitReached } from '../../store/outbox/ceilings.ts';
import type { Outbox, SubmitRequest } from '../../store/outbox/outbox.ts';
import type { DeliveryOutcome, ModuleContext } from '../host/contract.ts';

/**
 * Puts a message in the outbox. A permanent refusal rejects the delivery, since retries would hold back the messages
 * behind it; below a ceiling that is reached it waits for room. Throws what passes: queue_full, store_*.
 */
export async function submitDelivery(outbox: Outbox, request: SubmitRequest): Promise<DeliveryOutcome> {
  try {
    await outbox.submit(request);
    return { type: 'done' };
  } catch (error) {
    if (error instanceof LimitReached) return { type: 'retry', reason: error.limit, after: error.after };
    if (!isPermanent(error)) throw error;
    return { type: 'rejected', reason: error.message };
  }
}

/**
 * The modem of an answer: the one that received the message, so that the answer comes from the number the sender knows.
 * A modem that a rule has made the sending one goes first.
 */
export function replyModem(
  { modem }: Pick<InboxMessage, 'modem'>,
  { modems, outbox }: Pick<ModuleContext<unknown>, 'modems' | 'outbox'>,
): { readonly modem?: string } {
  return outbox.preferred === undefined && modems.find(modem) !== undefined ? { modem } : {};
}

const HOUR_MS = 3_600_000;
/** A router that was off for days gets this long to come online before old messages are rejected, ms. */
const GRACE_MS = 15 * 60_000;

/** The option `retry_hours`: a temporary failure becomes final once the message is that old. */
export class RetryLimit {
  readonly #clock: Clock;
  readonly #hours: number;
  readonly #started: number;

  constructor(clock: Clock, hours: number) {
    this.#clock = clock;
    this.#hours = hours;
    this.#started = clock.monotonic();
  }

  apply(outcome: DeliveryOutcome, { received, time }: Pick<InboxMessage, 'received' | 'time'>): DeliveryOutcome {
    if (outcome.type !== 'retry') return outcome;
    // The service centre's time counts too: a router without a clock may receive messages in 1970.
    const age = this.#clock.now() - Math.max(received, time);
    const fresh = age < this.#hours * HOUR_MS || this.#clock.monotonic() - this.#started < GRACE_MS;
    return this.#hours > 0 && fresh ? outcome : { type: 'rejected', reason: outcome.reason };
  }
}
