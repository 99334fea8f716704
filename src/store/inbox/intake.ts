import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import type { Concatenation } from '../../sms/index.ts';
import type { Entry, Journal } from '../journal/journal.ts';
import type { InboxMessage, MessageId } from '../message.ts';
import { Capacity, type InboxPolicy, incompleteExcess, type Reservation } from './capacity.ts';
import { type Group, keyOf } from './groups.ts';
import {
  type Arrival,
  fingerprint,
  type Incoming,
  type IncomingPart,
  isForNobody,
  type KnownPart,
  readIncoming,
} from './incoming.ts';
import { askTakers, lastOf, messageOf, type Takers, type Whole } from './passing.ts';
import { type Completion, encodeDeleted, encodeHeld, encodePart, encodeShown, type Place } from './records.ts';
import type { MessageRow } from './rows.ts';
import type { InboxTable } from './table.ts';

const HOUR = 3_600_000;

export interface IntakeOptions {
  readonly journal: Journal;
  readonly table: InboxTable;
  readonly clock: Clock;
  readonly log: Logger;
  policy(): InboxPolicy;
  /** Whether the process is short of memory: what can stay on the modem stays there. */
  isScarce(): boolean;
  /** A message has become visible; `last` is the part that completes it, while it is in memory. */
  onShown(id: MessageId, last?: KnownPart): void;
  /** What is stored together with a message so that it goes its way: see `Inbox.planned`. */
  planned(id: MessageId, message: InboxMessage | undefined): readonly Entry[];
  /** The message that was to get this number was not stored. */
  onNotStored(id: MessageId): void;
  /** The disk is at work on a message that has a plan. */
  onStoring(): void;
  /** A message was stored for its deliveries alone. */
  onPassed(message: InboxMessage): void;
  /** Where there is no room to keep a message: see `Inbox.takers`. */
  readonly takers: Takers;
  /** No room was found for the part of this fingerprint, or it is stored. */
  onRefused(print: string): void;
  onTaken(print: string): void;
}

/** Takes parts in, and makes messages of them. */
export class PartIntake {
  readonly #options: IntakeOptions;
  readonly #capacity: Capacity;
  /** Parts that could meet each other are taken in one after the other. */
  readonly #keys = new KeyedMutex();
  readonly #repeats: Repeats;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#repeats = new Repeats(options);
    this.#capacity = new Capacity(options.table, options.isScarce);
  }

  async accept(part: IncomingPart): Promise<'stored' | 'duplicate'> {
    const { log, onTaken, onRefused } = this.#options;
    const incoming = readIncoming(part.pdu, part.deliver);
    if (isForNobody(incoming)) {
      log.info(`a message from ${incoming.sender} that is not to be shown was dropped`);
      return 'stored';
    }
    const print = fingerprint(part.modem, part.pdu);
    try {
      const taken = await this.#keys.run(keyFor(part.modem, incoming, print), () => this.#take(part, incoming, print));
      onTaken(print);
      if (taken === 'duplicate') this.#repeats.note(incoming.sender);
      // Other keys are locked for it, so not within this one's.
      if (incoming.concatenation !== undefined) await this.#giveUpExcess(incoming.sender);
      return taken;
    } catch (error) {
      if (isFull(error)) onRefused(print);
      throw error;
    }
  }

  async #take(part: IncomingPart, incoming: Incoming, print: string): Promise<'stored' | 'duplicate'> {
    const { fingerprints } = this.#options.table;
    if (fingerprints.has(print)) {
      fingerprints.add(print);
      return 'duplicate';
    }
    const { concatenation } = incoming;
    const arrival = { incoming, print };
    if (concatenation !== undefined) return this.#storePart(part, arrival, concatenation);
    await this.#storeMessage(part, arrival);
    return 'stored';
  }

  /** The oldest incomplete messages are shown with their gaps when there are too many. Never rejects. */
  async #giveUpExcess(sender: string): Promise<void> {
    const { table, policy, log } = this.#options;
    try {
      for (;;) {
        const group = incompleteExcess(table.groups, policy(), sender);
        if (group === undefined) return;
        log.info(`a message from ${group.sender} is shown with parts missing: too many wait for theirs`);
        await this.giveUp(group);
      }
    } catch (error) {
      // The part that came is stored, and the next one tries again.
      log.warning(`a message with parts missing cannot be shown, the next part tries again: ${describeError(error)}`);
    }
  }

  /** Shows a group whose missing parts did not come in time. */
  giveUp(group: Group): Promise<void> {
    return this.#keys.run(group.key, async () => {
      const { table, journal, planned, onStoring } = this.#options;
      if (table.groups.get(group.number) !== group || group.shown !== undefined) return;
      const { id } = await this.#complete(async (completion) => {
        const record = encodeShown({ group: group.number, completion });
        const replaced = this.#replacing(group.modem, group.sender, group.replaces);
        const plan = planned(completion.id, undefined);
        const entries = [...replaced, this.#entry(record), ...plan];
        await journal.appendAll(entries, { makesRoom: true, underWay: onStoring });
      });
      this.#options.onShown(id);
    });
  }

  async #storeMessage(part: IncomingPart, arrival: Arrival): Promise<void> {
    const { sender, replaces } = arrival.incoming;
    const replaced = this.#replacing(part.modem, sender, replaces);
    const whole = { part, arrival, replaced };
    // One that is replaced leaves its place.
    const reserve = () => (replaced.length > 0 ? undefined : this.#capacity.reserve(this.#options.policy()));
    await this.#keepOrPass(whole, reserve);
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
    if (group !== undefined && group.shown === undefined && joining?.completes === true) {
      const replaced = this.#replacing(part.modem, incoming.sender, incoming.replaces);
      const reserve = () => (replaced.length > 0 ? undefined : this.#capacity.reserveCompleted(policy()));
      await this.#keepOrPass({ part, arrival, replaced, group, place }, reserve);
    } else {
      const reservation = group === undefined ? this.#capacity.reserveIncomplete(policy(), incoming.sender) : undefined;
      await this.#within(reservation, async (evicted) => {
        const record = this.#partRecord({ part, arrival, place });
        await this.#options.journal.appendAll(
          [...evicted, record],
          group?.shown === undefined ? { passing: 'part' } : { reserved: true },
        );
      });
    }
    return 'stored';
  }

  /** Shows a whole message, or where there is no room leaves it to who takes it away. Throws GatewayError store_full. */
  async #keepOrPass(whole: Whole, reserve: () => Reservation | undefined): Promise<void> {
    try {
      await this.#keep(whole, reserve());
    } catch (error) {
      if (!isFull(error) || !(await this.#passOn(whole))) throw error;
    }
  }

  async #keep(whole: Whole, reservation: Reservation | undefined): Promise<void> {
    const { journal, onShown, planned, onStoring } = this.#options;
    const { id } = await this.#within(reservation, (evicted) =>
      this.#complete(async (completion) => {
        const record = this.#partRecord(whole, completion);
        // The other parts of a longer one would have to be read back first.
        const message = whole.group === undefined ? messageOf(whole, [], completion) : undefined;
        const plan = planned(completion.id, message);
        const entries = [...whole.replaced, ...evicted, record, ...plan];
        await journal.appendAll(entries, { reserved: true, underWay: onStoring });
      }),
    );
    onShown(id, lastOf(whole));
  }

  /**
   * Stores a message out of sight, in one line with its deliveries: it is gone when these are made, and comes into the inbox
   * when one of them fails. Resolves to false when nobody takes it.
   */
  async #passOn(whole: Whole): Promise<boolean> {
    const { journal, policy, log, onPassed } = this.#options;
    const reservation = this.#capacity.reservePassing(policy());
    if (reservation === undefined) return false;
    try {
      const asked = await askTakers(whole, this.#options);
      if (asked === undefined) return false;
      const { message, deliveriesOf } = asked;
      const { id, index } = await this.#complete(async (completion) => {
        const record = this.#partRecord(whole, completion);
        const hidden = this.#entry(encodeHeld(completion.id, true));
        await journal.appendAll([...whole.replaced, record, ...deliveriesOf(completion.id), hidden], {
          passing: 'message',
        });
      });
      log.info(`message ${id} from ${message.number} is handed to the modules and not kept: there is no room`);
      onPassed({ ...message, id, index });
      return true;
    } finally {
      reservation.end();
    }
  }

  async #within<T>(reservation: Reservation | undefined, store: (evicted: readonly Entry[]) => Promise<T>): Promise<T> {
    try {
      return await store((reservation?.evicted ?? []).map((row) => this.#deletion(row)));
    } finally {
      reservation?.end();
    }
  }

  /** Stores what makes a message, under a new id and index. */
  async #complete(store: (completion: Completion) => Promise<void>): Promise<Completion> {
    const { table, journal, clock, policy } = this.#options;
    const index = table.indexes.allocate(clock.now(), policy().capacity);
    const completion = { id: journal.nextId(), index };
    try {
      await store(completion);
    } catch (error) {
      table.indexes.forgo(completion.index);
      this.#options.onNotStored(completion.id);
      throw error;
    }
    return completion;
  }

  #partRecord({ part, arrival, place }: Omit<Whole, 'replaced'>, completion?: Completion): Entry {
    const { pdu, modem, received } = part;
    const record = encodePart({ pdu, modem, received, ...(place && { place }), ...(completion && { completion }) });
    this.#options.table.arrivals.set(record, arrival);
    return this.#entry(record);
  }

  /** TS 23.040 9.2.3.9: a replace short message takes the place of the last one of its type from the same sender. */
  #replacing(modem: string, sender: string, replaces: number): readonly Entry[] {
    if (replaces === 0) return [];
    const same = (row: MessageRow) => row.replaces === replaces && row.number === sender && row.modem === modem;
    const deletions: Entry[] = [];
    for (const row of this.#options.table.visible.values()) if (same(row)) deletions.push(this.#deletion(row));
    return deletions;
  }

  #deletion(row: MessageRow): Entry {
    return this.#entry(encodeDeleted(row.id, this.#options.clock.now()));
  }

  #entry(record: Entry['record']): Entry {
    return { table: this.#options.table.name, record };
  }
}

/**
 * Parts that came again. Mostly a modem has not deleted one; but a sender whose message has the same octets, its second
 * included, looks for a trace of the one that is not shown. A modem that repeats itself for a week leaves some lines only.
 */
class Repeats {
  readonly #options: Pick<IntakeOptions, 'clock' | 'log'>;
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;
  #next = 1;

  constructor(options: Pick<IntakeOptions, 'clock' | 'log'>) {
    this.#options = options;
  }

  /** Logs the first of a row, the second, the fourth and so on; an hour without one ends the row. */
  note(sender: string): void {
    const { clock, log } = this.#options;
    const now = clock.monotonic();
    if (now - this.#last > HOUR) {
      this.#count = 0;
      this.#next = 1;
    }
    this.#last = now;
    this.#count += 1;
    if (this.#count < this.#next) return;
    this.#next = 2 * this.#count;
    const times = this.#count === 1 ? '' : `; ${this.#count} such parts by now`;
    log.info(`a part from ${sender} came again, octet for octet, and was taken before: it is not shown twice${times}`);
  }
}

function keyFor(modem: string, { sender, concatenation, replaces }: Incoming, print: string): string {
  if (concatenation !== undefined) return keyOf(modem, concatenation);
  return replaces > 0 ? `${modem}\nreplace ${replaces} ${sender}` : print;
}

const isFull = (error: unknown): boolean => error instanceof GatewayError && error.code === 'store_full';
