import type { JsonObject } from '../../base/json.ts';
import type { LiveRecord, RecordRef, Table } from '../journal/journal.ts';
import { type MessageId, type OutboxState, outboxStates } from '../message.ts';
import { DailyCount, dayOf } from './daily-count.ts';
import { MrTrail } from './mr-trail.ts';
import { Ordered } from './ordered.ts';
import {
  type Asked,
  type Change,
  type ClockSet,
  type Counted,
  type Numbered,
  outboxRecord,
  type Submitted,
} from './records.ts';
import { ReportIndex } from './report-index.ts';
import { OutboxRow } from './row.ts';

/** The durable state of the outbox: rows, and what is looked up in them. Changes only when the journal applies a record. */
export class OutboxTable implements Table {
  readonly name = 'out';
  /** Messages that wait or are being sent. */
  readonly pending = new Ordered<OutboxRow>();
  readonly finished = new Ordered<OutboxRow>();
  /** Messages that left the outbox and are kept for their client references only. */
  readonly remembered = new Ordered<OutboxRow>();
  /** Messages that came to a settled state of which the modules were not asked yet; the one that waits longest first. */
  readonly pendingOutcomes = new Map<MessageId, OutboxRow>();
  readonly daily = new DailyCount();
  readonly reports = new ReportIndex();
  /** By modem. */
  readonly trails = new Map<string, MrTrail>();
  /** The modem that sends what is meant for no other; undefined when all do. */
  preferred: string | undefined;
  readonly #refs = new Map<string, OutboxRow>();
  readonly #joins = new Map<string, OutboxRow>();
  readonly #counts = new Map<OutboxState, number>();
  /** Called when a message has come to a state, after the load only. */
  onState: ((row: OutboxRow) => void) | undefined;

  get(id: MessageId): OutboxRow | undefined {
    return this.pending.get(id) ?? this.finished.get(id);
  }

  byRef(refKey: string): OutboxRow | undefined {
    return this.#refs.get(refKey);
  }

  /** The waiting message with this join key. */
  byJoin(joinKey: string): OutboxRow | undefined {
    return this.#joins.get(joinKey);
  }

  count(state: OutboxState): number {
    return this.#counts.get(state) ?? 0;
  }

  apply(json: JsonObject, ref: RecordRef): void {
    const record = outboxRecord(json);
    if (record === undefined) return;
    switch (record.k) {
      case 'submit':
        this.#submitted(record, ref);
        break;
      case 'c':
        this.daily.add(record.m, record.d, record.n);
        break;
      case 'm':
        this.trails.set(record.m, new MrTrail(record.mr, record.n, record.o));
        break;
      case 's':
        this.#clockSet(record);
        break;
      case 'h':
        this.#asked(record);
        break;
      case 'w':
        this.preferred = record.m === '' ? undefined : record.m;
        break;
      case 'd':
        this.forget(record.id);
        break;
      default:
        this.#changed(record);
    }
  }

  *live(): Iterable<LiveRecord> {
    for (const rows of [this.remembered, this.finished, this.pending]) {
      for (const row of rows) {
        yield { ref: row.ref };
        const record = row.progressed();
        if (record !== undefined) yield { record };
      }
    }
    for (const { modem, day, parts } of this.daily) {
      const record: Counted = { k: 'c', m: modem, d: day, n: parts };
      yield { record };
    }
    for (const [modem, { last, steps, open }] of this.trails) {
      if (last === undefined) continue;
      const record: Numbered = { k: 'm', m: modem, mr: last, n: steps, o: open };
      yield { record };
    }
    if (this.preferred !== undefined) yield { record: { k: 'w', m: this.preferred } };
  }

  /** Takes a finished message out of the outbox. One with a client reference stays remembered. */
  forget(id: MessageId): void {
    const row = this.finished.get(id);
    if (row === undefined) return;
    this.finished.delete(id);
    this.pendingOutcomes.delete(id);
    this.#add(row.state, -1);
    this.reports.delete(row);
    if (row.refKey === undefined || this.#refs.get(row.refKey) !== row) return;
    row.hidden = true;
    this.remembered.add(row);
  }

  /** Lets go of a remembered message. */
  drop(row: OutboxRow): void {
    this.remembered.delete(row.id);
    if (row.refKey !== undefined && this.#refs.get(row.refKey) === row) this.#refs.delete(row.refKey);
  }

  #submitted(record: Submitted, ref: RecordRef): void {
    const known = this.get(record.id);
    if (known !== undefined) {
      known.replace(record, ref);
      return;
    }
    const row = new OutboxRow(record, ref);
    this.pending.add(row);
    this.#add(row.state, 1);
    if (row.refKey !== undefined && (this.#refs.get(row.refKey)?.id ?? 0) < row.id) this.#refs.set(row.refKey, row);
    if (row.joinKey !== undefined) this.#joins.set(row.joinKey, row);
  }

  #changed(change: Exclude<Change, { k: 'd' }>): void {
    const row = this.get(change.id);
    if (row === undefined) return;
    const before = row.state;
    // A message taken up again loses the TP-MR of the parts that are sent again.
    if (change.k === 't') this.reports.delete(row);
    this.#follow(row, change);
    row.apply(change);
    if (change.k === 'o' || change.k === 'r') this.reports.add(row, change.mr);
    if (change.k === 't' || change.k === 'p') this.reports.addAll(row);
    if (change.k === 'o' && row.via !== undefined) this.daily.add(row.via, dayOf(change.at));
    if (row.state === before) return;
    this.#outcome(row, change.k);
    this.#add(before, -1);
    this.#add(row.state, 1);
    this.#place(row);
    if (row.hidden) this.forget(row.id);
    this.onState?.(row);
  }

  #follow(row: OutboxRow, change: Exclude<Change, { k: 'd' }>): void {
    const modem = change.k === 'a' ? change.m : row.via;
    if (modem === undefined) return;
    const trail = this.trails.get(modem) ?? new MrTrail();
    this.trails.set(modem, trail);
    if (change.k === 'a') trail.attempted(row.id, change.p, change.z === 1);
    else if (change.k === 'o') trail.accepted(row.id, change.p, change.mr);
    else if (change.k === 'n' || change.k === 'e') trail.ended(row.id);
  }

  #outcome(row: OutboxRow, kind: Change['k']): void {
    if (kind !== 'p') {
      // What is taken up again has no outcome any more that could be told.
      if (outboxStates[row.state].settled) row.outcomes += 1;
      else row.asked = row.outcomes;
    }
    this.pendingOutcomes.delete(row.id);
    if (row.asked < row.outcomes) this.pendingOutcomes.set(row.id, row);
  }

  #asked({ o }: Asked): void {
    for (const [id, outcomes] of o) {
      const row = this.get(id);
      if (row === undefined) continue;
      row.asked = Math.max(row.asked, outcomes);
      if (row.asked >= row.outcomes) this.pendingOutcomes.delete(id);
    }
  }

  /** Puts the row where its state belongs. */
  #place(row: OutboxRow): void {
    const [from, to] = row.pending ? [this.finished, this.pending] : [this.pending, this.finished];
    if (from.delete(row.id)) to.add(row);
    if (row.pending || row.joinKey === undefined) return;
    if (this.#joins.get(row.joinKey) === row) this.#joins.delete(row.joinKey);
    row.joinKey = undefined;
  }

  #clockSet({ a, b, by }: ClockSet): void {
    for (const rows of [this.pending, this.finished]) {
      for (let row = rows.from(a); row !== undefined && row.id <= b; row = rows.from(row.id + 1)) {
        row.time += by;
        row.expires += by;
        row.changed += by;
      }
    }
  }

  #add(state: OutboxState, n: 1 | -1): void {
    this.#counts.set(state, this.count(state) + n);
  }
}
