import type { Clock } from '../../base/clock.ts';
import { Silence } from './silence.ts';

export interface KeepAliveOptions {
  readonly clock: Clock;
  /** Silence after which the client is asked, ms; 0 for never. */
  readonly interval: number;
  /** Sends enquire_link; rejects when no answer comes. */
  ask(): Promise<unknown>;
  /** The client is no more. */
  dead(): void;
}

/** Answers that may be missed, one after the other. */
const MAX_MISSES = 2;

/** Asks a silent client whether it is still there. */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #silence: Silence;
  #asking = false;
  #stopped = false;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#silence = new Silence(options.clock, options.interval, () => void this.#ask());
  }

  heard(): void {
    this.#silence.heard();
  }

  stop(): void {
    this.#stopped = true;
    this.#silence.stop();
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const answered = await this.#answered();
    this.#asking = false;
    if (!answered && !this.#stopped) this.#options.dead();
  }

  async #answered(): Promise<boolean> {
    for (let misses = 0; misses < MAX_MISSES && !this.#stopped; misses++) {
      const answer = await this.#options.ask().then(
        () => true,
        () => false,
      );
      if (answer) return true;
    }
    return false;
  }
}
