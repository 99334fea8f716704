const WIDTH = 30;
/** A terminal need not be written to more often, ms. */
const EVERY = 100;

export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** A bar on a terminal; nothing anywhere else. */
export class Progress {
  readonly #out: Terminal;
  readonly #shown: boolean;
  #last = 0;
  #width = 0;

  constructor(out: Terminal, shown: boolean) {
    this.#out = out;
    this.#shown = shown && out.isTTY === true;
  }

  /** `note` stands behind the bar, short. */
  show(done: number, total: number, note: string): void {
    const now = Date.now();
    if (!this.#shown || (now - this.#last < EVERY && done < total)) return;
    this.#last = now;
    const share = total === 0 ? 1 : done / total;
    const full = Math.round(share * WIDTH);
    const text = `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${done}/${total} ${note}`.slice(0, 100);
    this.#out.write(`\r${text.padEnd(this.#width)}`);
    this.#width = text.length;
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#width === 0) return;
    this.#out.write(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
  }
}
