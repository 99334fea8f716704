import type { Clock } from '../../base/clock.ts';

export interface KeepAliveOptions {
  readonly clock: Clock;
  /** Silence after which enquire_link is sent, ms; 0 for never. */
  readonly interval: number;
  /** Sends enquire_link; rejects without an answer. */
  ask(): Promise<unknown>;
  /** Called once, when the client has missed too many answers. */
  dead(): void;
}

/** Missed answers in a row after which the client counts as dead. */
const MAX_MISSES = 2;

/** Checks a silent client with enquire_link. */
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

/** Calls back after a time without `heard`. A call of `heard` costs no timer. */
export class Silence {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #callback: () => void;
  #heard: number;
  #cancel: (() => void) | undefined;

  /** Starts at once. With 0 ms it never calls back. */
  constructor(clock: Clock, ms: number, callback: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#callback = callback;
    this.#heard = clock.monotonic();
    if (ms > 0) this.#wait(ms);
  }

  heard(): void {
    this.#heard = this.#clock.monotonic();
  }

  stop(): void {
    this.#cancel?.();
  }

  #wait(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      const left = this.#heard + this.#ms - this.#clock.monotonic();
      if (left > 0) return this.#wait(left);
      this.#heard = this.#clock.monotonic();
      this.#wait(this.#ms);
      this.#callback();
    });
  }
}
