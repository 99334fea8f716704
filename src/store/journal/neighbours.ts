import type { RecordRef } from './format.ts';

/** Lines that lie this near are read together, octets; and so many at once. */
const NEAR = 4 << 10;
const MOST = 64 << 10;

/** The place of a line, and who wants which entry of it, by its number in the question. */
interface WantedLine {
  readonly offset: number;
  readonly length: number;
  readonly wants: { readonly at: number; readonly item: number }[];
}

/** A piece of the file that holds lines, in their order. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly lines: readonly WantedLine[];
}

/** The pieces of the file in which these records lie, as few as may be: a listing wants many that stand side by side. */
export function piecesOf(refs: readonly RecordRef[]): readonly Piece[] {
  const pieces: { offset: number; length: number; lines: WantedLine[] }[] = [];
  const sorted = refs.map(({ offset, length, item }, at) => ({ offset, length, item, at }));
  sorted.sort((a, b) => a.offset - b.offset);
  for (const { offset, length, item, at } of sorted) {
    // A record that compaction could not read has no octets, and where it is said to lie another one does.
    if (length === 0) continue;
    const piece = pieces.at(-1);
    const line = piece?.lines.at(-1);
    if (line?.offset === offset) line.wants.push({ at, item });
    else {
      const wanted = { offset, length, wants: [{ at, item }] };
      const end = offset + length;
      if (piece !== undefined && offset - piece.offset - piece.length <= NEAR && end - piece.offset <= MOST) {
        piece.length = end - piece.offset;
        piece.lines.push(wanted);
      } else pieces.push({ offset, length, lines: [wanted] });
    }
  }
  return pieces;
}
