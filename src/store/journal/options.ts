import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { FileSystem } from './file-system.ts';
import type { Format } from './format.ts';

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
