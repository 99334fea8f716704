import type { Clock } from '../../clock.ts';

const HOUR_MS = 3_600_000;
/** Senders that are remembered at the most; who was answered longest ago is forgotten first. */
const MAX_SENDERS = 1_000;

interface Answered {
  /** When replies went out in the last hour, on the monotonic clock. */
  readonly times: readonly number[];
  /** The last reply, as it was sent. */
  readonly text: string;
}

/**
 * Keeps auto reply from talking to a machine for ever: one sender is answered a bounded number of times an hour, and a
 * message that is our own last reply coming back is not answered at all.
 */
export class ReplyGuard {
  readonly #clock: Clock;
  readonly #perHour: number;
  readonly #senders = new Map<string, Answered>();

  constructor(clock: Clock, perHour: number) {
    this.#clock = clock;
    this.#perHour = perHour;
  }

  /** Why this sender gets no reply to this text; undefined when it gets one. */
  refusal(sender: string, received: string): string | undefined {
    const answered = this.#senders.get(sender);
    if (answered === undefined) return undefined;
    if (received.trim() === answered.text.trim()) return 'its text is our own reply coming back';
    if (this.#recent(answered).length < this.#perHour) return undefined;
    return `it was answered ${this.#perHour} times within the hour`;
  }

  replied(sender: string, text: string): void {
    const answered = this.#senders.get(sender);
    const times = [...(answered === undefined ? [] : this.#recent(answered)), this.#clock.monotonic()];
    this.#senders.delete(sender);
    this.#senders.set(sender, { times, text });
    const oldest = this.#senders.keys().next();
    if (this.#senders.size > MAX_SENDERS && !oldest.done) this.#senders.delete(oldest.value);
  }

  #recent({ times }: Answered): readonly number[] {
    const since = this.#clock.monotonic() - HOUR_MS;
    return times.filter((time) => time > since);
  }
}
