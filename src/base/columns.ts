type Cells = Float64Array | Uint32Array | Uint16Array | Uint8Array;

/** How large numbers get. Whole numbers, but for `float64`. */
export type CellKind = 'float64' | 'uint32' | 'uint16' | 'uint8';

const arrays = { float64: Float64Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array } as const;

const FEWEST = 64;

/** One number of each row of a table. What was never set is 0. */
export class Column {
  readonly #kind: CellKind;
  #cells: Cells;

  constructor(kind: CellKind) {
    this.#kind = kind;
    this.#cells = new arrays[kind](0);
  }

  get(row: number): number {
    return this.#cells[row] ?? 0;
  }

  set(row: number, value: number): void {
    if (row >= this.#cells.length) {
      const grown = new arrays[this.#kind](Math.max(FEWEST, Math.ceil((row + 1) * 1.5)));
      grown.set(this.#cells);
      this.#cells = grown;
    }
    this.#cells[row] = value;
  }

  /** Gives the memory back. */
  clear(): void {
    this.#cells = new arrays[this.#kind](0);
  }
}

/**
 * A table of numbers by column. A hundred thousand rows as objects are ten times the memory, and the garbage collector goes
 * through them; these it does not see.
 */
export class Columns {
  readonly #columns: Column[] = [];
  /** Numbers below `#end` that are not in use. */
  #free: number[] = [];
  readonly #first: number;
  #end: number;

  /** Rows are numbered from `first` on. */
  constructor(first = 0) {
    this.#first = first;
    this.#end = first;
  }

  /** Rows in use. */
  get size(): number {
    return this.#end - this.#first - this.#free.length;
  }

  column(kind: CellKind): Column {
    const column = new Column(kind);
    this.#columns.push(column);
    return column;
  }

  /** A number for a new row. Its cells have what the row before it under this number left there. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#end += 1;
    return this.#end - 1;
  }

  /** The row is gone. With the last one the memory goes, too. */
  release(row: number): void {
    this.#free.push(row);
    if (this.size > 0) return;
    this.#free = [];
    this.#end = this.#first;
    for (const column of this.#columns) column.clear();
  }
}
