import { isUtf8 } from 'node:buffer';

/*
 * UCI values are bytes. Here they are strings: UTF-8 decoded, and a byte that is not part of valid UTF-8 stands as a
 * lone surrogate U+DC80..U+DCFF, which UTF-8 cannot hold, so that every value comes back byte for byte.
 */
const ESCAPE = 0xdc00;

/** Length of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  const sequence = bytes.subarray(at, at + length);
  return length > 0 && sequence.length === length && isUtf8(sequence) ? length : 0;
}

export function textOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) pieces.push(String.fromCharCode(ESCAPE + (bytes[at] ?? 0)));
    else pieces.push(bytes.toString('utf8', at, at + length));
    at += Math.max(1, length);
  }
  return pieces.join('');
}

export function bytesOfText(text: string): Buffer {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  // By code points: a surrogate that is half of a pair is no escape.
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    pieces.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - ESCAPE) : Buffer.from(character, 'utf8'));
  }
  return Buffer.concat(pieces);
}
