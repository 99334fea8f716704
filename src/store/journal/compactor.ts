import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { FileSystem } from './file-system.ts';
import type { Format } from './format.ts';
import { LogEnd } from './log-end.ts';
import type { Mutex } from './mutex.ts';
import { quarantine } from './quarantine.ts';
import { type LiveEntry, Rewrite } from './rewrite.ts';
import type { Range } from './scan.ts';
import type { RecordRef } from './table.ts';

/** What the compactor needs of the journal it works for. */
export interface CompactionHost {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly format: Format;
  readonly clock: Clock;
  readonly log: Logger;
  /** Held while the file is written. */
  readonly writing: Mutex;
  /** The present file, and the version of its format. */
  readonly end: LogEnd | undefined;
  readonly version: number;
  readonly lastId: number;
  /** Damaged lines of the present file. */
  readonly damaged: readonly Range[];
  live(): LiveEntry[];
  /** The present file is this one from now on. */
  replace(end: LogEnd): void;
  /** What is on the disk under the journal's name is in doubt: nothing may be appended before the next success. */
  doubt(error: unknown): void;
}

/** Garbage must make up this share of the file, or rewriting it costs more flash than it gives back. */
const WORTHWHILE = 0.4;
/** Near the size limit any gain is taken. */
const WORTHWHILE_WHEN_FULL = 0.05;
/** The tail is copied in the background until it is shorter than this; the rest while appends wait. */
const SHORT_TAIL = 64 * 1024;
const RETRY_AFTER = 60_000;
/** What a record that is written anew is taken to need, when sizes are estimated. */
const ESTIMATED_RECORD = 60;

/** Rewrites the journal without its dead records while appends go on. */
export class Compactor {
  readonly #host: CompactionHost;
  readonly #minimum: number;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #tail: RecordRef[] | undefined;
  #nextAt: number;
  #notBefore = 0;
  completed = 0;
  /** Octets written by all of them. */
  written = 0;

  constructor(host: CompactionHost, minimum: number) {
    this.#host = host;
    this.#minimum = minimum;
    this.#nextAt = minimum;
  }

  /** A ref was given out. */
  issued(ref: RecordRef): void {
    this.#tail?.push(ref);
  }

  /** Looks whether compaction is due, and starts it. Cheap while the file is short. */
  consider(size: number, full: boolean): void {
    if ((size < this.#nextAt && !full) || this.#running !== undefined) return;
    if (this.#stopping.signal.aborted || this.#host.clock.monotonic() < this.#notBefore) return;
    const live = this.#host.live().reduce((sum, { live }) => sum + (live.ref?.length ?? ESTIMATED_RECORD), 0);
    if (1 - live / size < (full ? WORTHWHILE_WHEN_FULL : WORTHWHILE)) {
      this.#nextAt = Math.max(this.#minimum, size * 1.25);
      return;
    }
    this.start();
  }

  /** Compacts in the background. */
  start(): void {
    this.run().catch((error: unknown) => this.#host.log.warning(`compaction failed: ${describeError(error)}`));
  }

  /** Compacts, or joins the compaction under way. Rejects with the error of the file call. */
  run(): Promise<void> {
    this.#running ??= this.#compact().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Gives up the compaction under way. */
  async stop(): Promise<void> {
    this.#stopping.abort(new GatewayError('stopping', 'the store is closing'));
    await this.#running?.catch(() => undefined);
  }

  async #compact(): Promise<void> {
    const host = this.#host;
    const signal = this.#stopping.signal;
    signal.throwIfAborted();
    const source = { file: host.end?.file, version: host.version };
    const rewrite = await Rewrite.begin(host.fileSystem, host.directory, host.format, source);
    try {
      // Between two groups memory is exactly what the file says up to here.
      const [start, live, soundness] = await host.writing.run(async () => {
        this.#tail = [];
        await rewrite.copyHeader(host.lastId);
        return [host.end?.size ?? 0, host.live(), host.end?.soundness] as const;
      });
      await rewrite.copyLive(live, signal);
      const tailAt = rewrite.size;
      let copied = start;
      while ((host.end?.size ?? 0) - copied > SHORT_TAIL) {
        signal.throwIfAborted();
        const end = host.end?.size ?? 0;
        await rewrite.copyTail(copied, end);
        copied = end;
      }
      await rewrite.sync();
      await host.writing.run(async () => {
        signal.throwIfAborted();
        if (host.end?.soundness !== soundness) throw new Error('the file failed while it was compacted');
        await rewrite.copyTail(copied, host.end?.size ?? 0);
        await this.#saveDamage([...host.damaged, ...rewrite.damaged]);
        await this.#switchTo(rewrite, tailAt - start);
      });
    } catch (error) {
      this.#notBefore = host.clock.monotonic() + RETRY_AFTER;
      if (host.end?.file !== rewrite.file) await rewrite.abandon().catch(() => undefined);
      throw error;
    } finally {
      this.#tail = undefined;
    }
  }

  async #saveDamage(ranges: readonly Range[]): Promise<void> {
    const { fileSystem, directory, end, log } = this.#host;
    if (ranges.length === 0 || end === undefined) return;
    const dropped = await quarantine(fileSystem, directory, end.file, ranges);
    if (dropped > 0) log.warning(`${dropped} octets of damaged records did not fit into the side file`);
  }

  async #switchTo(rewrite: Rewrite, tailMoved: number): Promise<void> {
    const host = this.#host;
    await rewrite.sync();
    try {
      await rewrite.commit();
    } catch (error) {
      // A rename that failed may have happened all the same.
      host.doubt(error);
      throw error;
    }
    const old = host.end?.file;
    rewrite.relocate(this.#tail ?? [], tailMoved);
    host.replace(new LogEnd(rewrite.file, rewrite.size));
    this.completed += 1;
    this.written += rewrite.size;
    this.#nextAt = Math.max(this.#minimum, rewrite.size * 2);
    await old?.retire().catch((error: unknown) => host.log.warning(`closing the old journal: ${describeError(error)}`));
    try {
      await host.fileSystem.syncDirectory(host.directory);
    } catch (error) {
      // After a power cut the old file might stand under the name again, without what is appended now.
      host.doubt(error);
      throw error;
    }
  }
}
