import { createHash, timingSafeEqual } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { budgets } from './budgets.ts';

/** A password as crypt(3) stores it: `$1$salt$checksum`, `$5$…` or `$6$…`, the latter two with `rounds=N$` or without. */
export interface CryptHash {
  readonly scheme: 'md5' | 'sha256' | 'sha512';
  readonly rounds: number;
  readonly salt: string;
  readonly checksum: string;
}

/** Octets of a password; also bounds the work, which grows with the square of the length. */
export const MAX_PASSWORD = budgets.logins.password.limit;

const patterns = [
  ['md5', /^\$1\$([^$\n]{0,8})\$([./0-9A-Za-z]{22})$/],
  ['sha256', /^\$5\$(?:rounds=([0-9]{1,9})\$)?([^$\n]{0,16})\$([./0-9A-Za-z]{43})$/],
  ['sha512', /^\$6\$(?:rounds=([0-9]{1,9})\$)?([^$\n]{0,16})\$([./0-9A-Za-z]{86})$/],
] as const;

/** The parsed hash; undefined when the text does not have the form of one: then it is a plain password. */
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

/** Whether the password matches, compared in constant time. Gives way to other work. Rejects when `signal` aborts. */
export async function verifyCrypt(hash: CryptHash, password: Uint8Array, signal?: AbortSignal): Promise<boolean> {
  if (password.length > MAX_PASSWORD) return false;
  const salt = Buffer.from(hash.salt);
  const checksum =
    hash.scheme === 'md5' ? md5Crypt(password, salt) : await shaCrypt(hash.scheme, password, salt, hash.rounds, signal);
  return timingSafeEqual(Buffer.from(checksum), Buffer.from(hash.checksum));
}

/** The SHA-512 hash of a password, with the usual 5000 rounds. `salt`: up to 16 characters of crypt's base64. */
export async function cryptPassword(password: Uint8Array, salt: string): Promise<string> {
  return `$6$${salt}$${await shaCrypt('sha512', password, Buffer.from(salt), 5000)}`;
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * The base64 of crypt(3): groups of up to three octets, taken from the digest in the order that each scheme defines,
 * first octet of a group the most significant; six bits a character, least significant first.
 */
function cryptBase64(digest: Uint8Array, groups: readonly (readonly number[])[]): string {
  return groups
    .map((group) => {
      let word = group.reduce((bits, index) => (bits << 8) | (digest[index] ?? 0), 0);
      let text = '';
      for (let i = 0; i <= group.length; i++, word >>>= 6) text += alphabet.charAt(word & 0x3f);
      return text;
    })
    .join('');
}

/** MD5-crypt `$1$`, as Poul-Henning Kamp wrote it for FreeBSD 2.0: always 1000 rounds. */
const MD5_ROUNDS = 1000;

const md5 = (...pieces: readonly Uint8Array[]): Buffer => {
  const hash = createHash('md5');
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
};

/** The checksum, 22 characters. `salt` has at most 8 octets. */
function md5Crypt(password: Uint8Array, salt: Uint8Array): string {
  const mixed = md5(password, salt, password);
  const start = createHash('md5').update(password).update('$1$').update(salt);
  for (let left = password.length; left > 0; left -= 16) start.update(mixed.subarray(0, Math.min(16, left)));
  // The original writes the first octet of a cleared buffer, not of the digest, for each 1 bit of the length.
  for (let bits = password.length; bits > 0; bits >>= 1) {
    start.update((bits & 1) === 1 ? new Uint8Array(1) : password.subarray(0, 1));
  }
  let digest: Buffer = start.digest();
  for (let round = 0; round < MD5_ROUNDS; round++) {
    const odd = (round & 1) === 1;
    const pieces = [odd ? password : digest];
    if (round % 3 !== 0) pieces.push(salt);
    if (round % 7 !== 0) pieces.push(password);
    pieces.push(odd ? digest : password);
    digest = md5(...pieces);
  }
  return cryptBase64(digest, [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]]);
}

/** SHA-crypt `$5$` and `$6$`, as in "Unix crypt using SHA-256 and SHA-512" (Ulrich Drepper, 2008). */
type ShaName = 'sha256' | 'sha512';

/** Rounds, 5 to 50 ms, after which other work gets its turn. */
const SLICE = 1000;

/** The checksum: 43 characters for SHA-256, 86 for SHA-512. `salt` has at most 16 octets. Rejects when `signal` aborts. */
async function shaCrypt(
  name: ShaName,
  password: Uint8Array,
  salt: Uint8Array,
  rounds: number,
  signal?: AbortSignal,
): Promise<string> {
  const sha = (...pieces: readonly Uint8Array[]): Buffer => {
    const hash = createHash(name);
    for (const piece of pieces) hash.update(piece);
    return hash.digest();
  };
  const b = sha(password, salt, password); // steps 4 to 8
  const start = createHash(name).update(password).update(salt).update(stretched(b, password.length)); // 1 to 3, 9, 10
  for (let bits = password.length; bits > 0; bits >>= 1) start.update((bits & 1) === 1 ? b : password); // 11
  let digest: Buffer = start.digest(); // 12
  const p = stretched(sha(...Array(password.length).fill(password)), password.length); // 13 to 16
  const s = stretched(sha(...Array(16 + (digest[0] ?? 0)).fill(salt)), salt.length); // 17 to 20
  for (let round = 0; round < rounds; round++) {
    if (round % SLICE === SLICE - 1) await setImmediate(undefined, signal === undefined ? {} : { signal });
    const odd = (round & 1) === 1;
    const pieces = [odd ? p : digest]; // 21
    if (round % 3 !== 0) pieces.push(s);
    if (round % 7 !== 0) pieces.push(p);
    pieces.push(odd ? digest : p);
    digest = sha(...pieces);
  }
  return cryptBase64(digest, name === 'sha256' ? groups256 : groups512); // 22
}

/** The digest repeated and cut to `length` octets. */
function stretched(digest: Uint8Array, length: number): Buffer {
  return Buffer.alloc(length, digest);
}

const groups256: readonly (readonly number[])[] = [
  ...rotated(10, [0, 10, 20], (group) => [group[2], group[0], group[1]]),
  [31, 30],
];
const groups512: readonly (readonly number[])[] = [
  ...rotated(21, [0, 21, 42], (group) => [group[1], group[2], group[0]]),
  [63],
];

type Group = readonly [number, number, number];

/** Each group is the one before with every index one up and the places rotated. */
function rotated(count: number, first: Group, rotate: (group: Group) => Group): readonly Group[] {
  const groups: Group[] = [];
  for (let group = first; groups.length < count; ) {
    groups.push(group);
    const [a, b, c] = rotate(group);
    group = [a + 1, b + 1, c + 1];
  }
  return groups;
}
