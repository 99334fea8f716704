import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { MessageId } from '../message.ts';
import type { Ledger } from './ledger.ts';

/** A router without a battery for its clock begins in the past and is set when the network is there. */
const STEP_MS = 60 * 60_000;

/**
 * Sees that the wall clock was set, by comparing it with the monotonic one, and moves the times of this run's messages
 * along: they shall not expire by that. Times that a submitter has named (`notBefore`) stay as they are.
 */
export class ClockSteps {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #log: Logger;
  #offset: number;
  #first: MessageId | undefined;
  #last: MessageId | undefined;

  constructor(clock: Clock, ledger: Ledger, log: Logger) {
    this.#clock = clock;
    this.#ledger = ledger;
    this.#log = log;
    this.#offset = clock.now() - clock.monotonic();
  }

  submitted(id: MessageId): void {
    this.#first ??= id;
    this.#last = id;
  }

  /** Gives a promise while times are being moved, undefined when there is nothing to move. */
  check(): Promise<void> | undefined {
    const offset = this.#clock.now() - this.#clock.monotonic();
    const by = Math.round(offset - this.#offset);
    // Small corrections add up to nothing that matters, and must not pass for a step one day.
    this.#offset = offset;
    if (Math.abs(by) < STEP_MS || this.#first === undefined || this.#last === undefined) return undefined;
    this.#log.info(`the clock was set by ${Math.round(by / 1000)} s`);
    return this.#ledger.insist([{ k: 's', a: this.#first, b: this.#last, by }]).catch(() => undefined);
  }
}
