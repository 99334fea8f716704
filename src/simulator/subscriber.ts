import type { SentMessage } from './messages.ts';

const ANSWERS_AN_HOUR = 10;
const HOUR = 3_600_000;
/** Numbers whose answers are counted; the oldest is forgotten first. */
const MAX_NUMBERS = 1_000;

export type Answerer = (message: SentMessage) => string | undefined;

/** A text that quotes what came, for the newcomer to see that it arrived. */
export const friendlyAnswer: Answerer = ({ text }) => {
  const quoted = [...text].length > 40 ? `${[...text].slice(0, 40).join('')}...` : text;
  return text === '' ? 'Got your message, it was no text.' : `Hello! I got your message: ${quoted}`;
};

/** The person at the other end, who answers, but does not keep two machines talking to each other for ever. */
export class Subscriber {
  readonly #answerer: Answerer;
  readonly #answered = new Map<string, { readonly times: number[]; last: string }>();

  constructor(answerer: Answerer | undefined) {
    this.#answerer = answerer ?? friendlyAnswer;
  }

  /** What to answer, or undefined. `now` in ms. */
  answer(message: SentMessage, now: number): string | undefined {
    // Services and short codes are no people.
    if (!/^\+?[0-9]{7,}$/.test(message.to)) return undefined;
    const before = this.#answered.get(message.to) ?? { times: [], last: '' };
    const times = before.times.filter((time) => now - time < HOUR);
    if (times.length >= ANSWERS_AN_HOUR) return undefined;
    // Our own text coming back is a machine's answer.
    if (before.last !== '' && message.text.includes(before.last)) return undefined;
    const text = this.#answerer(message);
    if (text === undefined) return undefined;
    this.#answered.delete(message.to);
    this.#answered.set(message.to, { times: [...times, now], last: text });
    const [oldest] = this.#answered.keys();
    if (this.#answered.size > MAX_NUMBERS && oldest !== undefined) this.#answered.delete(oldest);
    return text;
  }
}
