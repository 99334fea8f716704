import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { GatewayError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Logger } from '../../log.ts';
import { MAX_MESSAGE_ID, type MessageId } from '../message.ts';
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.ts';
import { decodeLine, encodeLine } from './line.ts';
import { type Entry, RecordRef, type Table } from './table.ts';

export type { Entry, LiveRecord, Table } from './table.ts';
export { RecordRef } from './table.ts';

export interface JournalOptions {
  /** State directory; made when it is missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * `always`: an append resolves when its record is on the disk. A number: it resolves when the system has it, and the
   * disk gets it within that many seconds. Then a crash of the daemon loses nothing, but a power cut loses what was
   * acknowledged in these seconds: sent messages may be sent again, received ones are gone.
   */
  readonly sync?: 'always' | number;
  readonly fileSystem?: FileSystem;
}

/**
 * The one append-only file that inbox, outbox and deliveries share. Use: construct, `register` every table, `open`.
 * All methods but these reject with `store_unavailable` before `open` and `stopping` after `close`.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #fs: FileSystem;
  readonly #tables = new Map<string, Table>();
  #file: OpenFile | undefined;
  #size = 0;
  #lastId = 0;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#fs = options.fileSystem ?? nodeFileSystem;
  }

  /** Before `open`. */
  register(table: Table): void {
    this.#tables.set(table.name, table);
  }

  /** Loads the file into the tables. Throws GatewayError store_locked, store_unavailable. */
  async open(): Promise<void> {
    await this.#fs.makeDirectory(this.#options.directory);
    const path = join(this.#options.directory, 'journal');
    this.#file = await this.#fs.open(path, 'write').catch(() => this.#fs.open(path, 'create'));
    const data = Buffer.alloc(await this.#file.size());
    await this.#file.read(data, 0);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, this.#size)) {
      this.#apply(decodeLine(data.subarray(this.#size, end)) ?? [], this.#size, end + 1 - this.#size);
      this.#size = end + 1;
    }
  }

  /** Adds one record. Resolves when it is durable and its table has applied it. */
  async append(table: string, record: JsonObject): Promise<RecordRef> {
    const [ref] = await this.appendAll([{ table, record }]);
    if (ref === undefined) throw new GatewayError('internal', 'the journal gave no place for a record');
    return ref;
  }

  /**
   * Adds records that stand together: after a crash all of them are there or none. Resolves when they are durable and
   * applied. Throws GatewayError store_full, store_unavailable (nothing was stored), too_large, stopping.
   */
  appendAll(entries: readonly Entry[]): Promise<readonly RecordRef[]> {
    const done = this.#writing.then(async () => {
      const line = encodeLine(entries);
      if (this.#file === undefined) throw new GatewayError('store_unavailable', 'the store is not open');
      await this.#file.write(line, this.#size);
      await this.#file.datasync();
      const refs = this.#apply(entries, this.#size, line.length);
      this.#size += line.length;
      return refs;
    });
    this.#writing = done.catch(() => undefined);
    return done;
  }

  /** The record at `ref`. Throws GatewayError store_unavailable when the disk does not give it back unharmed. */
  async read(ref: RecordRef): Promise<JsonObject> {
    const line = Buffer.alloc(ref.length);
    await this.#file?.read(line, ref.offset);
    const entry = decodeLine(line.subarray(0, -1))?.[ref.item];
    if (entry === undefined) throw new GatewayError('store_unavailable', 'a stored record is damaged');
    return entry.record;
  }

  /** The next message number. Never the same again, whatever is deleted. */
  nextId(): MessageId {
    if (this.#lastId >= MAX_MESSAGE_ID) throw new GatewayError('store_full', 'all message numbers are used up');
    this.#lastId += 1;
    return this.#lastId as MessageId;
  }

  /** Facts for `status`: sizes in octets. */
  status(): JsonObject {
    return { size: this.#size };
  }

  /** Writes what waits, syncs, and lets go of the directory. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  #apply(entries: readonly Entry[], offset: number, length: number): readonly RecordRef[] {
    return entries.map(({ table, record }, item) => {
      const ref = new RecordRef(offset, length, item);
      if (typeof record.id === 'number' && record.id > this.#lastId) this.#lastId = record.id;
      this.#tables.get(table)?.apply(record, ref);
      return ref;
    });
  }
}
