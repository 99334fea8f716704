import type { Clock } from '../../base/clock.ts';
import { LruMap } from '../../base/lru-map.ts';
import type { MessageId, OutboxMessage } from '../../store/message.ts';
import type { ModuleContext } from '../host/contract.ts';

const HOUR_MS = 3_600_000;
/** Keys that are counted; the key that was counted longest ago makes room. */
const MAX_KEYS = 1_000;
const PAGE = 1_000;
const PAGE_CHARACTERS = 262_144;

/** Counts events of the last hour by a key, such as the sender's number. */
export class HourlyCount {
  readonly #clock: Clock;
  /** Times by the monotonic clock, oldest first. */
  readonly #times = new LruMap<string, readonly number[]>(MAX_KEYS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(key: string): number {
    return this.#recent(key).length;
  }

  /** Counts an event that happened `age` milliseconds ago. */
  add(key: string, age = 0): void {
    this.#times.set(key, [...this.#recent(key), this.#clock.monotonic() - age]);
  }

  #recent(key: string): readonly number[] {
    const since = this.#clock.monotonic() - HOUR_MS;
    return (this.#times.get(key) ?? []).filter((time) => time > since);
  }
}

/** The module's own messages of the last hour, oldest first, each with its age in ms. Fills the counts after a restart. */
export async function* sentWithinHour({
  outbox,
  clock,
  name,
  signal,
}: Pick<ModuleContext<unknown>, 'outbox' | 'clock' | 'name' | 'signal'>): AsyncIterable<
  OutboxMessage & { readonly age: number }
> {
  const now = clock.now();
  let after: MessageId | undefined;
  do {
    const page = await outbox.list({
      since: now - HOUR_MS,
      limit: PAGE,
      characters: PAGE_CHARACTERS,
      ...(after !== undefined && { after }),
    });
    signal.throwIfAborted();
    for (const message of page.messages) {
      if (message.source === name) yield { ...message, age: Math.max(0, now - message.time) };
    }
    after = page.more ? page.messages.at(-1)?.id : undefined;
  } while (after !== undefined);
}
