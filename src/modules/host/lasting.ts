import type { Clock } from '../../base/clock.ts';

/** What the instances of a module hand on to each other: one thing of each kind, as long as the process lives. */
export class Lasting {
  readonly #clock: Clock;
  readonly #things: object[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The thing of that kind; a new one when it is asked for the first time. */
  of<T extends object>(Kind: new (clock: Clock) => T): T {
    const isOfKind = (thing: object): thing is T => thing.constructor === Kind;
    const found = this.#things.find(isOfKind);
    if (found !== undefined) return found;
    const made = new Kind(this.#clock);
    this.#things.push(made);
    return made;
  }
}
