/** Pauses that double. All times are in milliseconds. */
export interface BackOffRules {
  /** The pause after the first failure. */
  readonly first: number;
  /** No pause is longer, jitter not counted. */
  readonly longest: number;
  /** Share from 0 to 1 by which a pause varies up and down, so that those that failed together do not return together. */
  readonly jitter?: number;
}

/** The pause after the `failures`th failure in a row, from 1. `random` gives numbers from 0 to below 1. */
export function backOffPause(
  { first, longest, jitter = 0 }: BackOffRules,
  failures: number,
  random: () => number,
): number {
  const pause = Math.min(longest, first * 2 ** Math.min(Math.max(0, failures - 1), 40));
  return Math.round(pause * (1 - jitter + 2 * jitter * random()));
}

/** Counts failures in a row and gives the pause after each. */
export class BackOff {
  readonly #rules: BackOffRules;
  readonly #random: () => number;
  #failures = 0;

  constructor(rules: BackOffRules, random: () => number = Math.random) {
    this.#rules = rules;
    this.#random = random;
  }

  /** Failures in a row so far. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure; the result is the pause before the next try. */
  next(): number {
    this.#failures += 1;
    return backOffPause(this.#rules, this.#failures, this.#random);
  }

  reset(): void {
    this.#failures = 0;
  }
}
