import { firstInstant, localTime, type TimeZone } from '../../system/time-zone.ts';
import type { Rule } from './rule.ts';

const MINUTE_MS = 60_000;
/** What a restart of the gateway or a small correction of the clock may cost, and is made up for without `catch_up`. */
const GRACE_MS = 90_000;

/** A rule, and the instant at which it was to fire. */
export interface Slot {
  readonly rule: Rule;
  readonly instant: number;
}

interface Line {
  readonly rule: Rule;
  /** Slots up to here are dealt with, ms since the epoch. */
  mark: number;
  /** The first slot behind the mark. */
  next: number | undefined;
}

/**
 * Which rules are to fire, by a wall clock that may jump. Of the slots that a rule has missed, be it by a jump or by a
 * power cut, at most the last one is made up for.
 */
export class Timetable {
  readonly #lines: readonly Line[];
  #zone: TimeZone;

  /** `marks`: up to when the slots of a rule were dealt with, by its id; those of any other are, up to `now`. */
  constructor(rules: readonly Rule[], zone: TimeZone, marks: ReadonlyMap<string, number>, now: number) {
    this.#zone = zone;
    this.#lines = rules.map((rule) => {
      const mark = Math.min(marks.get(rule.id) ?? now, now);
      return { rule, mark, next: this.#after(rule, mark) };
    });
  }

  /** The instant of the first slot of all after this time. */
  next(after: number): number | undefined {
    const times = this.#lines.flatMap(({ next }) => (next !== undefined && next > after ? next : []));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** The instant of the rule's next slot. */
  nextOf(rule: Rule): number | undefined {
    return this.#lines.find((line) => line.rule === rule)?.next;
  }

  /**
   * What to do now, and each time again until `settle` is called: `due` slots, and `missed` ones, that come too late. A
   * clock that was put back is followed; whether a slot that comes again fired already is not known here.
   */
  look(now: number, zone: TimeZone): { readonly due: readonly Slot[]; readonly missed: readonly Slot[] } {
    const moved = zone.name !== this.#zone.name;
    this.#zone = zone;
    const due: Slot[] = [];
    const missed: Slot[] = [];
    for (const line of this.#lines) {
      if (moved || now < line.mark) this.#set(line, Math.min(line.mark, now));
      if (line.next === undefined || line.next > now) continue;
      const late = Math.max(GRACE_MS, line.rule.msg.catch_up * MINUTE_MS);
      const last = this.#last(line.rule, Math.max(line.next, now - late), now);
      if (last === undefined) missed.push({ rule: line.rule, instant: line.next });
      else due.push({ rule: line.rule, instant: last });
    }
    return { due, missed };
  }

  /** The slots of the rule are dealt with up to the time. */
  settle(rule: Rule, time: number): void {
    const line = this.#lines.find((line) => line.rule === rule);
    if (line !== undefined) this.#set(line, time);
  }

  #set(line: Line, mark: number): void {
    line.mark = mark;
    line.next = this.#after(line.rule, mark);
  }

  /** The last slot from `from` to `to`, both included. */
  #last(rule: Rule, from: number, to: number): number | undefined {
    let last: number | undefined;
    let next = this.#after(rule, from - 1);
    while (next !== undefined && next <= to) {
      last = next;
      next = this.#after(rule, next);
    }
    return last;
  }

  #after(rule: Rule, instant: number): number | undefined {
    let local = rule.recurrence(localTime(this.#zone, instant));
    while (local !== undefined) {
      const slot = firstInstant(this.#zone, local);
      if (slot > instant) return slot;
      // When the clock was put back, the local times that come a second time are no slots.
      local = rule.recurrence(local + MINUTE_MS);
    }
    return undefined;
  }
}
