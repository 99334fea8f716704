import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../base/errors.ts';
import { budgets } from './budgets.ts';
import { type CryptHash, cryptPassword, parseCryptHash, verifyCrypt } from './crypt.ts';

/** More rounds than this are refused: they would keep a router busy for many seconds at each login. */
export const MAX_ROUNDS = budgets.logins.rounds.limit;

/** A secret of this process: digests with it are worthless elsewhere. */
const key = randomBytes(32);
const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Whether two texts are equal, in a time that does not depend on where they differ. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

/** One of `count` for a text, the same as long as the process runs, that nobody outside can foresee. 0 for no count. */
export function secretChoice(text: string, count: number): number {
  return count === 0 ? 0 : digest(text).readUInt32BE(0) % count;
}

/** A password as it may be stored: `$6$`, which crypt(3) of every libc reads, with a salt of its own. */
export function hashPassword(password: string): Promise<string> {
  return cryptPassword(Buffer.from(password), randomBytes(12).toString('base64').replaceAll('+', '.'));
}

/** A password as the config holds it, plain or a crypt hash. It never reveals the password. */
export class StoredPassword {
  /**
   * Digest of the password: known of a plain one, of a hash once it has matched. From then on it decides alone, so that
   * right and wrong take the same time, and not every login costs a crypt.
   */
  #digest: Buffer | undefined;
  readonly #hash: CryptHash | undefined;

  /** Throws GatewayError `config_invalid` for a hash with more than MAX_ROUNDS rounds. */
  constructor(stored: string) {
    this.#hash = parseCryptHash(stored);
    if (this.#hash === undefined) this.#digest = digest(stored);
    else if (this.#hash.rounds > MAX_ROUNDS) {
      throw new GatewayError('config_invalid', `a password hash has at most ${MAX_ROUNDS} rounds`);
    }
  }

  /** Rejects only when `signal` aborts. */
  async matches(password: string, signal?: AbortSignal): Promise<boolean> {
    const given = digest(password);
    if (this.#digest !== undefined) return timingSafeEqual(this.#digest, given);
    if (this.#hash === undefined || !(await verifyCrypt(this.#hash, Buffer.from(password), signal))) return false;
    this.#digest = given;
    return true;
  }
}
