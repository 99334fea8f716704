import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import type { Concatenation } from '../../sms/index.ts';
import type { Entry, Journal } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';
import { Capacity, type Reservation } from './capacity.ts';
import { fingerprint } from './fingerprint.ts';
import { type Group, keyOf } from './groups.ts';
import { type Incoming, isForNobody, readIncoming } from './incoming.ts';
import type { InboxPolicy } from './policy.ts';
import { type Completion, encodeDeleted, encodePart, encodeShown, type Place } from './records.ts';
import type { MessageRow } from './row.ts';
import type { InboxTable } from './table.ts';

const HOUR = 3_600_000;

/** One TPDU that a modem has stored. */
export interface IncomingPart {
  /** Name of the modem. */
  readonly modem: string;
  /** With the service centre's address in front, as `+CMGR` gives it. */
  readonly pdu: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly received: number;
}

export interface IntakeOptions {
  readonly journal: Journal;
  readonly table: InboxTable;
  readonly clock: Clock;
  readonly log: Logger;
  policy(): InboxPolicy;
  /** A message has become visible. */
  onShown(id: MessageId): void;
}

/** Takes parts in, and makes messages of them. */
export class Intake {
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
    const incoming = readIncoming(part.pdu);
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
      if (concatenation === undefined) await this.#storeMessage(part, incoming);
      else return this.#storePart(part, incoming, concatenation, print);
      return 'stored';
    });
  }

  /** Shows a group whose missing parts did not come in time. */
  giveUp(group: Group): Promise<void> {
    return this.#keys.run(group.key, async () => {
      const { table, journal } = this.#options;
      if (table.groups.get(group.number) !== group || group.row !== undefined) return;
      await this.#complete((completion) => {
        const record = encodeShown({ group: group.number, completion });
        return journal.appendAll([...this.#replacing(group.modem, group.sender, group.replaces), this.#entry(record)]);
      });
    });
  }

  async #storeMessage(part: IncomingPart, { sender, replaces }: Incoming): Promise<void> {
    const replaced = this.#replacing(part.modem, sender, replaces);
    const reservation = replaced.length > 0 ? undefined : this.#capacity.reserve(this.#options.policy());
    await this.#within(reservation, (evicted) =>
      this.#complete((completion) => this.#append([...replaced, ...evicted], part, undefined, completion)),
    );
  }

  async #storePart(
    part: IncomingPart,
    incoming: Incoming,
    { sequence, total }: Concatenation,
    print: string,
  ): Promise<'stored' | 'duplicate'> {
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
      await this.#complete((completion) => this.#append(replaced, part, place, completion));
    } else {
      const reservation = group === undefined ? this.#capacity.reserve(policy()) : undefined;
      await this.#within(reservation, (evicted) => this.#append(evicted, part, place));
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
  async #complete(store: (completion: Completion) => Promise<unknown>): Promise<void> {
    const { table, journal, clock, onShown } = this.#options;
    const completion = { id: journal.nextId(), index: table.indexes.allocate(clock.now()) };
    try {
      await store(completion);
    } catch (error) {
      table.indexes.forgo(completion.index);
      throw error;
    }
    onShown(completion.id);
  }

  async #append(first: readonly Entry[], part: IncomingPart, place?: Place, completion?: Completion): Promise<void> {
    const record = encodePart({ ...part, ...(place && { place }), ...(completion && { completion }) });
    await this.#options.journal.appendAll([...first, this.#entry(record)]);
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
