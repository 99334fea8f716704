import { hash } from 'node:crypto';
import { FailedLogins } from '../../access/failed-logins.ts';
import type { Clock } from '../../base/clock.ts';
import { LruMap } from '../../base/lru-map.ts';
import type { Tally } from '../../store/outbox/tally.ts';
import { HourlyCount } from '../kit/hourly-count.ts';

/** Wrong secrets in a row after which a stranger is locked out, and for how many seconds. */
export const MAX_FAILURES = 5;
export const LOCKOUT_S = 3_600;
/** Senders of right secrets that are remembered. */
const MAX_KNOWN = 100;
/** Secrets of one-time codes that are remembered. */
const MAX_CODES = 1_000;

/** Who has guessed, and who was right. */
export class Guesses {
  readonly failed: FailedLogins;
  /** Wrong secrets of strangers. */
  readonly strange: HourlyCount;
  /** Who has sent a right secret. */
  readonly known = new LruMap<string, true>(MAX_KNOWN);

  constructor(clock: Clock) {
    this.failed = new FailedLogins(clock, { maxFailures: MAX_FAILURES, lockout: LOCKOUT_S });
    this.strange = new HourlyCount(clock);
  }
}

/** Wrong codes, and those that are right with the next one, by secret. */
export class CodeGuesses {
  /** The counter whose code is right after the one that came last. */
  readonly armed = new LruMap<string, number>(MAX_CODES);
  readonly wrong = new LruMap<string, Tally>(MAX_CODES);
}

/** What the rules must not forget when one of them changes: a commit is no way around a lock-out or a limit. */
export class RulesMemory {
  /** By rule and sender. */
  readonly executions: HourlyCount;
  readonly codes = new CodeGuesses();
  readonly #clock: Clock;
  #guesses: { readonly secrets: string; readonly of: Guesses } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.executions = new HourlyCount(clock);
  }

  /** The guesses at these secrets. When a secret changes they are counted from zero, and nobody is known any more. */
  guesses(secrets: readonly (string | undefined)[]): Guesses {
    // Of secrets that are in force no more nothing is kept.
    const which = hash('sha256', JSON.stringify(secrets));
    if (this.#guesses?.secrets !== which) this.#guesses = { secrets: which, of: new Guesses(this.#clock) };
    return this.#guesses.of;
  }
}
