import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import { LruMap } from '../../base/lru-map.ts';
import { Mutex } from '../../base/mutex.ts';
import { sameSubscriber } from '../../base/phone-number.ts';
import type { Entry, Journal } from '../journal/journal.ts';
import {
  charactersOf,
  type InboxMessage,
  isFull,
  type MessageId,
  type MessagePage,
  type MessageQuery,
} from '../message.ts';
import { InboxAlarm } from './alarm.ts';
import type { InboxPolicy } from './capacity.ts';
import { PartTimeout } from './groups.ts';
import { composeMessage, type IncomingPart, type KnownPart } from './incoming.ts';
import { PartIntake } from './intake.ts';
import type { Takers } from './passing.ts';
import { decodeRecord, encodeDeleted, encodeDispatched, encodeRead, type PartRecord } from './records.ts';
import type { MessageRow } from './rows.ts';
import { InboxTable } from './table.ts';

export type { InboxPolicy } from './capacity.ts';
export type { IncomingPart } from './incoming.ts';

const HOUR = 3_600_000;
/** A burst of them waits for its deliveries. */
const RECENT = 128;
/** Messages of a listing that are read together: they lie near each other. */
const READ_AT_ONCE = 64;

export interface InboxOptions {
  /** Not yet open: the inbox registers its table. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy: InboxPolicy;
  /** Whether the process is short of memory; never when absent. */
  readonly isScarce?: () => boolean;
}

/**
 * Messages that came in. A deleted message that is still to be forwarded is kept out of sight until that is done, and
 * so is one that modules take away though there is no room to keep it. Once the journal is open, call `start`.
 */
export class Inbox {
  readonly table = new InboxTable();
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #intake: PartIntake;
  readonly #partTimeout: PartTimeout;
  readonly #alarm: InboxAlarm;
  readonly #announcing = new Mutex();
  /** Messages of one part that came last, unread: those who pass them on need not read them back. */
  readonly #recent = new LruMap<MessageId, InboxMessage>(RECENT);
  #policy: InboxPolicy;
  /** Called once with each message that becomes visible, in their order, after it is durable. Must not throw. */
  onMessage: ((message: InboxMessage) => void) | undefined;
  /**
   * How everybody sees a message: without the secrets that it carries. Only `original` gives it as it came. Must not
   * throw.
   */
  shown: (message: InboxMessage) => InboxMessage = (message) => message;
  /** Set by the deliveries. */
  takers: Takers | undefined;
  /**
   * Set by the deliveries: what is stored together with a message, in one line, when the modules can say at once what they
   * want done with it. Nothing where they cannot: then they are asked once the message is announced.
   */
  planned: ((id: MessageId, message: InboxMessage | undefined) => readonly Entry[]) | undefined;
  /** Set by the deliveries: the message that `planned` was perhaps asked about was not stored, and its number is never used. */
  notStored: ((id: MessageId) => void) | undefined;
  /** Set by the deliveries: the disk is at work on a message that `planned` was asked about. */
  storing: (() => void) | undefined;

  constructor({ journal, clock, log, policy, isScarce = () => false }: InboxOptions) {
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
    this.#policy = policy;
    journal.register(this.table);
    const { table } = this;
    const onShown = (id: MessageId, last?: KnownPart) => void this.#announcing.run(() => this.#announce(id, last));
    this.#alarm = new InboxAlarm({ clock, log, use: () => this.total() });
    this.#intake = new PartIntake({
      ...{ journal, table, clock, log, isScarce, onShown },
      policy: () => this.#policy,
      onPassed: (message) => void this.#announcing.run(() => this.onMessage?.(this.shown(message))),
      takers: async (message) => this.takers?.(this.shown(message)),
      planned: (id, message) => {
        if (message !== undefined) this.#recent.set(id, message);
        return this.planned?.(id, message && this.shown(message)) ?? [];
      },
      onNotStored: (id) => this.notStored?.(id),
      onStoring: () => this.storing?.(),
      onRefused: (print) => this.#alarm.refused(print),
      onTaken: (print) => this.#alarm.taken(print),
    });
    this.#partTimeout = new PartTimeout({
      clock,
      groups: table.groups,
      timeout: () => this.#policy.partTimeoutHours * HOUR,
      giveUp: (group) => this.#intake.giveUp(group),
    });
  }

  /** Begins to wait for missing parts. */
  start(): void {
    this.table.settleAll();
    this.#partTimeout.schedule();
    this.#alarm.look();
  }

  /** Resolves when the last message was announced. */
  async stop(): Promise<void> {
    this.#partTimeout.stop();
    await this.#announcing.run(async () => undefined);
  }

  configure(policy: InboxPolicy): void {
    this.#policy = policy;
    this.#partTimeout.schedule();
    this.#alarm.look();
  }

  /**
   * Takes a part from a modem. When it resolves, with either word, the part is durable and the modem may delete it.
   * What cannot be decoded is stored as it is. Throws GatewayError store_full or store_unavailable: then it must stay
   * on the modem.
   */
  async accept(part: IncomingPart): Promise<'stored' | 'duplicate'> {
    const result = await this.#intake.accept(part);
    this.#partTimeout.schedule();
    this.#alarm.look();
    return result;
  }

  /** Where the disk does not give the text, `<undecodable>` or `<part_missing>` stands for it. So in the next two. */
  async get(id: MessageId): Promise<InboxMessage | undefined> {
    return this.table.visible.has(id) ? this.#whatIsThere(id) : undefined;
  }

  async byIndex(index: number): Promise<InboxMessage | undefined> {
    const id = this.table.indexes.find(index);
    return id === undefined || this.table.find(id)?.passing === true ? undefined : this.#whatIsThere(id);
  }

  /**
   * For forwarding: also a deleted message that is still to be dispatched or delivered. Throws GatewayError
   * store_unavailable when the disk does not give all of it.
   */
  async content(id: MessageId): Promise<InboxMessage | undefined> {
    const row = this.table.find(id);
    return row && this.#compose(row);
  }

  /** As `content`, with the secrets that the message carries: for who must check them. */
  async original(id: MessageId): Promise<InboxMessage | undefined> {
    const row = this.table.find(id);
    return row && this.#original(row);
  }

  /** Nothing happens when there is no such message. Throws GatewayError store_*. */
  async markRead(id: MessageId): Promise<void> {
    const row = this.table.visible.get(id);
    if (row === undefined || row.read) return;
    await this.#journal.appendAll([this.#entry(encodeRead([id]))], { makesRoom: true });
  }

  /** Whether there was such a message. Throws GatewayError store_*. */
  async delete(id: MessageId): Promise<boolean> {
    if (!this.table.visible.has(id)) return false;
    await this.#journal.appendAll([this.#entry(encodeDeleted(id, this.#clock.now()))], { makesRoom: true });
    this.#alarm.look();
    return true;
  }

  async list(query: MessageQuery): Promise<MessagePage<InboxMessage>> {
    const messages: InboxMessage[] = [];
    let characters = 0;
    const { visible } = this.table;
    const wanted = matching(query.order === 'newest' ? visible.backwards() : visible.values(), query);
    for (const chunk of chunks(wanted, Math.min(READ_AT_ONCE, query.limit + 1))) {
      for (const message of await this.#composeWhatIsThere(chunk)) {
        if (!textMatches(message, query.text)) continue;
        characters += charactersOf(message);
        if (isFull(messages, query, characters)) return { messages, more: true };
        messages.push(message);
      }
    }
    return { messages, more: false };
  }

  /** Messages, incomplete ones that are not shown yet included; of how many there may be; and how many are unread. */
  total(): { readonly used: number; readonly total: number; readonly unread: number } {
    const { visible, groups, unread } = this.table;
    return { used: visible.size + groups.waitingCount, total: this.#policy.capacity, unread };
  }

  /** Facts for `status`: how many of those used wait for parts; how many are not kept, and not among them. */
  status(): JsonObject {
    const { groups, passing } = this.table;
    return { ...this.total(), incomplete: groups.waitingCount, passing, left_on_modem: this.#alarm.left };
  }

  /** What somebody should do something about, a sentence; undefined when all is well. */
  get warning(): string | undefined {
    return this.#alarm.warning;
  }

  /** What its messages take of the journal. */
  get octets(): number {
    return this.table.octets;
  }

  /** What marks a message dispatched when it is appended. */
  dispatched(id: MessageId): Entry {
    return this.#entry(encodeDispatched([id]));
  }

  async #announce(id: MessageId, last: KnownPart | undefined): Promise<void> {
    try {
      const message = (await this.#whole(id, last)) ?? (await this.#whatIsThere(id));
      if (message !== undefined) this.onMessage?.(message);
    } catch (error) {
      this.#log.error(`message ${id} was stored and cannot be announced: ${describeError(error)}`);
    }
  }

  async #whole(id: MessageId, last: KnownPart | undefined): Promise<InboxMessage | undefined> {
    const row = this.table.find(id);
    try {
      return row && (await this.#compose(row, last));
    } catch (error) {
      this.#log.error(`message ${id} was stored and cannot be read back: ${describeError(error)}`);
      return undefined;
    }
  }

  async #whatIsThere(id: MessageId): Promise<InboxMessage | undefined> {
    const row = this.table.find(id);
    return row && (await this.#composeWhatIsThere([row]))[0];
  }

  async #compose(row: MessageRow, last?: KnownPart): Promise<InboxMessage> {
    return this.shown(await this.#original(row, last));
  }

  /** `last`: the newest part, which need not be read back. */
  async #original(row: MessageRow, last?: KnownPart): Promise<InboxMessage> {
    const recent = row.read ? undefined : this.#recent.get(row.id);
    if (recent !== undefined) return recent;
    const refs = last === undefined ? row.refs : row.refs.slice(0, -1);
    const records = await Promise.all(refs.map((ref) => this.#journal.read(ref)));
    return composeMessage(row, [...partsOf(records), ...(last === undefined ? [] : [last])]);
  }

  /** One damaged record must not hide the others, nor keep its message from being deleted. */
  async #composeWhatIsThere(rows: readonly MessageRow[]): Promise<readonly InboxMessage[]> {
    const records = await this.#journal.readEach(rows.flatMap(({ refs }) => refs));
    let end = 0;
    return rows.map((row) => {
      const begin = end;
      end += row.refs.length;
      const there = records.slice(begin, end).filter((record) => record !== undefined);
      return this.shown(composeMessage(row, partsOf(there)));
    });
  }

  #entry(record: Entry['record']): Entry {
    return { table: this.table.name, record };
  }
}

function partsOf(records: readonly Entry['record'][]): readonly PartRecord[] {
  return records.map(decodeRecord).filter((record) => record?.kind === 'part');
}

function* matching(rows: Iterable<MessageRow>, query: MessageQuery): Iterable<MessageRow> {
  for (const row of rows) if (rowMatches(row, query)) yield row;
}

function* chunks<T>(items: Iterable<T>, size: number): Iterable<readonly T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** The conditions that need no text; `textMatches` has the rest. */
function rowMatches(row: MessageRow, { state, number, since, changedSince, after, order }: MessageQuery): boolean {
  if (after !== undefined && (order === 'newest' ? row.id >= after : row.id <= after)) return false;
  if (since !== undefined && row.received < since) return false;
  if (changedSince !== undefined && row.received < changedSince) return false;
  if (state !== undefined && state !== (row.read ? 'read' : 'unread')) return false;
  return number === undefined || sameSubscriber(row.number, number);
}

function textMatches(message: InboxMessage, text: string | undefined): boolean {
  return text === undefined || message.text.toLowerCase().includes(text.toLowerCase());
}
