import { GatewayError } from '../base/errors.ts';
import { matchesPattern } from './pattern.ts';

const MAX_PATTERNS = 16;
const MAX_PATTERN_LENGTH = 64;

/** The event patterns of one caller. */
export class Subscriptions {
  readonly #patterns = new Set<string>();

  get patterns(): readonly string[] {
    return [...this.#patterns];
  }

  /** Throws GatewayError invalid_argument, too_many. */
  add(pattern: string): void {
    if (pattern.length === 0 || pattern.length > MAX_PATTERN_LENGTH) {
      throw new GatewayError('invalid_argument', `an event pattern has 1 to ${MAX_PATTERN_LENGTH} characters`);
    }
    if (!this.#patterns.has(pattern) && this.#patterns.size === MAX_PATTERNS) {
      throw new GatewayError('too_many', `at most ${MAX_PATTERNS} event patterns a connection`);
    }
    this.#patterns.add(pattern);
  }

  /** Forgets one pattern, or all. */
  remove(pattern?: string): void {
    if (pattern === undefined) this.#patterns.clear();
    else this.#patterns.delete(pattern);
  }

  covers(event: string): boolean {
    return this.patterns.some((pattern) => matchesPattern(pattern, event));
  }
}
