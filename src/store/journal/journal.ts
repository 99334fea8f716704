import { join } from 'node:path';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { MAX_MESSAGE_ID, type MessageId } from '../message.ts';
import { type CompactionHost, Compactor } from './compactor.ts';
import { isPassing, storeError } from './file-error.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { currentFormat, type Format, HEADER, upgradeEntry } from './format.ts';
import { GroupCommit, type GroupCommitHost } from './group-commit.ts';
import { decodeLine, encodeLine, MAX_LINE } from './line.ts';
import { loadFile } from './load.ts';
import { LogEnd } from './log-end.ts';
import { Mutex } from './mutex.ts';
import type { JournalOptions, Sync } from './options.ts';
import { Outage } from './outage.ts';
import { QUARANTINE } from './quarantine.ts';
import type { LiveEntry } from './rewrite.ts';
import type { Range } from './scan.ts';
import { type Entry, RecordRef, type Table } from './table.ts';

export type { JournalOptions, Sync } from './options.ts';
export type { Entry, LiveRecord, Table } from './table.ts';
export { RecordRef } from './table.ts';

const COMPACT_FROM = 256 * 1024;
const MAXIMUM = 64 << 20;
/** Above the maximum, for records that make room. */
const RESERVE = 1 << 20;
/** Message numbers in damaged lines are unknown; each line with one has at least this many octets. */
const SHORTEST_MESSAGE = 32;
const SAFE_GAP = 1000;

/**
 * The one append-only file that inbox, outbox and deliveries share. Use: construct, `register` every table, `open`.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #fs: FileSystem;
  readonly #format: Format;
  readonly #tables = new Map<string, Table>();
  readonly #writing = new Mutex();
  readonly #compactor: Compactor;
  readonly #outage: Outage;
  readonly #commit: GroupCommit;
  #end: LogEnd | undefined;
  #version: number;
  #sync: Sync;
  #damaged: readonly Range[] = [];
  #lastId = 0;
  #unlock: (() => Promise<void>) | undefined;
  #open = false;
  #torn = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#fs = options.fileSystem ?? nodeFileSystem;
    this.#format = options.format ?? currentFormat;
    this.#version = this.#format.version;
    this.#sync = options.sync ?? 'always';
    this.#outage = new Outage(options.clock, options.log, () => this.#compactor.run());
    const host = this.#host();
    this.#commit = new GroupCommit(host);
    this.#compactor = new Compactor(host, options.compactFrom ?? COMPACT_FROM);
  }

  /** Before `open`. */
  register(table: Table): void {
    if (table.name === HEADER || this.#tables.has(table.name)) throw new Error(`table name ${table.name} is taken`);
    this.#tables.set(table.name, table);
  }

  /**
   * Loads the file into the tables. Throws GatewayError store_locked, store_unavailable. A full or read-only disk is no
   * error: what is stored can be read, and appends are refused until the disk takes them.
   */
  async open(): Promise<void> {
    const { directory } = this.#options;
    try {
      await this.#fs.makeDirectory(directory);
      this.#unlock = await this.#fs.lock(directory);
      await this.#load(join(directory, 'journal'));
      this.#open = true;
    } catch (error) {
      await this.#release();
      throw storeError(error);
    }
  }

  /** Adds one record. As `appendAll`. */
  async append(table: string, record: JsonObject): Promise<RecordRef> {
    const [ref] = await this.appendAll([{ table, record }]);
    if (ref === undefined) throw new GatewayError('internal', 'the journal gave no place for a record');
    return ref;
  }

  /**
   * Adds records that stand together: after a crash all of them are there or none. Resolves when they are durable and
   * applied. Throws GatewayError store_full, store_unavailable (nothing was stored), too_large, stopping.
   * `makesRoom`: the records free space, so they may use the reserve above the size limit.
   */
  async appendAll(
    entries: readonly Entry[],
    options?: { readonly makesRoom?: boolean },
  ): Promise<readonly RecordRef[]> {
    if (!this.#open) throw new GatewayError('stopping', 'the store is closed');
    if (this.#outage.error !== undefined) throw this.#outage.error;
    const line = encodeLine(entries);
    if (line.length > MAX_LINE) throw new GatewayError('too_large', `a record of ${line.length} octets is too long`);
    const size = (this.#end?.size ?? 0) + this.#commit.queued + line.length;
    const maximum = this.#options.maximum ?? MAXIMUM;
    if (size > maximum + (options?.makesRoom === true ? RESERVE : 0)) {
      this.#compactor.consider(size, true);
      throw new GatewayError('store_full', `the journal has reached its limit of ${maximum} octets`);
    }
    return this.#commit.add(entries, line);
  }

  /**
   * The record at `ref`. Takes the place at the call, so a ref that is compacted away meanwhile is still read. Throws
   * GatewayError store_unavailable when the disk does not give it back unharmed.
   */
  async read(ref: RecordRef): Promise<JsonObject> {
    const { offset, length, item } = ref;
    const version = this.#version;
    const line = Buffer.allocUnsafe(length);
    try {
      const count = await this.#end?.file.readInto(line, offset);
      const entry = count === length ? decodeLine(line.subarray(0, -1))?.[item] : undefined;
      if (entry !== undefined) return upgradeEntry(this.#format, version, entry).record;
    } catch (error) {
      throw storeError(error);
    }
    throw new GatewayError('store_unavailable', 'a stored record is damaged');
  }

  /** See JournalOptions. Holds for what is appended from now on. */
  set sync(sync: Sync) {
    this.#sync = sync;
  }

  /** The next message number. Never the same again, whatever is deleted. Throws GatewayError store_full after the last. */
  nextId(): MessageId {
    if (this.#lastId >= MAX_MESSAGE_ID) throw new GatewayError('store_full', 'all message numbers are used up');
    this.#lastId += 1;
    return this.#lastId as MessageId;
  }

  /** Facts for `status`: sizes and amounts in octets, counts since the start. */
  status(): JsonObject {
    const error = this.#outage.error?.message;
    return {
      size: this.#end?.size ?? 0,
      maximum: this.#options.maximum ?? MAXIMUM,
      written: this.#commit.written + this.#compactor.written,
      syncs: this.#commit.syncs,
      damaged: this.#damaged.length,
      torn: this.#torn,
      compactions: this.#compactor.completed,
      ...(error === undefined ? {} : { error }),
    };
  }

  /** Stores what waits, syncs, and lets go of the directory. Never rejects. */
  async close(): Promise<void> {
    this.#open = false;
    await this.#compactor.stop();
    await this.#commit.close();
    await this.#release();
  }

  async #release(): Promise<void> {
    this.#outage.stop();
    const warn = (error: unknown) => this.#options.log.warning(`closing the store: ${describeError(error)}`);
    await this.#end?.file.retire().catch(warn);
    await this.#unlock?.().catch(warn);
    this.#end = undefined;
    this.#unlock = undefined;
  }

  async #load(path: string): Promise<void> {
    const { log } = this.#options;
    await this.#fs.remove(`${path}.new`).catch(() => undefined);
    const loaded = await loadFile(this.#fs, path, this.#format, (entries, offset, length) =>
      entries.every((entry, item) => this.#applyEntry(entry, new RecordRef(offset, length, item))),
    );
    if (loaded === undefined) return this.#renew();
    this.#version = loaded.version;
    this.#damaged = loaded.damaged;
    this.#torn = loaded.torn;
    const end = new LogEnd(loaded.file, loaded.size);
    this.#end = end;
    const lost = loaded.damaged.reduce((sum, range) => sum + range.length, loaded.torn);
    if (lost > 0) this.#lastId += SAFE_GAP + Math.ceil(lost / SHORTEST_MESSAGE);
    if (loaded.torn > 0) log.warning(`cut off ${loaded.torn} octets of a record that was never finished`);
    if (loaded.damaged.length > 0) log.error(`${loaded.damaged.length} damaged records are put into ${QUARANTINE}`);
    if (!loaded.writable) return this.#outage.begin(new Error('the file system is read-only'));
    if (loaded.torn > 0) await end.cut();
    const current = loaded.complete && loaded.version === this.#format.version;
    if (!(await this.#isSafe(end)) || !current) return this.#renew();
    if (loaded.damaged.length > 0) this.#compactor.start();
    else this.#compactor.consider(loaded.size, false);
  }

  /**
   * Whether all that was loaded is on the disk, under its name. A process that was killed may have left lines and a name
   * that only the system's memory has: whoever builds on them would lose them to a power cut.
   */
  async #isSafe(end: LogEnd): Promise<boolean> {
    try {
      await end.file.datasync();
      await this.#fs.syncDirectory(this.#options.directory);
      return end.soundness === 'sound';
    } catch {
      return false;
    }
  }

  /** Writes the file anew at the start. Where the disk does not take it now, it is tried again later. */
  async #renew(): Promise<void> {
    try {
      await this.#compactor.run();
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#outage.begin(error);
    }
  }

  #apply(entries: readonly Entry[], offset: number, length: number): readonly RecordRef[] {
    return entries.map((entry, item) => {
      const ref = new RecordRef(offset, length, item);
      this.#applyEntry(entry, ref);
      return ref;
    });
  }

  /** A record that its table cannot bear is a fault of the program: reported, and the others go on. */
  #applyEntry({ table, record }: Entry, ref: RecordRef): boolean {
    if (typeof record.id === 'number' && record.id > this.#lastId) this.#lastId = record.id;
    this.#compactor.issued(ref);
    try {
      this.#tables.get(table)?.apply(record, ref);
      return true;
    } catch (error) {
      this.#options.log.error(`a record of ${table} could not be applied: ${describeError(error)}`);
      return false;
    }
  }

  #live(): LiveEntry[] {
    const entries: LiveEntry[] = [];
    for (const table of this.#tables.values()) {
      for (const live of table.live()) entries.push({ table: table.name, live });
    }
    return entries;
  }

  /** What the parts behind see of the journal. */
  #host(): CompactionHost & GroupCommitHost {
    const journal = this;
    const { directory, clock, log } = this.#options;
    return {
      directory,
      fileSystem: this.#fs,
      format: this.#format,
      clock,
      log,
      get sync() {
        return journal.#sync;
      },
      writing: this.#writing,
      outage: this.#outage,
      get end() {
        return journal.#end;
      },
      get version() {
        return journal.#version;
      },
      get lastId() {
        return journal.#lastId;
      },
      get damaged() {
        return journal.#damaged;
      },
      live: () => this.#live(),
      replace: (end) => {
        this.#end = end;
        this.#version = this.#format.version;
        this.#damaged = [];
      },
      doubt: (error) => this.#outage.begin(error),
      apply: (entries, offset, length) => {
        const refs = this.#apply(entries, offset, length);
        this.#compactor.consider(offset + length, false);
        return refs;
      },
    };
  }
}
