import type { JsonObject } from '../../base/json.ts';
import { PartSet } from '../../sms/index.ts';
import type { LiveRecord, RecordRef, Table } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';
import { type Group, type GroupPart, Groups, keyOf } from './groups.ts';
import { type Arrival, Fingerprints, fingerprint, type Incoming, readHead, readIncoming } from './incoming.ts';
import {
  type Completion,
  decodeRecord,
  encodeDispatched,
  encodeHeld,
  encodeRead,
  encodeReleased,
  encodeSeen,
  type PartRecord,
  type Place,
} from './records.ts';
import { InboxRows, Indexes, type Mark, type MessageRow, octetsOf, RowsById } from './rows.ts';

/** Parts that are recognised when the modem gives them again. */
const REMEMBERED_PARTS = 2048;
/** Items that one record lists. */
const CHUNK = 256;

/** The durable state of the inbox. Changes only when the journal applies a record. */
export class InboxTable implements Table {
  readonly name = 'in';
  readonly #rows = new InboxRows();
  /** What people see. */
  readonly visible = new RowsById(this.#rows);
  /** Deleted, but still to be dispatched or delivered; or passing. */
  readonly #hidden = new RowsById(this.#rows);
  readonly groups = new Groups();
  readonly indexes = new Indexes();
  readonly fingerprints = new Fingerprints(REMEMBERED_PARTS);
  /** What the intake has read of a part already, by the record that is being stored: no PDU is decoded twice. */
  readonly arrivals = new WeakMap<JsonObject, Arrival>();
  #unread = 0;
  /** Whether deliveries of a message are pending: then its text must stay after it was deleted. */
  holds: (id: MessageId) => boolean = () => false;

  /** Messages that are out of sight and still held. */
  get hidden(): number {
    return this.#hidden.size;
  }

  /** Messages that are there only until their deliveries are made. */
  get passing(): number {
    let count = 0;
    for (const row of this.#hidden.rows()) if (this.#rows.is(row, 'passing')) count += 1;
    return count;
  }

  get unread(): number {
    return this.#unread;
  }

  /** Deleted messages with deliveries under way included. */
  find(id: MessageId): MessageRow | undefined {
    return this.visible.get(id) ?? this.#hidden.get(id);
  }

  /** Messages that no module was asked about, oldest first. */
  undispatched(): readonly MessageId[] {
    return this.#ids((row) => !this.#rows.is(row, 'dispatched'));
  }

  /** When each of the visible messages came, ms since the epoch. */
  *arrivalTimes(): Iterable<number> {
    for (const row of this.visible.rows()) yield this.#rows.received(row);
  }

  /** Octets of the journal that the visible messages take. */
  get octets(): number {
    let octets = 0;
    for (const row of this.visible.rows()) octets += this.#rows.octets(row);
    return octets;
  }

  apply(json: JsonObject, ref: RecordRef): void {
    const record = decodeRecord(json);
    switch (record?.kind) {
      case undefined:
        return;
      case 'part':
        this.#applyPart(record, ref, this.arrivals.get(json));
        return;
      case 'shown': {
        const group = this.groups.get(record.group);
        if (group !== undefined) this.#show(group, record.completion, ref);
        return;
      }
      case 'read':
        for (const id of record.ids) this.#markRead(id);
        return;
      case 'dispatched':
        for (const id of record.ids) this.#markDispatched(id);
        return;
      case 'deleted':
        if (record.hold === 'passing') this.#hide(record.id);
        else this.#delete(record.id, record.at, record.hold !== undefined);
        return;
      case 'seen':
        for (const print of record.prints) this.fingerprints.add(print);
        return;
      case 'released':
        for (const [index, at] of record.indexes) this.indexes.hold(index, at);
        return;
      default:
        record satisfies never;
    }
  }

  *live(): Iterable<LiveRecord> {
    for (const row of this.#all()) {
      yield { ref: this.#rows.firstRef(row) };
      for (const ref of this.#rows.moreRefs(row)) yield { ref };
    }
    for (const { shown, refs } of this.groups) {
      if (shown === undefined) for (const ref of refs) yield { ref };
    }
    const ids = (what: Mark) => chunks(this.#ids((row) => this.#rows.is(row, what)));
    for (const read of ids('read')) yield { record: encodeRead(read) };
    for (const dispatched of ids('dispatched')) yield { record: encodeDispatched(dispatched) };
    for (const { id, passing } of this.#hidden.values()) yield { record: encodeHeld(id, passing) };
    for (const prints of chunks([...this.fingerprints])) yield { record: encodeSeen(prints) };
    for (const released of chunks([...this.indexes.released])) yield { record: encodeReleased(released) };
  }

  liveOctets(encoded: number): number {
    let [octets, read, dispatched] = [0, 0, 0];
    for (const rows of [this.visible.rows(), this.#hidden.rows()]) {
      for (const row of rows) {
        octets += this.#rows.octets(row);
        if (this.#rows.is(row, 'read')) read += 1;
        if (this.#rows.is(row, 'dispatched')) dispatched += 1;
      }
    }
    for (const { shown, refs } of this.groups) if (shown === undefined) octets += octetsOf(refs);
    const lists = [read, dispatched, this.fingerprints.size, this.indexes.releasedCount];
    const records = lists.reduce((sum, count) => sum + Math.ceil(count / CHUNK), this.#hidden.size);
    return octets + records * encoded;
  }

  relocate(move: (ref: RecordRef) => void): void {
    for (const row of this.#all()) this.#rows.relocate(row, move);
    for (const { shown, refs } of this.groups) if (shown === undefined) for (const ref of refs) move(ref);
  }

  /** All rows, in the order of the ids. */
  #all(): Iterable<number> {
    // Those that are visible are in their order.
    if (this.#hidden.size === 0) return this.visible.rows();
    const rows = [...this.#hidden.rows(), ...this.visible.rows()];
    return rows.sort((a, b) => this.#rows.id(a) - this.#rows.id(b));
  }

  #ids(which: (row: number) => boolean): readonly MessageId[] {
    const ids: MessageId[] = [];
    for (const row of this.#all()) if (which(row)) ids.push(this.#rows.id(row));
    return ids;
  }

  /** A deleted message that nothing holds any more can go. */
  settle(id: MessageId): void {
    const row = this.#hidden.row(id);
    if (row === undefined || !this.#rows.is(row, 'dispatched') || this.holds(id)) return;
    this.#hidden.delete(id);
    if (this.#rows.is(row, 'passing')) this.indexes.free(this.#rows.get(row));
    this.#rows.release(row);
  }

  /** A delivery has failed: if its message is passing, people must see it. */
  keep(id: MessageId): void {
    const row = this.#hidden.row(id);
    if (row === undefined || !this.#rows.is(row, 'passing')) return;
    this.#rows.set(row, 'passing', false);
    this.#hidden.delete(id);
    this.visible.add(row);
    if (!this.#rows.is(row, 'read')) this.#unread += 1;
  }

  /** After the load: what a damaged record should have let go. */
  settleAll(): void {
    for (const { id } of this.#hidden.values()) this.settle(id);
    this.fingerprints.settle();
  }

  #applyPart(record: PartRecord, ref: RecordRef, arrival: Arrival | undefined): void {
    const { modem, pdu, place, completion, received } = record;
    if (arrival === undefined) this.fingerprints.addPart(record);
    else this.fingerprints.add(arrival.print);
    if (place !== undefined) {
      const incoming = arrival?.incoming ?? readIncoming(pdu);
      const { sender: number, time = received } = incoming;
      const print = arrival?.print ?? fingerprint(modem, pdu);
      const part = { sequence: place.sequence, fingerprint: print, time };
      const group = this.#groupFor(place, record, incoming);
      if (number.startsWith('+')) group.sender = number;
      this.#join(group, part, record, ref);
    } else if (completion !== undefined) {
      const { sender: number, replaces, time = received } = arrival?.incoming ?? readHead(pdu);
      const { id, index } = completion;
      // Written out: a start makes very many of them.
      const facts = { id, index, modem, number, replaces, time, received, total: 1, missing: 0, refs: [ref] };
      this.#add(facts);
    }
  }

  #groupFor(place: Place, { modem, received }: PartRecord, { sender, replaces, concatenation }: Incoming): Group {
    const known = this.groups.get(place.group);
    if (known !== undefined) return known;
    const group: Group = {
      number: place.group,
      key: concatenation === undefined ? '' : keyOf(modem, concatenation),
      modem,
      sender,
      replaces,
      since: received,
      received,
      parts: new PartSet(place.total),
      refs: [],
    };
    this.groups.add(group);
    return group;
  }

  #join(group: Group, part: GroupPart, { completion, received }: PartRecord, ref: RecordRef): void {
    group.parts.add(part);
    group.received = received;
    const row = group.shown === undefined ? undefined : this.#row(group.shown);
    if (row !== undefined) {
      const missing = group.parts.missing.length;
      this.#rows.addPart(row, ref, received, missing);
      if (missing === 0) this.groups.remove(group);
    } else if (completion !== undefined) this.#show(group, completion, ref);
    else group.refs = [...group.refs, ref];
  }

  #show(group: Group, completion: Completion, ref: RecordRef): void {
    const { modem, sender: number, replaces, parts, received } = group;
    const missing = parts.missing;
    const present = Array.from({ length: parts.total }, (_, at) => parts.get(at + 1)).find(
      (part) => part !== undefined,
    );
    this.groups.show(group, completion.id);
    this.#add({
      ...completion,
      modem,
      number,
      replaces,
      time: present?.time ?? group.since,
      total: parts.total,
      received,
      missing: missing.length,
      refs: [...group.refs, ref],
    });
  }

  #row(id: MessageId): number | undefined {
    return this.visible.row(id) ?? this.#hidden.row(id);
  }

  #add(facts: Omit<MessageRow, Mark>): void {
    // Of a journal that has a message twice the later record counts.
    const known = this.#takeFromSight(facts.id);
    if (known !== undefined) this.#rows.release(known);
    this.visible.add(this.#rows.add(facts));
    this.indexes.take(facts);
    this.#unread += 1;
  }

  #markRead(id: MessageId): void {
    const row = this.#row(id);
    if (row === undefined || this.#rows.is(row, 'read')) return;
    this.#rows.set(row, 'read', true);
    if (this.visible.has(id)) this.#unread -= 1;
  }

  #markDispatched(id: MessageId): void {
    const row = this.#row(id);
    if (row !== undefined) this.#rows.set(row, 'dispatched', true);
    this.settle(id);
  }

  /** It keeps its index, since it may become visible. */
  #hide(id: MessageId): void {
    const row = this.#takeFromSight(id);
    if (row === undefined) return;
    this.#rows.set(row, 'passing', true);
    this.#hidden.add(row);
  }

  #delete(id: MessageId, at: number, held: boolean): void {
    const row = this.#takeFromSight(id);
    if (row === undefined) return;
    const { index, total } = this.#rows.get(row);
    this.indexes.release({ id, index }, at);
    if (total > 1) for (const group of this.groups) if (group.shown === id) this.groups.remove(group);
    this.#hidden.add(row);
    if (!held) this.settle(id);
  }

  #takeFromSight(id: MessageId): number | undefined {
    const row = this.visible.row(id);
    if (row === undefined) return undefined;
    this.visible.delete(id);
    if (!this.#rows.is(row, 'read')) this.#unread -= 1;
    return row;
  }
}

function* chunks<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < items.length; at += CHUNK) yield items.slice(at, at + CHUNK);
}
