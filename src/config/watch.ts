import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';

/** A commit and what follows it closely count as one change. */
const SETTLE_MS = 200;
/** How often to look whether the path still leads to the watched directory: a mount over it gives no event. */
const CHECK_MS = 10_000;
/** Waits before a directory that cannot be watched is tried again: doubling, to the second figure at the most. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

export interface ConfigWatchOptions {
  readonly directory: string;
  /** Name of the file in it. Other names, temporary and left-over ones among them, are none of our business. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The file may have changed, come or gone. */
  readonly changed: () => void;
}

/**
 * Watches one config file by its directory, as a commit puts a new file in the place of the old one. Goes on when the
 * directory is replaced or missing for a while.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  #watcher: FSWatcher | undefined;
  /** Which directory is watched, by device and inode; undefined while none is. */
  #watched: string | undefined;
  #retry = FIRST_RETRY_MS;
  #cancelCheck = () => {};
  #cancelSettle: (() => void) | undefined;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#arm();
  }

  stop(): void {
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
      // The identity first: should the directory be replaced in between, the next check sees it.
      this.#watched = identityOf(directory);
      this.#watcher = watch(directory, { persistent: false }, (_event, name) => this.#event(name));
      this.#watcher.on('error', (error) => this.#lost(error));
      this.#retry = FIRST_RETRY_MS;
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
    const { directory, clock, log } = this.#options;
    if (this.#retry === FIRST_RETRY_MS) log.warning(`cannot watch ${directory}: ${describeError(error)}`);
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = undefined;
    this.#cancelCheck();
    this.#cancelCheck = clock.after(this.#retry, () => this.#check());
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY_MS);
  }

  #changed(): void {
    this.#cancelSettle ??= this.#options.clock.after(SETTLE_MS, () => {
      this.#cancelSettle = undefined;
      this.#options.changed();
    });
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
