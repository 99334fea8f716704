import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename } from 'node:path';
import { BackOff } from '../base/back-off.ts';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import { FaultLog } from '../base/fault-log.ts';
import type { Logger } from '../base/log.ts';

/** Events within this time, ms, count as one change. */
const SETTLE_MS = 200;
/** Period, ms, of the check that the path still leads to the watched directory: a mount over it gives no event. */
const CHECK_MS = 10_000;
/** Pauses before a directory that cannot be watched, or a change that could not be taken up, is tried again. */
const RETRY = { first: 1_000, longest: 30_000 };

export interface ConfigWatchOptions {
  readonly directory: string;
  /** Name of the file in it. Changes of other files, temporary ones among them, are ignored. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The file may have changed, come or gone. Resolves to whether that was taken up; else it is called again. */
  readonly changed: () => Promise<boolean>;
}

/**
 * Watches one config file by its directory, because a commit puts a new file in the place of the old one. Keeps
 * watching when the directory is replaced, and waits for one that is missing.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  #watcher: FSWatcher | undefined;
  /** Device and inode of the watched directory; undefined while it cannot be watched. */
  #watched: string | undefined;
  readonly #backOff = new BackOff(RETRY);
  readonly #changeBackOff = new BackOff(RETRY);
  readonly #faults: FaultLog;
  #cancelCheck = () => {};
  #cancelSettle: (() => void) | undefined;
  /** A change that could not be taken up waits for its next try. */
  #waitsLong = false;
  #stopped = false;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.log);
  }

  start(): void {
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelCheck();
    this.#cancelSettle?.();
    this.#cancelSettle = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #arm(): void {
    const { directory, clock } = this.#options;
    this.#cancelCheck();
    this.#watcher?.close();
    try {
      // The identity is read first: if the directory is replaced in between, the next check sees it.
      this.#watched = identityOf(directory);
      this.#watcher = watch(directory, { persistent: false }, (_event, name) => this.#event(name));
      this.#watcher.on('error', (error) => this.#lost(error));
      this.#backOff.reset();
      this.#faults.over('watch', `watching ${directory} again`);
      this.#cancelCheck = clock.after(CHECK_MS, () => this.#check());
    } catch (error) {
      this.#lost(error);
    }
  }

  #event(name: string | null): void {
    const { directory, file } = this.#options;
    if (name === null || name === file) this.#changed();
    // An event of the directory itself: it was moved or deleted.
    else if (name === basename(directory)) this.#check();
  }

  #check(): void {
    const { directory, clock } = this.#options;
    this.#cancelCheck();
    if (this.#watched !== undefined && this.#watched === currentIdentity(directory)) {
      this.#cancelCheck = clock.after(CHECK_MS, () => this.#check());
      return;
    }
    this.#arm();
    if (this.#watched !== undefined) this.#changed();
  }

  #lost(error: unknown): void {
    const { directory, clock } = this.#options;
    this.#faults.fault('watch', `cannot watch ${directory} for changes, trying again: ${describeError(error)}`);
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = undefined;
    this.#cancelCheck();
    this.#cancelCheck = clock.after(this.#backOff.next(), () => this.#check());
  }

  #changed(): void {
    if (this.#cancelSettle !== undefined && !this.#waitsLong) return;
    // An event does not wait as long as the next try of a change does.
    this.#cancelSettle?.();
    this.#settle(SETTLE_MS);
  }

  #settle(ms: number): void {
    this.#waitsLong = ms > SETTLE_MS;
    this.#cancelSettle = this.#options.clock.after(ms, () => {
      this.#cancelSettle = undefined;
      void this.#takeUp();
    });
  }

  async #takeUp(): Promise<void> {
    const done = await this.#options.changed();
    if (done) this.#changeBackOff.reset();
    // Meanwhile another event may have come.
    else if (!this.#stopped && this.#cancelSettle === undefined) this.#settle(this.#changeBackOff.next());
  }
}

function identityOf(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${dev}:${ino}`;
}

function currentIdentity(directory: string): string | undefined {
  try {
    return identityOf(directory);
  } catch {
    return undefined;
  }
}
