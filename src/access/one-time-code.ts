/** One-time passwords: RFC 4226 (HOTP, by a counter) and RFC 6238 (TOTP, by the time), with HMAC-SHA-1 and six digits. */
import { createHmac, randomBytes } from 'node:crypto';

const DIGITS = 6;
/** Octets of a new secret; RFC 4226 4 recommends 160 bits. */
const SECRET_OCTETS = 20;
/** Step of a time-based code, ms. RFC 6238 4.1. */
export const STEP_MS = 30_000;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 6, in any case. Other characters are skipped: apps show blanks, dashes and padding. */
export function fromBase32(text: string): Buffer {
  const octets: number[] = [];
  let [bits, value] = [0, 0];
  for (const character of text.toUpperCase()) {
    const digit = ALPHABET.indexOf(character);
    if (digit === -1) continue;
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    octets.push((value >> bits) & 0xff);
  }
  return Buffer.from(octets);
}

/** Without padding. */
export function toBase32(octets: Uint8Array): string {
  let [text, bits, value] = ['', 0, 0];
  for (const octet of octets) {
    value = ((value << 8) | octet) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((value >> bits) & 0x1f);
    }
  }
  return bits === 0 ? text : text + ALPHABET.charAt((value << (5 - bits)) & 0x1f);
}

export const newSecret = (): string => toBase32(randomBytes(SECRET_OCTETS));

/** The code of a counter, RFC 4226 5.3. */
export function codeOf(key: Uint8Array, counter: number): string {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(BigInt(counter));
  const hmac = createHmac('sha1', key).update(moving).digest();
  const offset = (hmac.at(-1) ?? 0) & 0x0f;
  const number = hmac.readUInt32BE(offset) & 0x7fffffff;
  return `${number % 10 ** DIGITS}`.padStart(DIGITS, '0');
}

/** What an authenticator app reads, also from a QR code. */
export function keyUri(secret: string, kind: 'counter' | 'time', account: string): string {
  const name = encodeURIComponent(`SMS Gateway:${account}`);
  const rest = kind === 'counter' ? '&counter=0' : `&period=${STEP_MS / 1000}`;
  const type = kind === 'counter' ? 'hotp' : 'totp';
  return `otpauth://${type}/${name}?secret=${secret}&issuer=SMS%20Gateway&algorithm=SHA1&digits=${DIGITS}${rest}`;
}
