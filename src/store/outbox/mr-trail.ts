import type { MessageId } from '../message.ts';
import { step, TRUSTED_STEPS } from './mr-evidence.ts';

/** A part that was given to a modem. */
export type Given = readonly [id: MessageId, p: number];

/**
 * Where the TP-MR of one modem stands, as the records tell it, so that the next one is evidence over a restart as well.
 * Where they leave anything open, it knows nothing.
 */
export class MrTrail {
  /** TP-MR of the last part that was accepted, and how often in a row it went up by one until then. */
  last: number | undefined;
  steps: number;
  /** Parts that were given to the modem since, with no outcome. */
  open: readonly Given[];

  constructor(last?: number, steps = 0, open: readonly Given[] = []) {
    this.last = last;
    this.steps = steps;
    this.open = open;
  }

  /** Whether the next TP-MR decides over the part: the modem counts, and no other part is in doubt. */
  decides(id: MessageId): boolean {
    return this.last !== undefined && this.steps >= TRUSTED_STEPS && this.open.length === 1 && this.#isOpen(id);
  }

  attempted(id: MessageId, p: number, reset: boolean): void {
    if (reset) this.#forget();
    this.open = [...this.open, [id, p]];
  }

  accepted(id: MessageId, p: number, mr: number): void {
    const doubts = this.open.findLastIndex((given) => given[0] === id && given[1] === p);
    // It was a doubt itself, and a later part has decided over it.
    if (doubts === -1) return;
    const steps = this.last === undefined ? 0 : step(this.last, mr);
    // Each doubt before it may have used up a number.
    if (steps < 1 || steps > doubts + 1) this.steps = 0;
    else if (doubts === 0) this.steps += 1;
    this.last = mr;
    this.open = this.open.slice(doubts + 1);
  }

  /** A part of the message ended otherwise. If it was refused, it may have used up a number. */
  ended(id: MessageId): void {
    if (this.#isOpen(id)) this.#forget();
  }

  #isOpen(id: MessageId): boolean {
    return this.open.some((given) => given[0] === id);
  }

  #forget(): void {
    this.last = undefined;
    this.steps = 0;
    this.open = [];
  }
}
