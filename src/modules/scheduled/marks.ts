import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Notebook } from '../../store/notes.ts';
import type { Rule } from './rule.ts';
import type { Slot } from './timetable.ts';

/**
 * Up to when the slots of each rule were dealt with, over restarts. That a slot is not sent twice within a day is the
 * outbox's doing, by the client reference; a mark says from where on a slot can have been missed.
 */
export class Marks {
  readonly #notebook: Notebook;
  readonly #log: Logger;

  constructor(notebook: Notebook, log: Logger) {
    this.#notebook = notebook;
    this.#log = log;
  }

  /** The latest of all, ms since the epoch; 0 when there is none. */
  get latest(): number {
    return Math.max(0, ...this.#read().values());
  }

  /**
   * Marks the present for rules that are new, and for those whose mark is of a clock that went ahead; forgets rules that
   * are gone. Resolves to the marks by rule.
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

  /** A mark that cannot be stored costs a message that would be made up for, no more. */
  async #store(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#log.warning(`cannot note what was sent: ${describeError(error)}`);
    }
  }

  #read(): ReadonlyMap<string, number> {
    return new Map(this.#notebook.entries().map(([id, time]) => [id, Date.parse(time) || 0]));
  }
}

const text = (time: number): string => new Date(time).toISOString();
