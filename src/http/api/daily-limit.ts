import { GatewayError } from '../../base/errors.ts';
import type { ApiClient } from './clients.ts';

/** What of the outbox and of the router's clock the limits need. */
export interface Submissions {
  /** Messages of the source that were submitted at this time or later, ms since the epoch, as far as they are still there. */
  countSince(source: string, since: number): number;
  /** When this day of the router began, ms since the epoch. */
  startOfDay(): Promise<number>;
}

interface Day {
  readonly day: number;
  sent: number;
}

/**
 * Counts what each client with a daily limit has sent on this day of the router. The outbox knows it after a restart, but for
 * messages that somebody has deleted.
 */
export class DailyLimits {
  readonly #submissions: Submissions;
  /** By source. */
  readonly #days = new Map<string, Day>();

  constructor(submissions: Submissions) {
    this.#submissions = submissions;
  }

  /** Takes room for so many messages; the result gives those back that were not sent. Throws too_many. */
  async take({ source, dailyLimit, who }: ApiClient, messages: number): Promise<(unsent: number) => void> {
    if (dailyLimit === 0) return () => undefined;
    const today = this.#today(source, await this.#submissions.startOfDay());
    if (today.sent + messages > dailyLimit) {
      throw new GatewayError(
        'too_many',
        `${who} has sent ${today.sent} of ${dailyLimit} messages of this day, ${messages} more are too many`,
      );
    }
    today.sent += messages;
    return (unsent) => {
      today.sent -= unsent;
    };
  }

  #today(source: string, day: number): Day {
    const known = this.#days.get(source);
    if (known?.day === day) return known;
    const today = { day, sent: this.#submissions.countSince(source, day) };
    this.#days.set(source, today);
    return today;
  }
}
