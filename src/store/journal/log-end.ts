import type { JournalFile } from './journal-file.ts';

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
    try {
      await this.file.write(lines, this.#size);
    } catch (error) {
      await this.cut();
      throw error;
    }
    if (sync) await this.#datasync();
    this.#size += lines.length;
    this.#unsynced ||= !sync;
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
      // Linux reports a failed write-back once and then calls the pages clean: a second fdatasync would succeed
      // and prove nothing. Only a new file, written from the start, can be trusted.
      this.#soundness = 'doubtful';
      await this.file.truncate(this.#size).catch(() => undefined);
      throw error;
    }
  }
}
