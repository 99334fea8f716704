import type { Clock } from '../../base/clock.ts';
import type { InboxMessage } from '../../store/message.ts';
import type { DeliveryOutcome } from '../host/contract.ts';

const HOUR_MS = 3_600_000;
/** A router that was off for days gets this long to come online before it gives up what has grown old, ms. */
const GRACE_MS = 15 * 60_000;

/** The option `retry_hours`: what failed for the moment fails for good once the message is that old. */
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
    // The service centre's time as well: a router without a clock receives messages in a year of its own.
    const age = this.#clock.now() - Math.max(received, time);
    const fresh = age < this.#hours * HOUR_MS || this.#clock.monotonic() - this.#started < GRACE_MS;
    return this.#hours > 0 && fresh ? outcome : { type: 'rejected', reason: outcome.reason };
  }
}
