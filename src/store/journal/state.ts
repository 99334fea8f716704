import { join } from 'node:path';
import { BackOff } from '../../base/back-off.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { Mutex } from '../../base/mutex.ts';
import { type FileSystem, nodeFileSystem, storeError } from './file-system.ts';
import { currentFormat, type Entry, encodeLine, type Format, HEADER, RecordRef, type Table } from './format.ts';
import type { LogEnd } from './journal-file.ts';
import type { Range } from './load.ts';

/**
 * `always`: an append resolves when its record is on the disk. A number: it resolves when the system has it, and the
 * disk gets it within that many seconds. Then a crash of the daemon loses nothing, but a power cut loses what was
 * acknowledged in these seconds: sent messages may be sent again, received ones are gone.
 */
export type Sync = 'always' | number;

export interface JournalOptions {
  /** State directory; made when it is missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default `always`. */
  readonly sync?: Sync;
  /** Octets that the file has at least before it is compacted. Default 256 KiB. */
  readonly compactFrom?: number;
  /** Octets that the file may grow to; more is refused with store_full. Default 64 MiB. */
  readonly maximum?: number;
  readonly fileSystem?: FileSystem;
  readonly format?: Format;
}

/** What compaction keeps, in the order in which it is written: a record as it lies, or whole lines. */
export type Kept = RecordRef | Buffer;

/** Lines are held in pieces of about so many octets: many small ones are many objects. */
const PIECE = 64 * 1024;

/** What the parts of the journal work on: the present file, the tables, and whether the disk takes anything. */
export class JournalState {
  readonly directory: string;
  /** Of the present file. */
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly format: Format;
  readonly clock: Clock;
  readonly log: Logger;
  /** Held while the file is written. */
  readonly writing = new Mutex();
  readonly outage: Outage;
  /** Holds for what is appended from now on. */
  sync: Sync;
  /** The present file, and the version of its format. */
  end: LogEnd | undefined;
  version: number;
  /** Damaged lines of the present file. */
  damaged: readonly Range[] = [];
  /** Damaged lines that were found since the start, also those that no file has any more. */
  found = 0;
  /** The highest message number so far. */
  lastId = 0;
  readonly #tables = new Map<string, Table>();

  constructor({ directory, fileSystem, format, clock, log, sync }: JournalOptions) {
    this.directory = directory;
    this.path = join(directory, 'journal');
    this.fileSystem = fileSystem ?? nodeFileSystem;
    this.format = format ?? currentFormat;
    this.version = this.format.version;
    this.clock = clock;
    this.log = log;
    this.sync = sync ?? 'always';
    this.outage = new Outage(clock, log);
  }

  /** What somebody has done to the file, so that what is appended to it, or lies in it, is gone; undefined when it is whole. */
  loss(): string | undefined {
    if (this.end === undefined) return undefined;
    const { file, size } = this.end;
    let there: number | undefined;
    try {
      there = file.sizeAt(this.path);
    } catch {
      // In doubt it is there: the write tells.
      return undefined;
    }
    if (there === undefined) return `${this.path} was deleted, moved or replaced`;
    return there < size ? `${this.path} was cut to ${there} of its ${size} octets` : undefined;
  }

  /** Begins an outage when the file is lost: what is appended to a file without a name is gone with the process. */
  noticeLoss(): void {
    const loss = this.loss();
    if (loss !== undefined) this.outage.begin(new GatewayError('store_unavailable', loss));
  }

  register(table: Table): void {
    if (table.name === HEADER || this.#tables.has(table.name)) throw new Error(`table name ${table.name} is taken`);
    this.#tables.set(table.name, table);
  }

  /** The entries of one line are stored: their tables take them over. */
  apply(entries: readonly Entry[], offset: number, length: number): readonly RecordRef[] {
    return entries.map((entry, item) => {
      const ref = new RecordRef(offset, length, item);
      this.applyEntry(entry, ref);
      return ref;
    });
  }

  /** Whether its table took it. A record that no table can bear is a fault of the program: it is reported. */
  applyEntry({ table, record }: Entry, ref: RecordRef): boolean {
    if (typeof record.id === 'number' && record.id > this.lastId) this.lastId = record.id;
    try {
      this.#tables.get(table)?.apply(record, ref);
      return true;
    } catch (error) {
      this.log.error(`a record of ${table} could not be applied: ${describeError(error)}`);
      return false;
    }
  }

  /** Everything that is alive now, in an order from which it can be rebuilt. */
  live(): readonly Kept[] {
    const kept: Kept[] = [];
    let lines: Buffer[] = [];
    let length = 0;
    const flush = () => {
      if (lines.length > 0) kept.push(Buffer.concat(lines));
      lines = [];
      length = 0;
    };
    for (const table of this.#tables.values()) {
      for (const { ref, record } of table.live()) {
        if (ref !== undefined) {
          flush();
          kept.push(ref);
          continue;
        }
        const line = encodeLine([{ table: table.name, record }]);
        lines.push(line);
        length += line.length;
        if (length >= PIECE) flush();
      }
    }
    flush();
    return kept;
  }

  /** Gives every ref that a table keeps its place in the new file. */
  relocate(move: (ref: RecordRef) => void): void {
    for (const table of this.#tables.values()) table.relocate?.(move);
  }

  /** Octets that compaction would keep, by estimate: those of the records as they lie, and `encoded` for one that is encoded again. */
  liveOctets(encoded: number): number {
    let octets = 0;
    for (const table of this.#tables.values()) {
      if (table.liveOctets !== undefined) octets += table.liveOctets(encoded);
      else for (const { ref } of table.live()) octets += ref?.length ?? encoded;
    }
    return octets;
  }

  /** A rewritten file takes the place of the present one. */
  replace(end: LogEnd): void {
    this.end = end;
    this.version = this.format.version;
    this.damaged = [];
  }
}

/** The times during which nothing can be appended: refuses, and tries with growing pauses to make the journal whole. */
class Outage {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #backOff = new BackOff({ first: 1_000, longest: 60_000 });
  #error: GatewayError | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;
  /** Writes the whole journal to a new file; the journal sets it. */
  repair: () => Promise<void> = async () => {};

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Why nothing can be appended, or undefined. */
  get error(): GatewayError | undefined {
    return this.#error;
  }

  begin(error: unknown): void {
    if (this.#error === undefined) this.#log.error(`nothing can be stored: ${describeError(error)}`);
    this.#error = storeError(error);
    if (this.#cancel !== undefined || this.#stopped) return;
    this.#cancel = this.#clock.after(this.#backOff.next(), () => void this.#retry());
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#error !== undefined) this.#log.info('messages can be stored again');
    this.#error = undefined;
    this.#backOff.reset();
  }

  /** No more tries: the store closes. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #retry(): Promise<void> {
    this.#cancel = undefined;
    try {
      await this.repair();
      this.end();
    } catch (error) {
      this.begin(error);
    }
  }
}
