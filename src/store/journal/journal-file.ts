import type { OpenFile } from './file-system.ts';

/** What a disk gives or refuses as a whole: the page size of file systems. */
const PIECE = 4096;
const TRIES = 3;

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

  /**
   * As `readInto`, but where the disk has gone bad zeros stand, so that one bad block does not cost the others. For data
   * with checksums only.
   */
  async salvageInto(buffer: Buffer, position: number): Promise<number> {
    // Between two tries it must not be closed.
    this.#readers += 1;
    try {
      return await this.readInto(buffer, position).catch(() => this.#salvage(buffer, position));
    } finally {
      this.#readers -= 1;
      await this.#closeWhenIdle();
    }
  }

  async #salvage(buffer: Buffer, position: number): Promise<number> {
    const length = Math.max(0, Math.min(buffer.length, (await this.#file.size()) - position));
    for (let done = 0; done < length; ) {
      const end = Math.min(length, done + PIECE - ((position + done) % PIECE));
      await this.#salvagePiece(buffer.subarray(done, end), position + done);
      done = end;
    }
    return length;
  }

  async #salvagePiece(piece: Buffer, position: number): Promise<void> {
    for (let left = TRIES; left > 0; left--) {
      try {
        await this.readInto(piece, position);
        return;
      } catch {
        piece.fill(0);
      }
    }
  }

  write(buffer: Buffer, position: number): Promise<void> {
    return writeAll(buffer, (rest, done) => this.#file.write(rest, position + done));
  }

  /** As `write`, and on the disk when it resolves. */
  writeThrough(buffer: Buffer, position: number): Promise<void> {
    return writeAll(buffer, (rest, done) => this.#file.writeThrough(rest, position + done));
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

  /** See OpenFile. */
  sizeAt(path: string): number | undefined {
    return this.#file.sizeAt(path);
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

async function writeAll(buffer: Buffer, write: (rest: Buffer, done: number) => Promise<number>): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const count = await write(buffer.subarray(done), done);
    if (count === 0) throw new Error('a write took nothing');
    done += count;
  }
}

/** Whether the file can be trusted after a failure. */
export type Soundness = 'sound' | 'doubtful';

/** The growing end of a journal file. A write that fails leaves nothing behind, or the file is no longer sound. */
export class LogEnd {
  readonly file: JournalFile;
  #size: number;
  #unsynced = false;
  #soundness: Soundness = 'sound';

  constructor(file: JournalFile, size: number) {
    this.file = file;
    this.#size = size;
  }

  /** End of the last whole line. */
  get size(): number {
    return this.#size;
  }

  get unsynced(): boolean {
    return this.#unsynced;
  }

  get soundness(): Soundness {
    return this.#soundness;
  }

  /** Adds whole lines; on the disk when it resolves if `sync`. Rejects with the error of the file call. */
  async add(lines: Buffer, sync: boolean): Promise<void> {
    // Behind what is not synced yet they would stand alone after a power cut.
    if (sync && !this.#unsynced) await this.#addThrough(lines);
    else {
      await this.#write(lines);
      if (sync) await this.#datasync();
      this.#unsynced = !sync;
    }
    this.#size += lines.length;
  }

  async #write(lines: Buffer): Promise<void> {
    try {
      await this.file.write(lines, this.#size);
    } catch (error) {
      await this.cut();
      throw error;
    }
  }

  async #addThrough(lines: Buffer): Promise<void> {
    try {
      await this.file.writeThrough(lines, this.#size);
    } catch (error) {
      const end = await this.file.size().catch(() => Number.POSITIVE_INFINITY);
      // Octets that were refused do not lengthen the file: with all of them there, it is the sync that failed.
      if (end < this.#size + lines.length) await this.cut();
      else await this.#doubt();
      throw error;
    }
  }

  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    await this.#datasync();
    this.#unsynced = false;
  }

  /** Removes what lies behind the last whole line, durably: lines that were refused must not come back. Never rejects. */
  async cut(): Promise<void> {
    try {
      await this.file.truncate(this.#size);
      await this.file.datasync();
    } catch {
      this.#soundness = 'doubtful';
    }
  }

  async #datasync(): Promise<void> {
    try {
      await this.file.datasync();
    } catch (error) {
      await this.#doubt();
      throw error;
    }
  }

  /**
   * Linux reports a failed write-back once and then calls the pages clean: a second fdatasync would succeed and prove
   * nothing. Only a new file, written from the start, can be trusted.
   */
  async #doubt(): Promise<void> {
    this.#soundness = 'doubtful';
    await this.file.truncate(this.#size).catch(() => undefined);
  }
}
