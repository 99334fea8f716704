import { GatewayError } from '../../base/errors.ts';
import { counted } from '../../base/printable.ts';
import type { ApiClient } from './clients.ts';

/** What of the outbox and of the router's clock the limits need. */
export interface Submissions {
  /** Messages of the source that were submitted at this time or later, ms since the epoch, as far as they are still there. */
  countSince(source: string, since: number): number;
  /** When this day of the router began, ms since the epoch, and how long it still lasts, ms. */
  today(): Promise<{ readonly start: number; readonly left: number }>;
}

interface Day {
  readonly day: number;
  sent: number;
}

/**
 * Counts what each client with a daily limit has sent on this day of the router. The outbox knows it after a restart, but for
 * messages that somebody has deleted or sent again.
 */
export class DailyLimits {
  readonly #submissions: Submissions;
  /** By source. */
  readonly #days = new Map<string, Day>();

  constructor(submissions: Submissions) {
    this.#submissions = submissions;
  }

  /** Takes room for so many messages; the result gives those back that were not sent. Throws limit_reached. */
  async take({ source, dailyLimit, who }: ApiClient, messages: number): Promise<(unsent: number) => void> {
    if (dailyLimit === 0) return () => undefined;
    const { start, left } = await this.#submissions.today();
    const today = this.#today(source, start);
    if (messages > dailyLimit) {
      const what = `${who} may send ${counted(dailyLimit, 'message')} a day, got ${messages} at once`;
      throw new GatewayError('limit_reached', what, { retryAfter: 0 });
    }
    if (today.sent + messages > dailyLimit) {
      const room = `room again at midnight, in ${hoursAndMinutes(left)}`;
      const what = `${who} has sent ${today.sent} of ${counted(dailyLimit, 'message')} of this day`;
      throw new GatewayError('limit_reached', `${what}, no room for ${messages} more: ${room}`, { retryAfter: left });
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

function hoursAndMinutes(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
