import type { JournalFile } from './journal-file.ts';
import { CHECKSUM_START, decodeLine, MAX_LINE, NEWLINE } from './line.ts';
import type { Entry } from './table.ts';

export interface Range {
  readonly offset: number;
  readonly length: number;
}

export interface ScanResult {
  /** End of the last whole line. */
  readonly size: number;
  /** Octets after it: a line that was being written when the power went. */
  readonly torn: number;
  /** Damaged lines. */
  readonly damaged: readonly Range[];
}

const BLOCK = 256 * 1024;

/** Called with each sound line; `length` counts its newline. Answers false when it cannot make sense of it. */
type LineCallback = (entries: readonly Entry[], offset: number, length: number) => boolean;

/** Reads a journal file from front to end. Damage costs the lines it lies in and no others. */
export async function scan(file: JournalFile, onLine: LineCallback): Promise<ScanResult> {
  const damaged: Range[] = [];
  let carry: Buffer = Buffer.alloc(0);
  let offset = 0;
  // Octets from `offset` that are no line: too long without a newline, and let go.
  let skipped = 0;
  for (;;) {
    const block = Buffer.allocUnsafe(BLOCK);
    const count = await file.salvageInto(block, offset + skipped + carry.length);
    if (count === 0) break;
    const data = Buffer.concat([carry, block.subarray(0, count)]);
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
      const length = skipped + end + 1 - start;
      damaged.push(...(skipped > 0 ? [{ offset, length }] : takeLine(data.subarray(start, end), offset, onLine)));
      skipped = 0;
      offset += length;
      start = end + 1;
    }
    carry = data.subarray(start);
    if (carry.length > MAX_LINE) {
      skipped += carry.length;
      carry = Buffer.alloc(0);
    }
  }
  const last = decodeLine(carry.subarray(0, -1));
  if (skipped > 0 || last === undefined || !onLine(last, offset, carry.length)) {
    return { size: offset, torn: skipped + carry.length, damaged };
  }
  // Whole but for its newline, which something hit.
  const size = offset + carry.length;
  return { size, torn: 0, damaged: [...damaged, { offset: size - 1, length: 1 }] };
}

/** Hands the line on; answers the damaged pieces of it. */
function takeLine(line: Buffer, offset: number, onLine: LineCallback): readonly Range[] {
  const whole = { offset, length: line.length + 1 };
  const entries = decodeLine(line);
  if (entries !== undefined) return onLine(entries, offset, whole.length) ? [] : [whole];
  // Where a newline was hit, two sound lines stand with one wrong octet in between.
  for (const match of line.toString('latin1').matchAll(CHECKSUM_START)) {
    const second = match.index;
    if (second === 0 || decodeLine(line.subarray(second)) === undefined) continue;
    return [
      ...takeLine(line.subarray(0, second - 1), offset, onLine),
      { offset: offset + second - 1, length: 1 },
      ...takeLine(line.subarray(second), offset + second, onLine),
    ];
  }
  return [whole];
}
