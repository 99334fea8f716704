/** How the work of a running module goes. Each kind of work has a short name, such as its target. */
export interface HealthReporter {
  /** The work failed: the module shows `reason` until the same work succeeds. Safe to call at every try. */
  failed(work: string, reason: string): void;
  succeeded(work: string): void;
  /** The work that failed is tried again at this time, ms since the epoch. To be called after `failed`. */
  triedAgain(work: string, at: number): void;
}

export interface Failure {
  readonly reason: string;
  /** When this work failed first since it last succeeded, ms since the epoch. */
  readonly since: number;
  /** When it is tried again, ms since the epoch; absent where the module does not say. */
  readonly next?: number;
}

/** Works that are remembered as failing. More than one are few: targets come from the config. */
const MAX_WORKS = 100;
/** Characters of a reason, which may be what a server said. */
const MAX_REASON = 300;

/** The failing work of one life of a module. Of several the one that failed last is shown. */
export class Health implements HealthReporter {
  /** In the order of their last failures. */
  readonly #failing = new Map<string, Failure>();
  readonly #now: () => number;
  readonly #changed: () => void;

  /** `changed` is called when what is shown changes. */
  constructor(now: () => number, changed: () => void) {
    this.#now = now;
    this.#changed = changed;
  }

  /** The failure to show; undefined while all goes well. */
  get failure(): Failure | undefined {
    return [...this.#failing.values()].at(-1);
  }

  failed(work: string, reason: string): void {
    this.#change(() => {
      const since = this.#failing.get(work)?.since ?? this.#now();
      this.#failing.delete(work);
      if (this.#failing.size >= MAX_WORKS) this.#dropOldest();
      this.#failing.set(work, { reason: reason.slice(0, MAX_REASON), since });
    });
  }

  succeeded(work: string): void {
    if (this.#failing.has(work)) this.#change(() => this.#failing.delete(work));
  }

  triedAgain(work: string, at: number): void {
    const failure = this.#failing.get(work);
    if (failure !== undefined) this.#failing.set(work, { ...failure, next: at });
  }

  #change(step: () => void): void {
    const before = this.failure;
    step();
    const after = this.failure;
    if (before?.reason !== after?.reason || before?.since !== after?.since) this.#changed();
  }

  #dropOldest(): void {
    for (const work of this.#failing.keys()) {
      this.#failing.delete(work);
      return;
    }
  }
}
