import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { LruMap } from '../../base/lru-map.ts';

/** Shares of the capacity at which the alarm begins and ends. */
const BEGINS = 0.9;
const ENDS = 0.8;
/** Parts that are counted as left on a modem: more than its memories hold. */
const MAX_LEFT = 1024;
/** The modems offer what they hold at least every minute: what they stop offering is there no more. Milliseconds. */
const OFFERED_WITHIN = 15 * 60_000;

const REMEDY = 'delete some, or set the option evict';
/** The inbox has places. */
const ELSEWHERE = 'they come in once the journal or the memory of the process has some';

export interface InboxAlarmOptions {
  readonly clock: Clock;
  readonly log: Logger;
  use(): { readonly used: number; readonly total: number };
}

/** Says once that the inbox is nearly full, and once that it is full and messages stay on the modem. */
export class InboxAlarm {
  readonly #options: InboxAlarmOptions;
  /** When each part was refused last, by the monotonic clock. */
  readonly #left = new LruMap<string, number>(MAX_LEFT);
  #nearlyFull = false;
  #saidLeft = false;

  constructor(options: InboxAlarmOptions) {
    this.#options = options;
  }

  /** Parts that stay on a modem because there is no room for them. */
  get left(): number {
    const since = this.#options.clock.monotonic() - OFFERED_WITHIN;
    return [...this.#left.values()].filter((at) => at >= since).length;
  }

  /** What somebody should do something about, a sentence; undefined when all is well. */
  get warning(): string | undefined {
    const { used, total } = this.#options.use();
    const left = this.left;
    const parts = left === 1 ? 'part of a message stays' : 'parts of messages stay';
    if (left > 0)
      return `${left} received ${parts} on the modem, there is no room: ${used < total ? ELSEWHERE : REMEDY}`;
    return this.#nearlyFull ? `the inbox holds ${used} of ${total} messages: ${REMEDY}` : undefined;
  }

  /** There was no room for the part of this fingerprint. */
  refused(print: string): void {
    this.#left.set(print, this.#options.clock.monotonic());
    const { used, total } = this.#options.use();
    if (this.#saidLeft || used < total) return;
    this.#saidLeft = true;
    this.#options.log.warning(`the inbox is full with ${used} messages, new ones stay on the modem: ${REMEDY}`);
  }

  /** The part is stored. */
  taken(print: string): void {
    this.#left.delete(print);
  }

  /** To be called when the inbox may hold more or fewer messages, or may hold another number. */
  look(): void {
    const { use, log } = this.#options;
    const { used, total } = use();
    if (!this.#nearlyFull && used >= total * BEGINS) {
      this.#nearlyFull = true;
      log.warning(`the inbox holds ${used} of ${total} messages, soon new ones stay on the modem: ${REMEDY}`);
    } else if (this.#nearlyFull && used < total * ENDS) {
      this.#nearlyFull = false;
      this.#saidLeft = false;
      log.info(`the inbox has room again, it holds ${used} of ${total} messages`);
    }
  }
}
