/** First and longest wait, ms. */
const FIRST = 1_000;
const LONGEST = 60_000;
/** Share of a wait that is left to chance, so that gateways that lost the same server do not come back together. */
const JITTER = 0.2;

/** Waits that double from 1 s to a minute, for as long as it takes. */
export class Backoff {
  #next = FIRST;

  /** The next wait, ms. */
  next(): number {
    const wait = this.#next * (1 - JITTER * Math.random());
    this.#next = Math.min(LONGEST, this.#next * 2);
    return wait;
  }

  reset(): void {
    this.#next = FIRST;
  }
}
