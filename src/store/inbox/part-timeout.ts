import type { Clock } from '../../base/clock.ts';
import type { Group, Groups } from './groups.ts';

/** Looked at again at least this often while parts are missing: the wall clock may be stepped. Milliseconds. */
const LONGEST = 3_600_000;
/** After a group could not be shown because the store did not take it. */
const RETRY = 60_000;

export interface PartTimeoutOptions {
  readonly clock: Clock;
  readonly groups: Groups;
  /** Milliseconds from the first part. */
  timeout(): number;
  giveUp(group: Group): Promise<void>;
}

/** Waits for the moments when groups are given up. */
export class PartTimeout {
  readonly #options: PartTimeoutOptions;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: PartTimeoutOptions) {
    this.#options = options;
  }

  /** To be called when a group was added. */
  schedule(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const [next] = this.#waiting()
      .map((group) => this.#left(group))
      .sort((a, b) => a - b);
    if (next !== undefined) this.#wait(Math.min(Math.max(0, next), LONGEST));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #wait(ms: number): void {
    this.#cancel?.();
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(ms, () => void this.#giveUpDue());
  }

  async #giveUpDue(): Promise<void> {
    try {
      for (const group of this.#waiting()) if (this.#left(group) <= 0) await this.#options.giveUp(group);
      this.schedule();
    } catch {
      // The journal has reported why; the parts stay.
      this.#wait(RETRY);
    }
  }

  #waiting(): readonly Group[] {
    return [...this.#options.groups].filter(({ row }) => row === undefined);
  }

  #left(group: Group): number {
    return group.since + this.#options.timeout() - this.#options.clock.now();
  }
}
