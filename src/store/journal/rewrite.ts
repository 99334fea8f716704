import { join } from 'node:path';
import { Columns } from '../../base/columns.ts';
import type { FileSystem } from './file-system.ts';
import { decodeLine, encodeHeader, encodeLine, type Format, RecordRef, upgradeEntry } from './format.ts';
import { JournalFile } from './journal-file.ts';
import type { Range } from './load.ts';
import type { Kept } from './state.ts';

export interface RewriteSource {
  /** The present file; none when the disk never let one be made. */
  readonly file: JournalFile | undefined;
  /** Version of the format it is in. */
  readonly version: number;
}

const CHUNK = 64 * 1024;
const NAME = 'journal.new';

/**
 * A new journal file beside the present one, filled piece by piece while the present one is in use. Nothing changes
 * outside until `commit`; then `move` gives refs their new place.
 */
export class Rewrite {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #format: Format;
  readonly #source: RewriteSource;
  readonly #moves = new Moves();
  /** Live records that could not be read back: they are lost, what is left of them belongs in the quarantine. */
  readonly damaged: Range[] = [];
  readonly file: JournalFile;
  #pending: Buffer[] = [];
  #pendingLength = 0;
  #written = 0;
  #synced = 0;
  #window: { readonly data: Buffer; readonly offset: number } = { data: Buffer.alloc(0), offset: 0 };

  private constructor(fs: FileSystem, directory: string, format: Format, source: RewriteSource, file: JournalFile) {
    this.#fs = fs;
    this.#directory = directory;
    this.#format = format;
    this.#source = source;
    this.file = file;
  }

  static async begin(fs: FileSystem, directory: string, format: Format, source: RewriteSource): Promise<Rewrite> {
    const file = new JournalFile(await fs.open(join(directory, NAME), 'create'));
    return new Rewrite(fs, directory, format, source, file);
  }

  /** Octets so far. */
  get size(): number {
    return this.#written + this.#pendingLength;
  }

  async copyHeader(lastId: number): Promise<void> {
    await this.#put(encodeHeader(this.#format, lastId));
  }

  async copyLive(all: readonly Kept[], signal: AbortSignal): Promise<void> {
    for (const kept of all) {
      signal.throwIfAborted();
      if (kept instanceof RecordRef) await this.#copy(kept);
      else await this.#put(kept);
    }
  }

  /** What lies in the present file from `start` on is copied as it is, and all before that has been. */
  beginTail(start: number): void {
    this.#moves.tail = { from: start, by: this.size - start };
  }

  /** Copies the lines from `from` to `to` of the present file as they lie. */
  async copyTail(from: number, to: number): Promise<void> {
    for (let offset = from; offset < to; ) {
      const data = Buffer.allocUnsafe(Math.min(CHUNK, to - offset));
      const count = (await this.#source.file?.readInto(data, offset)) ?? 0;
      if (count < data.length) throw new Error('the journal file is shorter than what was written to it');
      await this.#put(data);
      offset += count;
    }
  }

  async sync(): Promise<void> {
    await this.#flush();
    if (this.#synced === this.#written) return;
    await this.file.datasync();
    this.#synced = this.#written;
  }

  /** Puts the new file, which must be synced, in the place of the present one. The directory is still to be synced. */
  async commit(): Promise<void> {
    await this.#fs.rename(join(this.#directory, NAME), join(this.#directory, 'journal'));
  }

  /** Gives a ref its place in the new file. */
  move(ref: RecordRef): void {
    this.#moves.apply(ref);
  }

  /** Lets go of an unfinished file. */
  async abandon(): Promise<void> {
    await this.file.retire();
    await this.#fs.remove(join(this.#directory, NAME));
  }

  async #copy(ref: RecordRef): Promise<void> {
    // Lost before.
    if (ref.length === 0) return;
    const line = await this.#copyOf(ref);
    this.#moves.add(ref, this.size, line?.length ?? 0);
    if (line !== undefined) await this.#put(line);
  }

  /** The record alone on a line: others that shared its line may be dead, and must not come back. */
  async #copyOf(ref: RecordRef): Promise<Buffer | undefined> {
    const line = await this.#lineAt(ref);
    const entries = decodeLine(line.subarray(0, -1));
    const entry = entries?.[ref.item];
    if (entries === undefined || entry === undefined) {
      this.damaged.push({ offset: ref.offset, length: ref.length });
      return undefined;
    }
    if (entries.length === 1 && this.#source.version === this.#format.version) return Buffer.from(line);
    return encodeLine([upgradeEntry(this.#format, this.#source.version, entry)]);
  }

  /** Refs mostly ascend, so one read serves many. */
  async #lineAt(ref: RecordRef): Promise<Buffer> {
    const inWindow = () => {
      const start = ref.offset - this.#window.offset;
      return start >= 0 && start + ref.length <= this.#window.data.length;
    };
    if (!inWindow()) {
      const data = Buffer.allocUnsafe(Math.max(CHUNK, ref.length));
      const count = (await this.#source.file?.salvageInto(data, ref.offset)) ?? 0;
      this.#window = { data: data.subarray(0, count), offset: ref.offset };
    }
    const start = ref.offset - this.#window.offset;
    return this.#window.data.subarray(start, start + ref.length);
  }

  async #put(line: Buffer): Promise<void> {
    this.#pending.push(line);
    this.#pendingLength += line.length;
    if (this.#pendingLength >= CHUNK) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#pendingLength === 0) return;
    const data = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingLength = 0;
    await this.file.write(data, this.#written);
    this.#written += data.length;
  }
}

/** Where records that were copied lie now. */
class Moves {
  /**
   * By the old place of each. A record has some octets, so offset and item in one sum are another for each record, and a
   * small number.
   */
  readonly #numbers = new Map<number, number>();
  readonly #columns = new Columns();
  readonly #offset = this.#columns.column('float64');
  readonly #length = this.#columns.column('uint32');
  /** From which offset on records were copied with all that lay between them, and how far that moved them. */
  tail = { from: Number.POSITIVE_INFINITY, by: 0 };

  add({ offset, item }: RecordRef, newOffset: number, length: number): void {
    const number = this.#columns.take();
    this.#numbers.set(offset + item, number);
    this.#offset.set(number, newOffset);
    this.#length.set(number, length);
  }

  apply(ref: RecordRef): void {
    // One that is lost has no place, and no length: another record may lie where it is said to be.
    if (ref.length === 0) return;
    const number = this.#numbers.get(ref.offset + ref.item);
    if (ref.offset >= this.tail.from) ref.offset += this.tail.by;
    else if (number !== undefined) {
      ref.offset = this.#offset.get(number);
      ref.length = this.#length.get(number);
      ref.item = 0;
    }
  }
}
