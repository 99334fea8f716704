import { createHash } from 'node:crypto';
import { cryptBase64 } from './base64.ts';

/** MD5-crypt `$1$`, as Poul-Henning Kamp wrote it for FreeBSD 2.0: always 1000 rounds. */
const ROUNDS = 1000;

const md5 = (...pieces: readonly Uint8Array[]): Buffer => {
  const hash = createHash('md5');
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
};

/** The checksum, 22 characters. `salt` has at most 8 octets. */
export function md5Crypt(password: Uint8Array, salt: Uint8Array): string {
  const mixed = md5(password, salt, password);
  const start = createHash('md5').update(password).update('$1$').update(salt);
  for (let left = password.length; left > 0; left -= 16) start.update(mixed.subarray(0, Math.min(16, left)));
  // The original writes the first octet of a cleared buffer, not of the digest, for each 1 bit of the length.
  for (let bits = password.length; bits > 0; bits >>= 1) {
    start.update((bits & 1) === 1 ? new Uint8Array(1) : password.subarray(0, 1));
  }
  let digest: Buffer = start.digest();
  for (let round = 0; round < ROUNDS; round++) {
    const odd = (round & 1) === 1;
    const pieces = [odd ? password : digest];
    if (round % 3 !== 0) pieces.push(salt);
    if (round % 7 !== 0) pieces.push(password);
    pieces.push(odd ? digest : password);
    digest = md5(...pieces);
  }
  return cryptBase64(digest, [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]]);
}
