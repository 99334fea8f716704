const CR = 0x0d;
const LF = 0x0a;

/**
 * Cuts what a server sends into lines, RFC 1939 3, however it comes in pieces. Only CR LF ends a line, but for servers
 * that send LF alone: they show it in the first line of an answer.
 */
export class LineFramer {
  readonly #pieces: Buffer[] = [];
  #length = 0;
  /** Whether the next line is the first of an answer. */
  #first = true;
  #bareLf = false;

  /** Octets of the line that has begun. */
  get pending(): number {
    return this.#length;
  }

  /** The next line is the first of an answer. */
  expectFirst(): void {
    this.#first = true;
  }

  /** The lines that end within the chunk, without their ends. */
  *push(chunk: Buffer): Iterable<Buffer> {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      const before = at > from ? chunk[at - 1] : this.#pieces.at(-1)?.at(-1);
      if (this.#first) this.#bareLf = before !== CR;
      else if (before !== CR && !this.#bareLf) continue;
      this.#first = false;
      this.#keep(chunk.subarray(from, at));
      from = at + 1;
      const line = this.#take();
      yield before === CR ? line.subarray(0, -1) : line;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  #take(): Buffer {
    const [first, ...more] = this.#pieces;
    const line = first !== undefined && more.length === 0 ? first : Buffer.concat(this.#pieces);
    this.#pieces.length = 0;
    this.#length = 0;
    return line;
  }
}
