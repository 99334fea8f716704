import type { OpenFile } from './file-system.ts';

/** An open journal file. Stays open until the last reader has done with it, also after a newer one took its place. */
export class JournalFile {
  readonly #file: OpenFile;
  #readers = 0;
  #retired = false;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  /** Fills `buffer` from `position`; gives the octets there were, fewer only at the end of the file. */
  async readInto(buffer: Buffer, position: number): Promise<number> {
    this.#readers += 1;
    try {
      let done = 0;
      while (done < buffer.length) {
        const count = await this.#file.read(buffer.subarray(done), position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    } finally {
      this.#readers -= 1;
      await this.#closeWhenIdle();
    }
  }

  async write(buffer: Buffer, position: number): Promise<void> {
    for (let done = 0; done < buffer.length; ) {
      const count = await this.#file.write(buffer.subarray(done), position + done);
      if (count === 0) throw new Error('a write took nothing');
      done += count;
    }
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  datasync(): Promise<void> {
    return this.#file.datasync();
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  /** Closes it as soon as no read is under way. */
  async retire(): Promise<void> {
    this.#retired = true;
    await this.#closeWhenIdle();
  }

  async #closeWhenIdle(): Promise<void> {
    if (!this.#retired || this.#readers > 0) return;
    this.#retired = false;
    await this.#file.close();
  }
}
