import { join } from 'node:path';
import { optimized } from '../../base/compilers.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { FileSystem } from './file-system.ts';
import { JournalFile, LogEnd } from './journal-file.ts';
import type { Range } from './load.ts';
import { Rewrite } from './rewrite.ts';
import type { JournalState } from './state.ts';

/** Garbage must make up this share of the file, or rewriting it costs more flash than it gives back. */
const WORTHWHILE = 0.4;
/** Near the size limit any gain is taken. */
const WORTHWHILE_WHEN_FULL = 0.05;
/** The tail is copied in the background until it is shorter than this; the rest while appends wait. */
const SHORT_TAIL = 64 * 1024;
/** Before a full file without garbage is looked at again, ms. */
const NEXT_LOOK = 1_000;
const RETRY_AFTER = 60_000;
/** Estimated octets of a record that compaction encodes again. */
const ESTIMATED_RECORD = 60;

/** Rewrites the journal without its dead records while appends go on. */
export class Compactor {
  readonly #state: JournalState;
  readonly #minimum: number;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #nextAt: number;
  #notBefore = 0;
  /** When there was nothing to gain last, by the monotonic clock. */
  #hopelessAt = Number.NEGATIVE_INFINITY;
  completed = 0;
  /** Octets written by all of them. */
  written = 0;

  constructor(state: JournalState, minimum: number) {
    this.#state = state;
    this.#minimum = minimum;
    this.#nextAt = minimum;
  }

  /** Looks whether compaction is due, and starts it. Cheap while the file is short. */
  consider(size: number): void {
    if (size < this.#nextAt || !this.#mayRun) return;
    if (this.#garbage(size) < WORTHWHILE) this.#nextAt = Math.max(this.#minimum, size * 1.25);
    else this.start();
  }

  /** Compacts a file that is full, when that gives anything back; resolves when that is done. Never rejects. */
  async makeRoom(): Promise<void> {
    if (this.#running === undefined) {
      const size = this.#state.end?.size ?? 0;
      // Each refused message asks, and every look goes through all that is alive.
      const now = this.#state.clock.monotonic();
      if (!this.#mayRun || now - this.#hopelessAt < NEXT_LOOK) return;
      if (this.#garbage(size) < WORTHWHILE_WHEN_FULL) {
        this.#hopelessAt = now;
        return;
      }
      this.start();
    }
    await this.#running?.catch(() => undefined);
  }

  get #mayRun(): boolean {
    const { clock } = this.#state;
    return this.#running === undefined && !this.#stopping.signal.aborted && clock.monotonic() >= this.#notBefore;
  }

  /** The share of the file that is dead, by estimate. */
  #garbage(size: number): number {
    return 1 - this.#state.liveOctets(ESTIMATED_RECORD) / size;
  }

  /** Compacts in the background. */
  start(): void {
    this.run().catch((error: unknown) => this.#state.log.warning(`compaction failed: ${describeError(error)}`));
  }

  /** Compacts, or joins the compaction under way. Rejects with the error of the file call. */
  run(): Promise<void> {
    this.#running ??= optimized(this.#state.end?.size ?? 0, () => this.#compact()).finally(() => {
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
    const state = this.#state;
    const signal = this.#stopping.signal;
    signal.throwIfAborted();
    const source = { file: state.end?.file, version: state.version };
    const rewrite = await Rewrite.begin(state.fileSystem, state.directory, state.format, source);
    try {
      // Between two groups memory is exactly what the file says up to here.
      const [start, live, soundness] = await state.writing.run(async () => {
        await rewrite.copyHeader(state.lastId);
        return [state.end?.size ?? 0, state.live(), state.end?.soundness] as const;
      });
      await rewrite.copyLive(live, signal);
      rewrite.beginTail(start);
      let copied = start;
      while ((state.end?.size ?? 0) - copied > SHORT_TAIL) {
        signal.throwIfAborted();
        const end = state.end?.size ?? 0;
        await rewrite.copyTail(copied, end);
        copied = end;
      }
      await rewrite.sync();
      await state.writing.run(async () => {
        signal.throwIfAborted();
        if (state.end?.soundness !== soundness) throw new Error('the file failed while it was compacted');
        await rewrite.copyTail(copied, state.end?.size ?? 0);
        await this.#saveDamage([...state.damaged, ...rewrite.damaged]);
        state.found += rewrite.damaged.length;
        await this.#switchTo(rewrite);
      });
    } catch (error) {
      this.#notBefore = state.clock.monotonic() + RETRY_AFTER;
      if (state.end?.file !== rewrite.file) await rewrite.abandon().catch(() => undefined);
      throw error;
    }
  }

  async #saveDamage(ranges: readonly Range[]): Promise<void> {
    const { fileSystem, directory, end, log } = this.#state;
    if (ranges.length === 0 || end === undefined) return;
    const dropped = await quarantine(fileSystem, directory, end.file, ranges);
    if (dropped > 0) log.warning(`${dropped} octets of damaged records did not fit into the side file`);
  }

  async #switchTo(rewrite: Rewrite): Promise<void> {
    const state = this.#state;
    await rewrite.sync();
    try {
      await rewrite.commit();
    } catch (error) {
      // A rename that failed may still have happened.
      state.outage.begin(error);
      throw error;
    }
    const old = state.end?.file;
    state.relocate((ref) => rewrite.move(ref));
    state.replace(new LogEnd(rewrite.file, rewrite.size));
    this.completed += 1;
    this.written += rewrite.size;
    this.#nextAt = Math.max(this.#minimum, rewrite.size * 2);
    await old
      ?.retire()
      .catch((error: unknown) => state.log.warning(`closing the old journal: ${describeError(error)}`));
    try {
      await state.fileSystem.syncDirectory(state.directory);
    } catch (error) {
      // After a power cut the old file might stand under the name again, without what is appended now.
      state.outage.begin(error);
      throw error;
    }
  }
}

/** For a person with an editor; nothing reads it. */
export const QUARANTINE = 'journal.corrupt';

/** Damage beyond this is not kept: the side file must not fill a router's flash. */
const MAX_QUARANTINE = 1 << 20;

/** Copies damaged lines to the side file, durable when it resolves. Gives the octets that it had no room for. */
export async function quarantine(
  fs: FileSystem,
  directory: string,
  source: JournalFile,
  ranges: readonly Range[],
): Promise<number> {
  const path = join(directory, QUARANTINE);
  const file = new JournalFile(await fs.open(path, 'write').catch(() => fs.open(path, 'create')));
  try {
    let size = await file.size();
    let dropped = 0;
    for (const { offset, length } of ranges) {
      const room = Math.max(0, Math.min(length, MAX_QUARANTINE - size));
      const data = Buffer.alloc(room);
      await file.write(data.subarray(0, await source.salvageInto(data, offset)), size);
      size += room;
      dropped += length - room;
    }
    await file.datasync();
    await fs.syncDirectory(directory);
    return dropped;
  } finally {
    await file.retire();
  }
}
