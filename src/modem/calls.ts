import type { Clock } from '../base/clock.ts';

/** ms that the number of the caller may come after the first RING. */
const NUMBER_WAIT = 2_500;
/** ms without a RING after which a call is over: it rings every 5 s or so. */
const CALL_GAP = 12_000;

/** Incoming calls: each is reported once, however often it rings. */
export class Calls {
  readonly #clock: Clock;
  readonly #report: (number: string | undefined) => void;
  #lastRing = Number.NEGATIVE_INFINITY;
  /** The call is not reported yet: its number may still come. */
  #waiting = false;
  #cancel = () => {};
  /** Who called last; undefined while that is not known. */
  #number: string | undefined;

  constructor(clock: Clock, report: (number: string | undefined) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  /** RING or +CRING. */
  ring(): void {
    const now = this.#clock.monotonic();
    const another = now - this.#lastRing > CALL_GAP;
    this.#lastRing = now;
    if (another) this.#begin();
  }

  /** +CLIP; '' when the network hides the number. */
  caller(number: string): void {
    this.ring();
    // The next caller may ring as soon as the first has hung up.
    if (!this.#waiting && number !== '' && this.#number !== undefined && number !== this.#number) this.#begin();
    this.#say(number === '' ? undefined : number);
  }

  stop(): void {
    this.#cancel();
    this.#waiting = false;
  }

  #begin(): void {
    this.#waiting = true;
    this.#cancel();
    this.#cancel = this.#clock.after(NUMBER_WAIT, () => this.#say(undefined));
  }

  #say(number: string | undefined): void {
    if (!this.#waiting) return;
    this.stop();
    this.#number = number;
    this.#report(number);
  }
}
