import { createHash } from 'node:crypto';
import { codeOf, fromBase32, STEP_MS } from '../../access/one-time-code.ts';
import { equalSecrets } from '../../access/password.ts';
import type { RuleConfig } from '../../config/config.ts';
import type { InboxMessage } from '../../store/message.ts';
import { Tally } from '../../store/outbox/tally.ts';
import type { RulesContext } from './execution.ts';
import type { CodeGuesses } from './memory.ts';

/** Counters behind the expected one at which a code is right, RFC 4226 7.4: codes that were made and not sent. */
const LOOK_AHEAD = 10;
/** Counters at which a code is right when the next message brings the one behind it. */
const RESYNC = 200;
/** Steps around a time at which a time-based code is right: an SMS is under way for a while, and clocks differ. */
const STEPS_BEFORE = 6;
const STEPS_BEHIND = 1;
/** Wrong codes, of all senders, after which a code needs the one behind it: a million codes are soon tried. RFC 4226 7.3. */
const WRONG_PER_HOUR = 10;
const WRONG_PER_DAY = 30;

/** A code may be used once: what is left of a secret. */
interface Note {
  /** First counter that was not used. */
  readonly next: number;
  /** The message that used the one before. */
  readonly message: number;
}

/**
 * The one-time codes of rules. The counter is durable before a code counts as right, so no code works twice, also over a
 * crash; the message that brought it may come again, as a delivery does that is repeated.
 */
export class OneTimeCodes {
  readonly #context: Pick<RulesContext, 'clock' | 'log' | 'notebook'>;
  readonly #guesses: CodeGuesses;

  constructor(context: Pick<RulesContext, 'clock' | 'log' | 'notebook'>, guesses: CodeGuesses) {
    this.#context = context;
    this.#guesses = guesses;
  }

  /** Undefined without a secret. Throws GatewayError store_*. */
  async isRight(
    { otp_secret: secret, otp }: Pick<RuleConfig, 'otp_secret' | 'otp'>,
    code: string,
    message: Pick<InboxMessage, 'id' | 'time' | 'number'>,
  ): Promise<boolean | undefined> {
    if (secret === undefined) return undefined;
    const key = fromBase32(secret);
    const name = createHash('sha256').update(`${otp} `).update(key).digest('base64url').slice(0, 22);
    const { next, message: last } = this.#note(name);
    const fits = (counter: number) => equalSecrets(codeOf(key, counter), code);
    if (last === message.id && fits(next - 1)) return true;

    const armed = this.#guesses.armed.get(name);
    const certain = armed !== undefined && armed >= next && fits(armed) ? armed : undefined;
    const likely = certain === undefined ? this.#counters(otp, next, message).find(({ at }) => fits(at)) : undefined;
    const right = certain ?? (likely?.near === true && !this.#isGuessed(name) ? likely.at : undefined);
    if (right !== undefined) {
      this.#guesses.armed.delete(name);
      await this.#context.notebook('one-time codes').write({ [name]: `${right + 1} ${message.id}` });
      return true;
    }
    this.#tally(name).add(this.#context.clock.monotonic(), 1);
    if (likely === undefined) return false;
    this.#guesses.armed.set(name, likely.at + 1);
    this.#context.log.info(`a code from ${message.number} is right only together with the next one: send that too`);
    return false;
  }

  /** The counters that a code may have; a code is right alone where it is near. */
  #counters(
    otp: RuleConfig['otp'],
    next: number,
    { time }: Pick<InboxMessage, 'time'>,
  ): readonly { readonly at: number; readonly near: boolean }[] {
    if (otp === 'counter') {
      return Array.from({ length: RESYNC }, (_, ahead) => ({ at: next + ahead, near: ahead < LOOK_AHEAD }));
    }
    // The clock of the service centre or that of the router may be wrong.
    const steps = [time, this.#context.clock.now()].map((now) => Math.floor(now / STEP_MS));
    const around = steps.flatMap((step) =>
      Array.from({ length: STEPS_BEFORE + 1 + STEPS_BEHIND }, (_, at) => step - STEPS_BEFORE + at),
    );
    return [...new Set(around)].filter((at) => at >= next).map((at) => ({ at, near: true }));
  }

  #note(name: string): Note {
    const [next = 0, message = -1] = (this.#context.notebook('one-time codes').get(name) ?? '').split(' ').map(Number);
    return { next, message };
  }

  #isGuessed(name: string): boolean {
    const now = this.#context.clock.monotonic();
    const tally = this.#tally(name);
    return tally.used(now, 'hour') >= WRONG_PER_HOUR || tally.used(now, 'day') >= WRONG_PER_DAY;
  }

  #tally(name: string): Tally {
    const tally = this.#guesses.wrong.get(name) ?? new Tally();
    this.#guesses.wrong.set(name, tally);
    return tally;
  }
}
