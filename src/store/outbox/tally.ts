/** Width of a slot, ms: the precision of the windows. */
const SLOT_MS = 5_000;
const DAY_SLOTS = (24 * 60 * 60_000) / SLOT_MS;

/** The windows that are counted, ms. */
export const spans = { minute: 60_000, hour: 3_600_000, day: 24 * 3_600_000 } as const;
export type Window = keyof typeof spans;
export const windows = ['minute', 'hour', 'day'] as const satisfies readonly Window[];

const slotOf = (time: number): number => Math.floor(time / SLOT_MS);
/** The oldest slot that still counts. */
const firstOf = (now: number, window: Window): number => slotOf(now) - spans[window] / SLOT_MS;

/** What was used of something within the last day, in slots of five seconds. Times are of a clock that is never set. */
export class Tally {
  /** Oldest first. */
  #slots: { readonly slot: number; count: number }[] = [];

  /** Adds; takes back what is negative. */
  add(time: number, count: number): void {
    const slot = slotOf(time);
    let at = this.#slots.length;
    while (at > 0 && (this.#slots[at - 1]?.slot ?? slot) > slot) at -= 1;
    const there = this.#slots[at - 1];
    if (there?.slot === slot) there.count += count;
    else this.#slots.splice(at, 0, { slot, count });
    const latest = this.#slots.at(-1)?.slot ?? slot;
    const old = this.#slots.findIndex((each) => each.slot >= latest - DAY_SLOTS);
    if (old > 0) this.#slots.splice(0, old);
  }

  /** The sum within the window that ends now. */
  used(now: number, window: Window): number {
    const first = firstOf(now, window);
    let sum = 0;
    for (let at = this.#slots.length - 1; at >= 0; at -= 1) {
      const each = this.#slots[at];
      if (each === undefined || each.slot < first) break;
      sum += each.count;
    }
    return sum;
  }

  /** Milliseconds until `count` more fit within the limit, or until the window is empty. */
  roomIn(now: number, window: Window, limit: number, count: number): number {
    const first = firstOf(now, window);
    let excess = this.used(now, window) + count - limit;
    for (const each of this.#slots) {
      if (each.slot < first) continue;
      excess -= each.count;
      if (excess <= 0) return this.#end(each.slot, window) - now;
    }
    const last = this.#slots.at(-1);
    return last === undefined ? 0 : Math.max(0, this.#end(last.slot, window) - now);
  }

  /** Whether nothing of the last day is left. */
  isOver(now: number): boolean {
    return (this.#slots.at(-1)?.slot ?? Number.NEGATIVE_INFINITY) < firstOf(now, 'day');
  }

  /** When the slot leaves the window. */
  #end(slot: number, window: Window): number {
    return (slot + 1) * SLOT_MS + spans[window];
  }
}
