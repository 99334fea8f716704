import type { Clock } from '../base/clock.ts';

/** What is done to a modem that hangs or has no SIM, the gentlest first; opening the port again comes before all of them. */
export type Rung = 'radio_cycle' | 'restart' | 'reset_command';

/** ms from the beginning of a round to each rung. */
const DUE: readonly (readonly [Rung, number])[] = [
  ['radio_cycle', 60_000],
  ['restart', 180_000],
  ['reset_command', 360_000],
];
const ROUND = 360_000;
/** Rounds become longer up to this factor: 6 hours. */
const LONGEST = 60;

/** When which rung is due. Each round takes twice as long as the one before. */
export class ResetLadder {
  readonly #clock: Clock;
  readonly #rungs: readonly (readonly [Rung, number])[];
  #began: number | undefined;
  #factor = 1;
  #step = 0;

  constructor(clock: Clock, withCommand: boolean) {
    this.#clock = clock;
    this.#rungs = DUE.filter(([rung]) => withCommand || rung !== 'reset_command');
  }

  /** The modem does not work; the time counts from the first call. */
  trouble(): void {
    this.#began ??= this.#clock.monotonic();
  }

  /** The modem works. */
  over(): void {
    this.#began = undefined;
    this.#factor = 1;
    this.#step = 0;
  }

  /** The next rung, and ms until it is due; undefined while there is no trouble. */
  get next(): { readonly rung: Rung; readonly wait: number } | undefined {
    const [rung, after] = this.#rungs[this.#step] ?? [];
    if (this.#began === undefined || rung === undefined || after === undefined) return undefined;
    return { rung, wait: Math.max(0, this.#began + after * this.#factor - this.#clock.monotonic()) };
  }

  get due(): Rung | undefined {
    const { next } = this;
    return next?.wait === 0 ? next.rung : undefined;
  }

  /** The rung that is due was climbed, or cannot be. */
  climbed(): void {
    this.#step += 1;
    if (this.#step < this.#rungs.length) return;
    this.#step = 0;
    this.#began = (this.#began ?? 0) + ROUND * this.#factor;
    this.#factor = Math.min(LONGEST, this.#factor * 2);
  }
}
