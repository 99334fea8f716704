/** Counts the requests that wait for an answer. */
export class Window {
  /** How many may be open. */
  size = Number.POSITIVE_INFINITY;
  #open = 0;
  #waiting: (() => void)[] = [];

  get full(): boolean {
    return this.#open >= this.size;
  }

  enter(): void {
    this.#open += 1;
  }

  leave(): void {
    this.#open -= 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves when one more may be opened. */
  async room(): Promise<void> {
    while (this.full) await this.#change();
  }

  /** Resolves when none is open. */
  async idle(): Promise<void> {
    while (this.#open > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}
