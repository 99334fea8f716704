import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import type { Concatenation, Deliver } from '../../sms/index.ts';
import type { Entry, Journal } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';
import { type Group, keyOf } from './groups.ts';
import { type Arrival, fingerprint, type Incoming, isForNobody, type KnownPart, readIncoming } from './incoming.ts';
import { type Completion, encodeDeleted, encodePart, encodeShown, type Place } from './records.ts';
import type { MessageRow } from './rows.ts';
import type { InboxTable } from './table.ts';

/** The rules of the inbox, from the `gateway` section. */
export interface InboxPolicy {
  /** Messages that it holds at most. */
  readonly capacity: number;
  /** Whether a full inbox drops its oldest read message for a new one. Otherwise new ones stay on the modem. */
  readonly evict: boolean;
  /** How long the missing parts of a message are waited for. */
  readonly partTimeoutHours: number;
}

const HOUR = 3_600_000;

/** A place for one message more. */
export interface Reservation {
  /** Read messages that must be deleted for it. */
  readonly evicted: readonly MessageRow[];
  /** Once the message is stored, or is not. */
  end(): void;
}

/** Keeps the inbox within its capacity. Groups of parts count as the one message that they will be. */
export class Capacity {
  readonly #table: InboxTable;
  readonly #evicting = new Set<MessageId>();
  #reserved = 0;

  constructor(table: InboxTable) {
    this.#table = table;
  }

  /** Throws GatewayError store_full. */
  reserve({ capacity, evict }: InboxPolicy): Reservation {
    const { visible, groups, hidden } = this.#table;
    // Messages that were deleted but cannot be forwarded take no place, until they are as many as the capacity.
    const stuck = Math.max(0, hidden - capacity);
    const used = visible.size + groups.waiting + stuck + this.#reserved - this.#evicting.size;
    const excess = Math.max(0, used + 1 - capacity);
    const evicted = evict && excess > 0 ? this.#oldestRead(excess) : [];
    if (evicted.length < excess) throw new GatewayError('store_full', `the inbox is full with ${used} messages`);
    this.#reserved += 1;
    for (const { id } of evicted) this.#evicting.add(id);
    return {
      evicted,
      end: () => {
        this.#reserved -= 1;
        for (const { id } of evicted) this.#evicting.delete(id);
      },
    };
  }

  #oldestRead(count: number): readonly MessageRow[] {
    const found: MessageRow[] = [];
    for (const row of this.#table.visible.values()) {
      if (found.length === count) break;
      if (row.read && !this.#evicting.has(row.id)) found.push(row);
    }
    return found;
  }
}

/** One TPDU that a modem has stored. */
export interface IncomingPart {
  /** Name of the modem. */
  readonly modem: string;
  /** With the service centre's address in front, as `+CMGR` gives it. */
  readonly pdu: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly received: number;
  /** The PDU as the modem has decoded it; read from `pdu` when absent. */
  readonly deliver?: Deliver;
}

export interface IntakeOptions {
  readonly journal: Journal;
  readonly table: InboxTable;
  readonly clock: Clock;
  readonly log: Logger;
  policy(): InboxPolicy;
  /** A message has become visible; `last` is the part that completes it, while it is in memory. */
  onShown(id: MessageId, last?: KnownPart): void;
}

/** Takes parts in, and makes messages of them. */
export class PartIntake {
  readonly #options: IntakeOptions;
  readonly #capacity: Capacity;
  /** Parts that could meet each other are taken in one after the other. */
  readonly #keys = new KeyedMutex();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#capacity = new Capacity(options.table);
  }

  async accept(part: IncomingPart): Promise<'stored' | 'duplicate'> {
    const { table, log } = this.#options;
    const incoming = readIncoming(part.pdu, part.deliver);
    if (isForNobody(incoming)) {
      log.info(`a message from ${incoming.sender} that is not to be shown was dropped`);
      return 'stored';
    }
    const print = fingerprint(part.modem, part.pdu);
    return this.#keys.run(keyFor(part.modem, incoming, print), async () => {
      if (table.fingerprints.has(print)) {
        table.fingerprints.add(print);
        return 'duplicate';
      }
      const { concatenation } = incoming;
      const arrival = { incoming, print };
      if (concatenation === undefined) await this.#storeMessage(part, arrival);
      else return this.#storePart(part, arrival, concatenation);
      return 'stored';
    });
  }

  /** Shows a group whose missing parts did not come in time. */
  giveUp(group: Group): Promise<void> {
    return this.#keys.run(group.key, async () => {
      const { table, journal } = this.#options;
      if (table.groups.get(group.number) !== group || group.row !== undefined) return;
      await this.#complete(async (completion) => {
        const record = encodeShown({ group: group.number, completion });
        const replaced = this.#replacing(group.modem, group.sender, group.replaces);
        await journal.appendAll([...replaced, this.#entry(record)], { makesRoom: true });
        return undefined;
      });
    });
  }

  async #storeMessage(part: IncomingPart, arrival: Arrival): Promise<void> {
    const { sender, replaces } = arrival.incoming;
    const replaced = this.#replacing(part.modem, sender, replaces);
    const reservation = replaced.length > 0 ? undefined : this.#capacity.reserve(this.#options.policy());
    await this.#within(reservation, (evicted) =>
      this.#complete((completion) => this.#append([...replaced, ...evicted], part, arrival, undefined, completion)),
    );
  }

  async #storePart(
    part: IncomingPart,
    arrival: Arrival,
    { sequence, total }: Concatenation,
  ): Promise<'stored' | 'duplicate'> {
    const { incoming, print } = arrival;
    const { table, policy } = this.#options;
    const time = incoming.time ?? part.received;
    const key = keyFor(part.modem, incoming, print);
    const joining = table.groups.find(
      key,
      incoming.sender,
      { sequence, fingerprint: print, time },
      policy().partTimeoutHours * HOUR,
    );
    if (joining?.outcome === 'duplicate') return 'duplicate';
    const group = joining?.group;
    const place: Place = { group: group?.number ?? table.groups.nextNumber(), sequence, total };
    if (group !== undefined && group.row === undefined && joining?.completes === true) {
      const replaced = this.#replacing(part.modem, incoming.sender, incoming.replaces);
      await this.#complete((completion) => this.#append(replaced, part, arrival, place, completion));
    } else {
      const reservation = group === undefined ? this.#capacity.reserve(policy()) : undefined;
      await this.#within(reservation, (evicted) => this.#append(evicted, part, arrival, place));
    }
    return 'stored';
  }

  async #within<T>(reservation: Reservation | undefined, store: (evicted: readonly Entry[]) => Promise<T>): Promise<T> {
    try {
      return await store((reservation?.evicted ?? []).map((row) => this.#deletion(row)));
    } finally {
      reservation?.end();
    }
  }

  /** Stores what makes a message, under a new id and index. */
  async #complete(store: (completion: Completion) => Promise<KnownPart | undefined>): Promise<void> {
    const { table, journal, clock, onShown } = this.#options;
    const completion = { id: journal.nextId(), index: table.indexes.allocate(clock.now()) };
    let last: KnownPart | undefined;
    try {
      last = await store(completion);
    } catch (error) {
      table.indexes.forgo(completion.index);
      throw error;
    }
    onShown(completion.id, last);
  }

  async #append(
    first: readonly Entry[],
    part: IncomingPart,
    arrival: Arrival,
    place?: Place,
    completion?: Completion,
  ): Promise<KnownPart> {
    const { pdu, modem, received } = part;
    const record = encodePart({ pdu, modem, received, ...(place && { place }), ...(completion && { completion }) });
    const { table, journal } = this.#options;
    table.arrivals.set(record, arrival);
    await journal.appendAll([...first, this.#entry(record)], { reserved: true });
    return { pdu, deliver: arrival.incoming.deliver, ...(place && { place }) };
  }

  /** TS 23.040 9.2.3.9: a replace short message takes the place of the last one of its type from the same sender. */
  #replacing(modem: string, sender: string, replaces: number): readonly Entry[] {
    if (replaces === 0) return [];
    const same = (row: MessageRow) => row.replaces === replaces && row.number === sender && row.modem === modem;
    return [...this.#options.table.visible.values()].filter(same).map((row) => this.#deletion(row));
  }

  #deletion(row: MessageRow): Entry {
    return this.#entry(encodeDeleted(row.id, this.#options.clock.now()));
  }

  #entry(record: Entry['record']): Entry {
    return { table: this.#options.table.name, record };
  }
}

function keyFor(modem: string, { sender, concatenation, replaces }: Incoming, print: string): string {
  if (concatenation !== undefined) return keyOf(modem, concatenation);
  return replaces > 0 ? `${modem}\nreplace ${replaces} ${sender}` : print;
}
