import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { cryptBase64 } from './base64.ts';

/** SHA-crypt `$5$` and `$6$`, as in "Unix crypt using SHA-256 and SHA-512" (Ulrich Drepper, 2008). */
export type ShaName = 'sha256' | 'sha512';

/** Rounds between two moments in which the daemon does its other work: some 5 to 50 ms. */
const SLICE = 1000;

/** The checksum: 43 characters for SHA-256, 86 for SHA-512. `salt` has at most 16 octets. Rejects when `signal` aborts. */
export async function shaCrypt(
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
