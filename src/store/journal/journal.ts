import { describeError, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { counted } from '../../base/printable.ts';
import { MAX_MESSAGE_ID, type MessageId } from '../message.ts';
import { Compactor, QUARANTINE } from './compactor.ts';
import { isMissing, isPassing, storeError } from './file-system.ts';
import { decodeLine, type Entry, encodeLine, MAX_LINE, RecordRef, type Table, upgradeEntry } from './format.ts';
import { GroupCommit } from './group-commit.ts';
import { LogEnd } from './journal-file.ts';
import { loadFile } from './load.ts';
import { type Piece, piecesOf } from './neighbours.ts';
import { type JournalOptions, JournalState, type Sync } from './state.ts';

export type { Entry, LiveRecord, Table } from './format.ts';
export { RecordRef } from './format.ts';
export type { JournalOptions, Sync } from './state.ts';

const COMPACT_FROM = 256 * 1024;
const MAXIMUM = 64 << 20;
/** Share of the maximum that new work may fill: what others submit must not keep out what comes in over the air. */
const FOR_WORK = 0.75;
/** Shares of that at which the alarm begins and ends. */
const ALARM = 0.8;
const ALARM_ENDS = 0.7;
/** Above the maximum, for records that make room. */
const RESERVE = 1 << 20;
/** Message numbers in damaged lines are unknown; each line with one has at least this many octets. */
const SHORTEST_MESSAGE = 32;
const SAFE_GAP = 1000;

export interface AppendOptions {
  /** The records say what became of something, or free space: they may use the reserve above the size limit. */
  readonly makesRoom?: boolean;
  /** They may use the part of the file that is closed to new work: what came in, and what modules must not forget. */
  readonly reserved?: boolean;
  /**
   * They may use that part, and half of the reserve: the message is only passed on to modules. For a part of one that
   * may turn out to be such, a quarter.
   */
  readonly passing?: 'message' | 'part';
  /** Called when they are on their way to the disk: there is time for what comes next. Not where they are refused at once. */
  readonly underWay?: () => void;
}

/**
 * The one append-only file that inbox, outbox and deliveries share. Use: construct, `register` every table, `open`.
 */
export class Journal {
  readonly #state: JournalState;
  readonly #maximum: number;
  readonly #compactor: Compactor;
  readonly #commit: GroupCommit;
  #unlock: (() => Promise<void>) | undefined;
  #open = false;
  /** Octets of a record that was never finished, cut off at the start. */
  #torn = 0;
  /** How often the file was deleted or replaced, and written again. */
  #lost = 0;
  #nearlyFull = false;
  #stopWatch: (() => void) | undefined;

  constructor(options: JournalOptions) {
    const state = new JournalState(options);
    this.#state = state;
    this.#maximum = options.maximum ?? MAXIMUM;
    this.#compactor = new Compactor(state, options.compactFrom ?? COMPACT_FROM);
    this.#commit = new GroupCommit(state, (entries, offset, length) => {
      const refs = state.apply(entries, offset, length);
      this.#compactor.consider(offset + length);
      void this.#watchSize();
      return refs;
    });
    state.outage.repair = () => this.#repair();
  }

  /** Before `open`. */
  register(table: Table): void {
    this.#state.register(table);
  }

  /**
   * Loads the file into the tables. Throws GatewayError store_locked, store_unavailable. A full or read-only disk is no
   * error: what is stored can be read, and appends are refused until the disk takes them.
   */
  async open(): Promise<void> {
    const { directory, fileSystem } = this.#state;
    try {
      await fileSystem.makeDirectory(directory);
      for (const line of await fileSystem.guard(directory)) this.#state.log.warning(line);
      await this.#lock();
      await this.#load(this.#state.path);
      this.#open = true;
      this.#watch();
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
   * applied. Throws GatewayError store_full, store_unavailable (nothing was stored), too_large, stopping. Before the file counts
   * as full it is compacted.
   */
  async appendAll(entries: readonly Entry[], options: AppendOptions = {}): Promise<readonly RecordRef[]> {
    const line = encodeLine(entries);
    if (line.length > MAX_LINE) throw new GatewayError('too_large', `a record of ${line.length} octets is too long`);
    this.#mustTake();
    const limit = this.#limitFor(options);
    if (this.#sizeWith(line) > limit) {
      await this.#compactor.makeRoom();
      this.#mustTake();
      if (this.#sizeWith(line) > limit) {
        throw new GatewayError('store_full', `the journal has reached ${limit} of its ${this.#maximum} octets`);
      }
    }
    return this.#commit.add(entries, line, options.underWay);
  }

  /** Octets that new work may fill; the rest is for what comes in, and for what becomes of both. */
  get roomForWork(): number {
    return this.#maximum * FOR_WORK;
  }

  #mustTake(): void {
    if (!this.#open) throw new GatewayError('stopping', 'the store is closed');
    const { error } = this.#state.outage;
    if (error !== undefined) throw error;
  }

  #limitFor({ makesRoom = false, reserved = false, passing }: AppendOptions): number {
    if (makesRoom) return this.#maximum + RESERVE;
    if (passing !== undefined) return this.#maximum + RESERVE / (passing === 'message' ? 2 : 4);
    return reserved ? this.#maximum : this.roomForWork;
  }

  #sizeWith(line: Buffer): number {
    return (this.#state.end?.size ?? 0) + this.#commit.queued + line.length;
  }

  /** Warns once before new work is refused, when compaction does not help. */
  async #watchSize(): Promise<void> {
    const size = () => this.#state.end?.size ?? 0;
    const { log } = this.#state;
    const limit = this.roomForWork;
    if (this.#nearlyFull && size() < limit * ALARM_ENDS) {
      this.#nearlyFull = false;
      log.info('the journal has room again');
    }
    if (this.#nearlyFull || size() < limit * ALARM) return;
    await this.#compactor.makeRoom();
    if (this.#nearlyFull || size() < limit * ALARM) return;
    this.#nearlyFull = true;
    log.warning(`${this.#fullness}: new messages are refused soon, delete some or let them be sent`);
  }

  /** What somebody should do something about, sentences. */
  get warnings(): readonly string[] {
    const { outage, found } = this.#state;
    const { error } = outage;
    return [
      ...(error === undefined ? [] : [`nothing can be stored: ${error.message}`]),
      ...(error === undefined && this.#nearlyFull ? [this.#fullness] : []),
      ...(found === 0
        ? []
        : [`${putAside(found)}: the flash gives back what was not written; replace it, and keep the file`]),
    ];
  }

  get #fullness(): string {
    return `the journal is ${Math.floor(((this.#state.end?.size ?? 0) / this.roomForWork) * 100)} % full`;
  }

  /**
   * The record at `ref`. Takes the place at the call, so a ref that is compacted away meanwhile is still read. Throws
   * GatewayError store_unavailable when the disk does not give it back unharmed.
   */
  async read(ref: RecordRef): Promise<JsonObject> {
    const { offset, length, item } = ref;
    const { version, end, format } = this.#state;
    const line = Buffer.allocUnsafe(length);
    try {
      const count = await end?.file.readInto(line, offset);
      const entry = count === length ? decodeLine(line.subarray(0, -1))?.[item] : undefined;
      if (entry !== undefined) return upgradeEntry(format, version, entry).record;
    } catch (error) {
      throw storeError(error);
    }
    throw new GatewayError('store_unavailable', 'a stored record is damaged');
  }

  /**
   * As `read`, of many: neighbours are read together. Undefined stands where the disk does not give the record back
   * unharmed.
   */
  async readEach(refs: readonly RecordRef[]): Promise<readonly (JsonObject | undefined)[]> {
    const { version, end, format } = this.#state;
    const records: (JsonObject | undefined)[] = refs.map(() => undefined);
    const read = async ({ offset, length, lines }: Piece) => {
      const octets = Buffer.allocUnsafe(length);
      const there = (await end?.file.salvageInto(octets, offset)) ?? 0;
      for (const { offset: begin, length: size, wants } of lines) {
        const at = begin - offset;
        const entries = at + size <= there ? decodeLine(octets.subarray(at, at + size - 1)) : undefined;
        for (const { at: place, item } of wants) {
          const entry = entries?.[item];
          if (entry !== undefined) records[place] = upgradeEntry(format, version, entry).record;
        }
      }
    };
    await Promise.allSettled(piecesOf(refs).map(read));
    return records;
  }

  /** See JournalOptions. Holds for what is appended from now on. */
  set sync(sync: Sync) {
    this.#state.sync = sync;
  }

  /** The next message number. Never the same again, whatever is deleted. Throws GatewayError store_full after the last. */
  nextId(): MessageId {
    const { lastId } = this.#state;
    if (lastId >= MAX_MESSAGE_ID) throw new GatewayError('store_full', 'all message numbers are used up');
    this.#state.lastId = lastId + 1;
    return (lastId + 1) as MessageId;
  }

  /** Facts for `status`: sizes and amounts in octets, counts since the start. */
  status(): JsonObject {
    const { outage, end, found } = this.#state;
    const error = outage.error?.message;
    return {
      size: end?.size ?? 0,
      maximum: this.#maximum,
      written: this.#commit.written + this.#compactor.written,
      syncs: this.#commit.syncs,
      damaged: found,
      torn: this.#torn,
      compactions: this.#compactor.completed,
      lost: this.#lost,
      ...(error === undefined ? {} : { error }),
    };
  }

  /** Stores what waits, syncs, and lets go of the directory. Never rejects. */
  async close(): Promise<void> {
    this.#open = false;
    this.#stopWatch?.();
    await this.#saveWhenLost();
    await this.#compactor.stop();
    await this.#commit.close();
    await this.#release();
  }

  async #release(): Promise<void> {
    const { outage, end, log } = this.#state;
    outage.stop();
    const warn = (error: unknown) => log.warning(`closing the store: ${describeError(error)}`);
    await end?.file.retire().catch(warn);
    await this.#unlock?.().catch(warn);
    this.#state.end = undefined;
    this.#unlock = undefined;
  }

  /**
   * A disk that takes nothing now takes no lock either. It is tried again before anything is written: see `#repair`.
   */
  async #lock(): Promise<void> {
    const { fileSystem, directory, outage } = this.#state;
    try {
      this.#unlock = await fileSystem.lock(directory);
    } catch (error) {
      if (!isPassing(error)) throw error;
      outage.begin(error);
    }
  }

  /** Until the next append nobody else would see that the file is gone. */
  #watch(): void {
    const { fileSystem, directory, writing, outage } = this.#state;
    this.#stopWatch?.();
    this.#stopWatch = fileSystem.watch(directory, () => {
      void writing.run(async () => {
        if (this.#open && outage.error === undefined) this.#state.noticeLoss();
      });
    });
  }

  /** Makes the journal whole with a new file, in a directory of its own: also where somebody has deleted it. */
  async #repair(): Promise<void> {
    const { fileSystem, directory, path, log } = this.#state;
    const lost = this.#state.loss() !== undefined;
    if (lost || this.#unlock === undefined) {
      await fileSystem.makeDirectory(directory);
      // The lock may have lain in a directory that is gone.
      const unlock = this.#unlock;
      this.#unlock = undefined;
      await unlock?.().catch((error: unknown) => log.debug(() => `the old lock: ${describeError(error)}`));
      this.#unlock = await fileSystem.lock(directory);
    }
    if (lost) {
      // Whatever stands there now, it is not thrown away.
      await fileSystem.rename(path, `${path}.found`).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
    await this.#compactor.run();
    if (!lost) return;
    if (this.#open) this.#watch();
    this.#lost += 1;
    log.warning(`the journal in ${directory} is written again, with all that memory knew of`);
  }

  /** At the end memory and the open file are the last that know of the messages. */
  async #saveWhenLost(): Promise<void> {
    const { outage, writing, log } = this.#state;
    await writing.run(async () => {
      if (outage.error === undefined) this.#state.noticeLoss();
    });
    if (this.#state.loss() === undefined) return;
    await this.#repair().catch((error: unknown) => log.error(`the journal is lost: ${describeError(error)}`));
  }

  async #load(path: string): Promise<void> {
    const state = this.#state;
    const { log, fileSystem, format, outage } = state;
    await fileSystem.remove(`${path}.new`).catch(() => undefined);
    const loaded = await loadFile(fileSystem, path, format, (entries, offset, length) =>
      entries.every((entry, item) => state.applyEntry(entry, new RecordRef(offset, length, item))),
    );
    if (loaded === undefined) return this.#renew();
    const { size, torn, damaged, version } = loaded;
    state.version = version;
    state.damaged = damaged;
    state.found += damaged.length;
    this.#torn = torn;
    const end = new LogEnd(loaded.file, size);
    state.end = end;
    const lost = damaged.reduce((sum, range) => sum + range.length, torn);
    if (lost > 0) state.lastId += SAFE_GAP + Math.ceil(lost / SHORTEST_MESSAGE);
    if (torn > 0) log.warning(`cut off ${torn} octets of a record that was never finished`);
    if (damaged.length > 0) log.error(putAside(damaged.length));
    if (!loaded.writable) return outage.begin(new Error('the file system is read-only'));
    if (torn > 0) await end.cut();
    const current = loaded.complete && version === format.version;
    if (!(await this.#isSafe(end)) || !current) return this.#renew();
    if (damaged.length > 0) this.#compactor.start();
    else this.#compactor.consider(size);
  }

  /**
   * Whether all that was loaded is on the disk, under its name. A process that was killed may have left lines and a name
   * that only the system's memory has: whoever builds on them would lose them to a power cut.
   */
  async #isSafe(end: LogEnd): Promise<boolean> {
    try {
      await end.file.datasync();
      await this.#state.fileSystem.syncDirectory(this.#state.directory);
      return end.soundness === 'sound';
    } catch {
      return false;
    }
  }

  /** Writes a new file at the start. Where the disk does not take it now, the outage retries. */
  async #renew(): Promise<void> {
    try {
      await this.#compactor.run();
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#state.outage.begin(error);
    }
  }
}

const putAside = (records: number): string =>
  `${counted(records, 'damaged record is', 'damaged records are')} put into ${QUARANTINE}`;
