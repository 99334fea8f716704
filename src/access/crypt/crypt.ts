import { timingSafeEqual } from 'node:crypto';
import { md5Crypt } from './md5-crypt.ts';
import { shaCrypt } from './sha-crypt.ts';

/** A password as crypt(3) stores it: `$1$salt$checksum`, `$5$…` or `$6$…`, the latter two with `rounds=N$` or without. */
export interface CryptHash {
  readonly scheme: 'md5' | 'sha256' | 'sha512';
  readonly rounds: number;
  readonly salt: string;
  readonly checksum: string;
}

/** More rounds than this are refused: they would keep a router busy for minutes at each login. */
export const MAX_ROUNDS = 200_000;
/** Octets of a password; also bounds the work, which grows with the square of the length. */
export const MAX_PASSWORD = 256;

const patterns = [
  ['md5', /^\$1\$([^$\n]{0,8})\$([./0-9A-Za-z]{22})$/],
  ['sha256', /^\$5\$(?:rounds=([0-9]{1,9})\$)?([^$\n]{0,16})\$([./0-9A-Za-z]{43})$/],
  ['sha512', /^\$6\$(?:rounds=([0-9]{1,9})\$)?([^$\n]{0,16})\$([./0-9A-Za-z]{86})$/],
] as const;

/** The hash that `stored` is, or undefined when it has not the form of one and so is a plain password. */
export function parseCryptHash(stored: string): CryptHash | undefined {
  for (const [scheme, pattern] of patterns) {
    const match = pattern.exec(stored);
    if (match === null) continue;
    const [rounds, salt, checksum] = scheme === 'md5' ? [undefined, match[1], match[2]] : match.slice(1);
    // Drepper: 5000 rounds when none are given, fewer than 1000 mean 1000.
    return { scheme, rounds: Math.max(1000, Number(rounds ?? 5000)), salt: salt ?? '', checksum: checksum ?? '' };
  }
  return undefined;
}

/** Whether `password` is the one behind `hash`, in constant time as far as the checksum goes. Gives way to other work. */
export async function verifyCrypt(hash: CryptHash, password: Uint8Array, signal?: AbortSignal): Promise<boolean> {
  if (password.length > MAX_PASSWORD || hash.rounds > MAX_ROUNDS) return false;
  const salt = Buffer.from(hash.salt);
  const checksum =
    hash.scheme === 'md5' ? md5Crypt(password, salt) : await shaCrypt(hash.scheme, password, salt, hash.rounds, signal);
  return timingSafeEqual(Buffer.from(checksum), Buffer.from(hash.checksum));
}

/** The SHA-512 hash of a password, with the usual 5000 rounds. `salt`: up to 16 characters of crypt's base64. */
export async function cryptPassword(password: Uint8Array, salt: string): Promise<string> {
  return `$6$${salt}$${await shaCrypt('sha512', password, Buffer.from(salt), 5000)}`;
}
