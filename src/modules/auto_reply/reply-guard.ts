import type { Clock } from '../../base/clock.ts';
import { HourlyCount } from '../kit/hourly-count.ts';

/** Replies that are remembered to recognise them. */
const MAX_TEXTS = 100;
/** A text this long is recognised within another one as well: machines quote what they answer. */
const QUOTABLE = 20;

/**
 * Keeps auto reply from talking to a machine for ever: one sender is answered a bounded number of times an hour, and a
 * reply of ours that comes back, from whomever, is not answered at all.
 */
export class ReplyGuard {
  readonly #answered: HourlyCount;
  readonly #perHour: number;
  readonly #texts = new Set<string>();

  constructor(clock: Clock, perHour: number) {
    this.#answered = new HourlyCount(clock);
    this.#perHour = perHour;
  }

  /** Why this message is not to be answered with this reply; undefined when it is. */
  refusal(sender: string, received: string, reply: string): string | undefined {
    if (this.#isOwn(received, reply)) return 'its text is our own reply coming back';
    if (this.#answered.of(sender) < this.#perHour) return undefined;
    return `it was answered ${this.#perHour} times within the hour`;
  }

  /** Takes note of a reply, which was sent `age` milliseconds ago. */
  replied(sender: string, reply: string, age = 0): void {
    this.#answered.add(sender, age);
    const text = comparable(reply);
    this.#texts.delete(text); // so that the set stays ordered by the last use
    this.#texts.add(text);
    const oldest = this.#texts.keys().next();
    if (this.#texts.size > MAX_TEXTS && !oldest.done) this.#texts.delete(oldest.value);
  }

  #isOwn(received: string, reply: string): boolean {
    const text = comparable(received);
    return [comparable(reply), ...this.#texts].some(
      (own) => text === own || (own.length >= QUOTABLE && text.includes(own)),
    );
  }
}

const comparable = (text: string): string => text.trim().replace(/\s+/g, ' ');
