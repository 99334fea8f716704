import { parseCryptHash } from '../../access/crypt.ts';
import { equalSecrets, StoredPassword } from '../../access/password.ts';
import { counted } from '../../base/printable.ts';
import type { RuleConfig } from '../../config/config.ts';
import type { InboxMessage } from '../../store/message.ts';
import type { RuleMatch } from '../kit/received-message.ts';
import { OneTimeCodes } from './codes.ts';
import type { RulesContext } from './execution.ts';
import { type Guesses, LOCKOUT_S, MAX_FAILURES, type RulesMemory } from './memory.ts';

/** Wrong secrets of strangers together within an hour after which no stranger is listened to: senders are forged. */
const MAX_STRANGE = 60;

export type Verdict = 'right' | 'wrong' | 'locked_out' | 'no_secret';

/** Decides whether a message carries the secret that its rule asks for. */
export class Authorisation {
  readonly #context: RulesContext;
  readonly #guesses: Guesses;
  readonly #codes: OneTimeCodes;
  /** The password in force. It remembers which secrets were right, which spares a crypt each time. */
  #password: { readonly stored: string; readonly check: StoredPassword } | undefined;
  #warned = false;

  constructor(context: RulesContext, memory: RulesMemory) {
    const { rules, secrets } = context.config;
    this.#context = context;
    this.#codes = new OneTimeCodes(context, memory.codes);
    const codes = new Set(rules.flatMap(({ otp_secret }) => otp_secret ?? []));
    this.#guesses = memory.guesses([secrets.admin_password, secrets.serial, ...[...codes].sort()]);
  }

  /** How many senders are locked out. */
  get lockedOut(): number {
    return this.#guesses.failed.locked;
  }

  /**
   * Rejects when `signal` aborts, and with GatewayError store_* when the use of a one-time code cannot be noted. A stranger that is locked out is refused with the right secret too. A sender that
   * the rule lists, or that was right before, never is: whoever forges it could lock it out.
   */
  async check(
    { rule, secret = '' }: RuleMatch,
    message: Pick<InboxMessage, 'id' | 'time' | 'number'>,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const sender = message.number;
    const { failed, strange, known } = this.#guesses;
    if (rule.authorisation === 'no') return 'right';
    const isStranger = rule.allowed_phone === 'all' && known.get(sender) === undefined;
    if (isStranger && (failed.isLocked(sender) || strange.of('all') >= MAX_STRANGE)) return 'locked_out';
    const right = await this.#isRight(rule, secret, message, signal);
    if (right === undefined) return 'no_secret';
    if (right) {
      failed.succeeded(sender);
      known.set(sender, true);
      return 'right';
    }
    if (isStranger) strange.add('all');
    if (failed.failed(sender)) {
      const what = isStranger ? `locked out for ${LOCKOUT_S} s` : 'somebody guesses, perhaps by a forged sender';
      this.#context.log.warning(`${MAX_FAILURES} wrong secrets from ${sender}: ${what}`);
    }
    return 'wrong';
  }

  #isRight(
    rule: RuleMatch['rule'],
    secret: string,
    message: Pick<InboxMessage, 'id' | 'time' | 'number'>,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    if (rule.authorisation === 'code') return this.#codes.isRight(rule, secret, message);
    return rule.authorisation === 'serial' ? this.#isSerial(secret) : this.#isPassword(secret, signal);
  }

  async #isSerial(secret: string): Promise<boolean | undefined> {
    const { config, system } = this.#context;
    const serial = config.secrets.serial ?? (await system.serial());
    return serial === undefined ? undefined : equalSecrets(secret.toLowerCase(), serial.toLowerCase());
  }

  async #isPassword(secret: string, signal: AbortSignal): Promise<boolean | undefined> {
    const stored = this.#context.config.secrets.admin_password ?? (await this.#rootPassword());
    if (stored === undefined) return undefined;
    try {
      if (this.#password?.stored !== stored) this.#password = { stored, check: new StoredPassword(stored) };
    } catch {
      this.#warnOnce('its password hash has more rounds than can be checked here');
      return undefined;
    }
    return this.#password.check.matches(secret, signal);
  }

  async #rootPassword(): Promise<string | undefined> {
    const hash = await this.#context.system.rootPasswordHash();
    // Any other text would count as the password itself, and the hash is no secret to everybody who may not log in.
    if (hash !== undefined && parseCryptHash(hash) !== undefined) return hash;
    this.#warnOnce(hash === undefined ? 'that of root cannot be read' : 'that of root is hashed in an unknown way');
    return undefined;
  }

  #warnOnce(what: string): void {
    if (!this.#warned) this.#context.log.warning(`no password to compare with, set admin_password: ${what}`);
    this.#warned = true;
  }
}

const HOUR_MS = 3_600_000;
/** How long after a start of the system an older order to restart it counts as carried out, ms. */
const JUST_STARTED_MS = 600_000;

/**
 * Why an order comes too late to be carried out; undefined when it does not. `sent` is the time stamp of the service
 * centre, `now` the wall clock, `uptime` the seconds since the system started. An order from the future is not late: the
 * clock of the router is not set yet.
 */
export function tooLate(
  { action, max_age }: Pick<RuleConfig, 'action' | 'max_age'>,
  sent: number,
  { now, uptime }: { readonly now: number; readonly uptime: number },
): string | undefined {
  const up = uptime * 1000;
  // The journal knows what was done before. This holds even where the journal was lost and the SIM still has the order.
  if (action === 'reboot' && up < JUST_STARTED_MS && sent < now - up) return 'the system has restarted since';
  return now - sent > max_age * HOUR_MS ? `it was sent more than ${counted(max_age, 'hour')} ago` : undefined;
}
