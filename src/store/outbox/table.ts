import type { JsonObject } from '../../base/json.ts';
import type { LiveRecord, RecordRef, Table } from '../journal/journal.ts';
import { type MessageId, type OutboxState, outboxStates } from '../message.ts';
import { MrTrail, ReportIndex } from './evidence.ts';
import type { OutboxPolicy } from './options.ts';
import {
  type Asked,
  type Change,
  type ClockSet,
  decodeRecord,
  encodeRecord,
  type OutboxRecord,
  type Spent,
  type Submitted,
} from './records.ts';
import { OutboxRow } from './row.ts';
import { OutboxRows } from './shares.ts';

/** The durable state of the outbox: rows, and what is looked up in them. Changes only when the journal applies a record. */
export class OutboxTable implements Table {
  readonly name = 'out';
  /** Messages that wait or are being sent. */
  readonly pending = new OutboxRows();
  readonly finished = new OutboxRows();
  /** Messages that left the outbox and are kept for their client references only. */
  readonly remembered = new OutboxRows();
  /** Messages that came to a settled state of which the modules were not asked yet; the one that waits longest first. */
  readonly pendingOutcomes = new Map<MessageId, OutboxRow>();
  readonly daily = new DailyCount();
  readonly reports = new ReportIndex();
  /** By modem. */
  readonly trails = new Map<string, MrTrail>();
  /** Messages of the last day that have left the outbox, oldest first. */
  readonly #spent = new Map<MessageId, Spent>();
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
    const record = decodeRecord(json);
    if (record === undefined) return;
    switch (record.kind) {
      case 'submitted':
        this.#submitted(record, ref);
        break;
      case 'counted':
        this.daily.add(record.modem, record.day, record.parts);
        break;
      case 'spent':
        this.#spent.set(record.id, record);
        break;
      case 'numbered':
        this.trails.set(record.modem, new MrTrail(record.last, record.steps, record.open));
        break;
      case 'clock_set':
        this.#clockSet(record);
        break;
      case 'asked':
        this.#asked(record);
        break;
      case 'preferred':
        this.preferred = record.modem;
        break;
      case 'deleted':
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
        const progressed = row.progressed();
        if (progressed !== undefined) yield live(progressed);
      }
    }
    for (const spent of this.#freshlySpent()) yield live(spent);
    for (const count of this.daily) yield live({ kind: 'counted', ...count });
    for (const [modem, { last, steps, open }] of this.trails) {
      if (last !== undefined) yield live({ kind: 'numbered', modem, last, steps, open });
    }
    if (this.preferred !== undefined) yield live({ kind: 'preferred', modem: this.preferred });
  }

  relocate(move: (ref: RecordRef) => void): void {
    for (const rows of [this.remembered, this.finished, this.pending]) for (const row of rows) move(row.ref);
  }

  /** Takes a finished message out of the outbox. One with a client reference stays remembered. */
  forget(id: MessageId): void {
    const row = this.finished.get(id);
    if (row === undefined) return;
    this.finished.delete(id);
    this.pendingOutcomes.delete(id);
    this.#add(row.state, -1);
    this.reports.delete(row);
    if (row.refKey === undefined || this.#refs.get(row.refKey) !== row) {
      this.#spend(row);
      return;
    }
    row.hidden = true;
    this.remembered.add(row);
  }

  /** Lets go of a remembered message. */
  drop(row: OutboxRow): void {
    if (this.remembered.delete(row.id)) this.#spend(row);
    if (row.refKey !== undefined && this.#refs.get(row.refKey) === row) this.#refs.delete(row.refKey);
  }

  /** What was submitted within the last day, as far as it is known, and perhaps earlier. */
  submissions(): Omit<Spent, 'kind' | 'id'>[] {
    const rows = [this.remembered, this.finished, this.pending].flatMap((each) => [...each]);
    return [...rows.map(spentOf), ...this.#spent.values()];
  }

  #spend(row: OutboxRow): void {
    this.#spent.set(row.id, spentOf(row));
    if (this.#spent.size <= MAX_SPENT) return;
    const fresh = this.#freshlySpent().slice(-SPENT_KEPT);
    this.#spent.clear();
    for (const spent of fresh) this.#spent.set(spent.id, spent);
  }

  /** Those of the last day before the latest. */
  #freshlySpent(): readonly Spent[] {
    const all = [...this.#spent.values()];
    const latest = all.reduce((time, spent) => Math.max(time, spent.time), 0);
    return all.filter(({ time }) => latest - time < DAY_MS);
  }

  #submitted(record: Submitted, ref: RecordRef): void {
    const known = this.get(record.id);
    if (known !== undefined) {
      const rows = this.pending.get(known.id) === undefined ? this.finished : this.pending;
      rows.delete(known.id);
      known.replace(record, ref);
      rows.add(known);
      return;
    }
    const row = new OutboxRow(record, ref);
    this.pending.add(row);
    this.#add(row.state, 1);
    if (row.refKey !== undefined && (this.#refs.get(row.refKey)?.id ?? 0) < row.id) this.#refs.set(row.refKey, row);
    if (row.joinDigest !== undefined) this.#joins.set(row.joinDigest, row);
  }

  #changed(change: Change): void {
    const row = this.get(change.id);
    if (row === undefined) return;
    const before = row.state;
    // A message that is sent again loses the TP-MR of the parts that are sent again.
    if (change.kind === 'retried') this.reports.delete(row);
    this.#follow(row, change);
    row.apply(change);
    if (change.kind === 'accepted' || change.kind === 'reported') this.reports.add(row, change.mr);
    if (change.kind === 'retried' || change.kind === 'progressed') this.reports.addAll(row);
    if (change.kind === 'accepted' && row.via !== undefined) this.daily.add(row.via, dayOf(change.at));
    if (row.state === before) return;
    this.#outcome(row, change.kind);
    this.#add(before, -1);
    this.#add(row.state, 1);
    this.#place(row);
    if (row.hidden) this.forget(row.id);
    this.onState?.(row);
  }

  #follow(row: OutboxRow, change: Change): void {
    const modem = change.kind === 'attempted' ? change.modem : row.via;
    if (modem === undefined) return;
    const trail = this.trails.get(modem) ?? new MrTrail();
    this.trails.set(modem, trail);
    if (change.kind === 'attempted') trail.attempted(row.id, change.part, change.reset);
    else if (change.kind === 'accepted') trail.accepted(row.id, change.part, change.mr);
    else if (change.kind === 'not_sent' || change.kind === 'ended') trail.ended(row.id);
  }

  #outcome(row: OutboxRow, kind: Change['kind']): void {
    if (kind !== 'progressed') {
      // A message that is sent again has no outcome any more that a module could be asked about.
      if (outboxStates[row.state].settled) row.outcomes += 1;
      else row.asked = row.outcomes;
    }
    this.pendingOutcomes.delete(row.id);
    if (row.asked < row.outcomes) this.pendingOutcomes.set(row.id, row);
  }

  #asked(record: Asked): void {
    for (const [id, outcomes] of record.outcomes) {
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
    if (row.pending || row.joinDigest === undefined) return;
    if (this.#joins.get(row.joinDigest) === row) this.#joins.delete(row.joinDigest);
    row.joinDigest = undefined;
  }

  #clockSet({ first, last, by }: ClockSet): void {
    for (const rows of [this.pending, this.finished]) {
      for (let row = rows.from(first); row !== undefined && row.id <= last; row = rows.from(row.id + 1)) {
        row.time += by;
        row.expires += by;
        row.changed += by;
      }
    }
    for (const [id, spent] of this.#spent) {
      if (id >= first && id <= last) this.#spent.set(id, { ...spent, time: spent.time + by });
    }
  }

  #add(state: OutboxState, n: 1 | -1): void {
    this.#counts.set(state, this.count(state) + n);
  }
}

const spentOf = ({ id, time, parts, source, number }: OutboxRow): Spent => {
  return { kind: 'spent', id, time, parts: parts.length, source, number };
};

/** Most messages that have left the outbox and are counted; when there are more, so many of the latest stay. */
const MAX_SPENT = 6_000;
const SPENT_KEPT = 5_000;

const live = (record: OutboxRecord): LiveRecord => ({ record: encodeRecord(record) });

/** The local calendar day that a time falls in, as text to compare. */
export function dayOf(time: number): string {
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** When the next local calendar day begins, ms since the epoch. */
export function nextDay(time: number): number {
  const date = new Date(time);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
}

/** Parts that each modem has sent on the latest local calendar day that it sent on. */
class DailyCount {
  readonly #counts = new Map<string, { readonly day: string; readonly parts: number }>();

  add(modem: string, day: string, parts = 1): void {
    const count = this.#counts.get(modem);
    this.#counts.set(modem, { day, parts: (count?.day === day ? count.parts : 0) + parts });
  }

  on(modem: string, day: string): number {
    const count = this.#counts.get(modem);
    return count?.day === day ? count.parts : 0;
  }

  *[Symbol.iterator](): Iterator<{ readonly modem: string; readonly day: string; readonly parts: number }> {
    for (const [modem, count] of this.#counts) yield { modem, ...count };
  }
}

const DAY_MS = 24 * 60 * 60_000;

/** Most messages that are remembered for their client references: a wild client must not fill the memory. */
const MAX_REMEMBERED = 10_000;

/** Octets of finished, and of remembered, messages in the journal: long ones must not take the room of those that wait. */
const MAX_HISTORY = 6 << 20;

/** Whether the client reference of a message still counts. */
export const refIsFresh = (row: OutboxRow, now: number): boolean => now - row.time < DAY_MS;

/**
 * Lets go of finished messages that are too old or too many. No record is needed: a restart comes to the same.
 * `asks`: the modules are asked about each outcome, and until then a message stays.
 */
export function trim(table: OutboxTable, policy: OutboxPolicy, now: number, asks: boolean): void {
  const oldest = now - policy.keepDays * DAY_MS;
  for (let { first } = table.finished; first !== undefined; first = table.finished.first) {
    const { size, octets } = table.finished;
    if (size <= policy.keepCount && octets <= MAX_HISTORY && first.changed >= oldest) break;
    if (asks && table.pendingOutcomes.has(first.id)) break;
    table.forget(first.id);
  }
  for (let { first } = table.remembered; first !== undefined; first = table.remembered.first) {
    const { size, octets } = table.remembered;
    if (size <= MAX_REMEMBERED && octets <= MAX_HISTORY && refIsFresh(first, now)) break;
    table.drop(first);
  }
}
