import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Notebook } from '../../store/notes.ts';
import { firstInstant, localTime, type TimeZone } from '../../system/time-zone.ts';
import type { Rule } from './rule.ts';

const MINUTE_MS = 60_000;
/** Delay of a restart or a small clock correction, for which a slot is made up without `catch_up`, ms. */
const GRACE_MS = 90_000;

/** A rule and an instant at which it fires. */
export interface Slot {
  readonly rule: Rule;
  readonly instant: number;
}

interface Line {
  readonly rule: Rule;
  /** Slots up to this time are finished, ms since the epoch. */
  mark: number;
  /** The first slot after the mark. */
  next: number | undefined;
}

/**
 * Finds the rules that fire, by a wall clock that may jump. Of the slots that a rule has missed, by a jump or a power cut,
 * at most the last is made up for.
 */
export class Timetable {
  readonly #lines: readonly Line[];
  #zone: TimeZone;

  /** `marks`: the time up to which the slots of a rule are finished, by its id; `now` for other rules. */
  constructor(rules: readonly Rule[], zone: TimeZone, marks: ReadonlyMap<string, number>, now: number) {
    this.#zone = zone;
    this.#lines = rules.map((rule) => {
      const mark = Math.min(marks.get(rule.id) ?? now, now);
      return { rule, mark, next: this.#after(rule, mark) };
    });
  }

  /** The instant of the first slot after this time, over all rules. */
  next(after: number): number | undefined {
    const times = this.#lines.flatMap(({ next }) => (next !== undefined && next > after ? next : []));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** The instant of the rule's next slot. */
  nextOf(rule: Rule): number | undefined {
    return this.#lines.find((line) => line.rule === rule)?.next;
  }

  /**
   * The slots that are `due`, and those `missed`, which are too late. Each is returned again until `settle` is called. After
   * the clock is put back, slots come again; whether one fired before is not known here.
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

  /** The slots of the rule are finished up to the time. */
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
      // Local times that occur a second time, at the end of summer time, are not slots.
      local = rule.recurrence(local + MINUTE_MS);
    }
    return undefined;
  }
}

/**
 * Stores the time up to which the slots of each rule are finished. Slots after it may have been missed. The outbox prevents
 * by the client reference that a slot is sent twice within a day.
 */
export class Marks {
  readonly #notebook: Notebook;
  readonly #log: Logger;

  constructor(notebook: Notebook, log: Logger) {
    this.#notebook = notebook;
    this.#log = log;
  }

  /** The latest mark, ms since the epoch; 0 without marks. */
  get latest(): number {
    return Math.max(0, ...this.#read().values());
  }

  /**
   * Sets the mark of new rules, and marks in the future, to the present; forgets removed rules. Resolves to the marks by
   * rule.
   */
  async settle(rules: readonly Rule[], now: number): Promise<ReadonlyMap<string, number>> {
    const old = this.#read();
    const marks = new Map(rules.map(({ id }) => [id, Math.min(old.get(id) ?? now, now)]));
    const changed = [...marks].filter(([id, mark]) => old.get(id) !== mark);
    await this.#store(() => this.#notebook.erase([...old.keys()].filter((id) => !marks.has(id))));
    await this.#store(() => this.#notebook.write(Object.fromEntries(changed.map(([id, mark]) => [id, text(mark)]))));
    return marks;
  }

  async mark({ rule, instant }: Slot): Promise<void> {
    await this.#store(() => this.#notebook.write({ [rule.id]: text(instant) }));
  }

  /** Without the mark only a message to make up for may be missed, so the work goes on. */
  async #store(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#log.warning(`cannot store up to when messages were sent: ${describeError(error)}`);
    }
  }

  #read(): ReadonlyMap<string, number> {
    return new Map(this.#notebook.entries().map(([id, time]) => [id, Date.parse(time) || 0]));
  }
}

const text = (time: number): string => new Date(time).toISOString();
