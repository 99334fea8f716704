import type { JsonObject } from '../../base/json.ts';

/**
 * Where a record lies. A table keeps the object itself and gives it to `Journal.read`; the journal moves it in place when
 * it compacts, so it never goes stale while the table lists it as live.
 */
export class RecordRef {
  /** Of the line in the file. Only the journal writes these three. */
  offset: number;
  length: number;
  /** Which entry of the line. */
  item: number;

  constructor(offset: number, length: number, item: number) {
    this.offset = offset;
    this.length = length;
    this.item = item;
  }
}

/** One record of one table; several may stand in one line. */
export interface Entry {
  readonly table: string;
  /** A field `id` is a message number: the journal's sequence goes on above the highest it has seen. */
  readonly record: JsonObject;
}

/**
 * What compaction keeps. `ref` alone: the record is copied as it lies. `record`: it is written anew, and `ref`, when
 * given, then points to the new one.
 */
export type LiveRecord =
  | { readonly ref: RecordRef; readonly record?: never }
  | { readonly record: JsonObject; readonly ref?: RecordRef };

/**
 * The state that one part of the store derives from its records. The same `apply` runs when the journal is loaded and when
 * a new record has become durable, in the order of the file: what is in memory is always what a restart would find.
 */
export interface Table {
  /** Short, it stands in every line; `journal` is taken. */
  readonly name: string;
  /** Takes over a durable record. Synchronous; must not throw; must bear records about things it does not know. */
  apply(record: JsonObject, ref: RecordRef): void;
  /**
   * Records that rebuild the present state when applied in this order to an empty table. Walked through at once, without
   * an await in between. A ref that is not listed is dead afterwards.
   */
  live(): Iterable<LiveRecord>;
}
