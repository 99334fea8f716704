import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { LruMap } from '../../base/lru-map.ts';
import { type Lease, MemoryPool } from '../../base/memory-pool.ts';
import type { RecordRef } from '../journal/journal.ts';
import type { Content, MessageId, MessagePage, MessageQuery, OutboxMessage, OutboxState } from '../message.ts';
import { outboxStateNames, outboxStates, UNDECODABLE } from '../message.ts';
import type { PartReport, Sender, SenderLimits, SendOutcome } from '../sender.ts';
import { Announcer, PendingOutcomes } from './announcer.ts';
import { Ceilings, type Hold } from './ceilings.ts';
import { Dispatcher } from './dispatcher.ts';
import { ClockSteps, Ledger } from './ledger.ts';
import type { OutboxOptions, OutboxPolicy, Replacement, SubmitRequest } from './options.ts';
import { isSent } from './part.ts';
import type { QueueEntry } from './queue.ts';
import { decodeSubmitted, type OutboxRecord, type Submitted } from './records.ts';
import { Reports } from './reports.ts';
import type { OutboxRow } from './row.ts';
import { encodeSubmitted, expiry, PART_CHARACTERS, replacement, Submitter } from './submitter.ts';
import { OutboxTable, trim } from './table.ts';
import { listRows, outboxMessage } from './view.ts';

/** Records of messages that are not read back from the disk while they are the last that were needed. */
const RECENT = 64;
/** Characters of a text up to which its record is held. */
const SHORT = 2_000;

export type { PendingOutcome } from './announcer.ts';
export type { OutboxOptions, OutboxPolicy, Replacement, SubmitRequest } from './options.ts';

/** How many messages stand in each state; `doubled` are parts known to have been sent twice since the start. */
export type OutboxCounts = Readonly<Record<OutboxState | 'doubled', number>>;

/**
 * The messages to send, and their outcomes. Use: construct, open the journal, `start`, `attach` modems;
 * `close` before the journal. Methods that change something resolve when the change is durable, and throw GatewayError
 * store_full, store_unavailable or stopping when it cannot be; a message that is not there is `message_not_found`.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #policy: OutboxPolicy;
  readonly #table = new OutboxTable();
  readonly #ledger: Ledger;
  readonly #announcer: Announcer;
  readonly #dispatcher: Dispatcher;
  readonly #reports: Reports;
  readonly #submitter: Submitter;
  readonly #ceilings: Ceilings;
  /** The country codes that national numbers may belong to. */
  countries: () => readonly string[] = () => [];
  readonly #work: MemoryPool;
  /** Outcomes that no module was asked about yet. */
  readonly pendingOutcomes: PendingOutcomes;
  /** By where they lie: a message that gets new content has a new place. */
  readonly #recent = new LruMap<RecordRef, Submitted>(RECENT);
  /** Finished messages of which a change is being stored. */
  readonly #changing = new Set<MessageId>();
  #closed = false;

  constructor(options: OutboxOptions) {
    const { journal, clock, log, random, memory } = options;
    this.#options = options;
    this.#work = memory?.work ?? unlimited(clock);
    this.#policy = options.policy;
    this.#ledger = new Ledger(journal, this.#table.name, clock, log);
    const clockSteps = new ClockSteps(clock, this.#ledger, log);
    this.#announcer = new Announcer(options, (row) => this.#view(row), log);
    this.#dispatcher = new Dispatcher({
      table: this.#table,
      ledger: this.#ledger,
      clock,
      log,
      random,
      ambiguous: () => this.#policy.ambiguous,
      encoded: async (row) => encodeSubmitted(await this.#submitted(row)),
      concluded: (modem) => this.#reports.retry(modem),
      checkClock: () => clockSteps.check(),
    });
    this.#reports = new Reports({
      table: this.#table,
      ledger: this.#ledger,
      dispatcher: this.#dispatcher,
      log,
      now: () => clock.now(),
    });
    this.#ceilings = new Ceilings({
      ...{ clock, log },
      policy: () => this.#policy.ceilings,
      countries: () => this.countries(),
      reached: (sentence) => options.onLimit?.(sentence),
    });
    this.#submitter = new Submitter({
      journal,
      table: this.#table,
      ledger: this.#ledger,
      dispatcher: this.#dispatcher,
      ceilings: this.#ceilings,
      clock,
      clockSteps,
      storing: memory?.storing ?? unlimited(clock),
      policy: () => this.#policy,
      view: (row) => this.#view(row),
      stored: (row, record) => this.#remember(row.ref, record),
      accepted: (message, by) => {
        options.onAccepted?.(message, by);
        options.onChanged?.(message.id);
      },
    });
    this.pendingOutcomes = new PendingOutcomes({ journal, log, table: this.#table, view: (row) => this.#view(row) });
    journal.register(this.#table);
  }

  /** Starts to send, once the journal is open. */
  start(): void {
    this.#recount();
    this.#trim();
    this.#table.onState = (row) => {
      this.#options.onChanged?.(row.id);
      this.#announcer.announce(row);
      if (row.pending) return;
      this.#trim();
      this.pendingOutcomes.onOutcome?.();
    };
    this.#dispatcher.start();
  }

  /** Resolves when nothing is being sent any more and everything is written. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#submitter.close();
    const closed = this.#dispatcher.close();
    this.#ledger.close();
    await closed;
    this.#reports.close();
    await this.#announcer.close();
    await this.pendingOutcomes.close();
  }

  /** New rules; they hold for what is submitted, decided and finished from now on. */
  configure(policy: OutboxPolicy): void {
    this.#policy = policy;
    this.#trim();
  }

  /**
   * To be asked before a text of so many characters is submitted to so many, and released afterwards. Throws queue_full when
   * there is no room for it in time; the signal's reason.
   */
  admit(characters: number, recipients: number, signal?: AbortSignal): Promise<Lease> {
    return this.#work.enter(costOfSend(characters, recipients), signal);
  }

  /**
   * Throws invalid_number, invalid_text, text_too_long, invalid_argument, queue_full, limit_reached (as LimitReached),
   * number_denied.
   */
  submit(request: SubmitRequest): Promise<OutboxMessage> {
    return this.#submitter.submit(request);
  }

  /**
   * Takes room below the ceilings for all of these requests, which then carry it; to be released after them. Undefined
   * where there is nothing to hold. Throws LimitReached when they do not fit together.
   */
  hold(requests: readonly SubmitRequest[]): Hold | undefined {
    return this.#submitter.hold(requests);
  }

  /** What is used of the ceilings. */
  ceilings(): JsonObject {
    return this.#ceilings.usage();
  }

  /** Ceilings that were reached within the last hour: sentences. */
  warnings(): readonly string[] {
    return this.#ceilings.warnings();
  }

  /** Resolves when the message is in a settled state. Rejects with the signal's reason when it aborts first. */
  async settled(id: MessageId, signal: AbortSignal): Promise<OutboxMessage> {
    const row = this.#row(id);
    if (outboxStates[row.state].settled) return this.#view(row);
    if (this.#closed) throw new GatewayError('stopping', 'the outbox is closing');
    return this.#announcer.wait(id, signal);
  }

  async get(id: MessageId): Promise<OutboxMessage | undefined> {
    const row = this.#table.get(id);
    return row === undefined ? undefined : this.#view(row);
  }

  /** State and time of the last change of all that waits no more. */
  finished(): Iterable<{ readonly state: OutboxState; readonly changed: number }> {
    return this.#table.finished;
  }

  /** The message that has been due for longest; while none is due, the one whose time comes first. */
  async longestWaiting(): Promise<OutboxMessage | undefined> {
    let longest: OutboxRow | undefined;
    for (const row of this.#table.pending) {
      if (longest === undefined || row.waitingSince < longest.waitingSince) longest = row;
    }
    return longest && this.#view(longest);
  }

  /** Where the disk does not give a text, `<undecodable>` stands for it: one damaged record must not hide the others. */
  list(query: MessageQuery): Promise<MessagePage<OutboxMessage>> {
    return listRows(this.#table, query, (row) => this.#viewWhatIsThere(row));
  }

  /**
   * Takes back a message of which nothing was sent, or whose rest waits for a modem that is away or refuses it. Throws wrong_state
   * for any other: half of a long message is worse for its recipient than all of it or nothing.
   */
  async cancel(id: MessageId): Promise<OutboxMessage> {
    const stranded = this.#dispatcher.entry(id);
    const entry = stranded !== undefined && this.#dispatcher.isStranded(stranded) ? stranded : this.#untouched(id);
    await this.#change(entry, { kind: 'ended', id, state: 'cancelled', at: this.#options.clock.now() });
    this.#dispatcher.remove(entry);
    return this.#view(entry.row);
  }

  /** Gives a message of which nothing was sent new content; it keeps its number and place. Throws as submit and cancel. */
  async replace(id: MessageId, content: Content, changes: Replacement = {}): Promise<OutboxMessage> {
    const entry = this.#untouched(id);
    this.#dispatcher.hold(entry);
    try {
      const { time, expires } = entry.row;
      const old = { ...(await this.#submitted(entry.row)), time, expires };
      const record = replacement(old, content, changes, this.#options.clock.now());
      const more = record.parts - old.parts;
      const takeBack = more > 0 ? this.#ceilings.take({ ...record, parts: more }) : undefined;
      await this.#ledger.write([record]).catch((error: unknown) => {
        takeBack?.();
        throw error;
      });
    } finally {
      this.#dispatcher.resume(entry);
    }
    return this.#view(entry.row);
  }

  /**
   * Sends a message that has ended badly once more, without the parts that the network has. Throws wrong_state for one
   * that waits or went well, queue_full, limit_reached, number_denied.
   */
  async retry(id: MessageId): Promise<OutboxMessage> {
    const row = this.#row(id);
    if (!outboxStates[row.state].retryable) throw wrongState(row);
    this.#submitter.checkRoom(row.holders);
    const { clock } = this.#options;
    const expires = expiry(this.#policy.validitySeconds, clock.now());
    const parts = row.parts.filter((part) => !isSent(part)).length;
    const takeBack = this.#ceilings.take({ source: row.source, number: row.number, parts });
    await this.#alone(row, { kind: 'retried', id, expires, at: clock.now() }).catch((error: unknown) => {
      takeBack();
      throw error;
    });
    // It may have left the outbox for its age meanwhile.
    if (this.#row(id) === row) this.#dispatcher.add(row);
    return this.#view(row);
  }

  /** False when there is no such message; throws wrong_state when it still waits. */
  async delete(id: MessageId): Promise<boolean> {
    const row = this.#table.get(id);
    if (row === undefined) return false;
    if (row.pending) throw wrongState(row);
    await this.#alone(row, { kind: 'deleted', id });
    return true;
  }

  /** A status report; resolves when what it says is durable, and the modem may forget it. */
  report(report: PartReport): Promise<void> {
    return this.#reports.report(report);
  }

  /** A modem's word on the part that it was given last, after its `send` ended as ambiguous. Never rejects. */
  async answeredLate(modem: string, outcome: SendOutcome): Promise<void> {
    await this.#dispatcher.answeredLate(modem, outcome).catch((error: unknown) => {
      this.#options.log.debug(`a late answer of ${modem} is lost: ${describeError(error)}`);
    });
  }

  /** Lets a modem send; again with the same one to change its limits. */
  attach(sender: Sender, limits: SenderLimits): void {
    this.#dispatcher.attach(sender, limits);
  }

  /** Takes a modem out of service; resolves when it has nothing in hand. Messages that it has not sent wait for it or another. */
  detach(name: string): Promise<void> {
    return this.#dispatcher.detach(name);
  }

  /** The modem that sends what is meant for no other, as long as it can; undefined when all take turns. */
  get preferred(): string | undefined {
    return this.#table.preferred;
  }

  /** Makes a modem the preferred one, over restarts too; undefined for none. */
  async prefer(modem: string | undefined): Promise<void> {
    await this.#ledger.write([{ kind: 'preferred', modem }], { makesRoom: true });
    this.#dispatcher.preferredChanged();
  }

  /** To be called when a modem's `ready` has changed. */
  senderChanged(name: string): void {
    this.#dispatcher.senderChanged(name);
  }

  /** Parts that the modem has sent on this day of the local calendar. */
  sentToday(modem: string): number {
    return this.#dispatcher.partsOn(modem, this.#options.clock.now());
  }

  counts(): OutboxCounts {
    const counts = outboxStateNames.map((state) => [state, this.#table.count(state)] as const);
    return { ...(Object.fromEntries(counts) as Record<OutboxState, number>), doubled: this.#dispatcher.doubled };
  }

  /**
   * What was submitted before this run counts on. Measured from the latest message where the clock stands before it:
   * a router without a battery begins in the past.
   */
  #recount(): void {
    const submissions = this.#table.submissions().sort((a, b) => a.time - b.time);
    const now = Math.max(this.#options.clock.now(), submissions.at(-1)?.time ?? 0);
    for (const submission of submissions) this.#ceilings.found(submission, now - submission.time);
  }

  /** Messages of the source that were submitted at `since` or later, ms since the epoch, as long as they are remembered. */
  countSince(source: string, since: number): number {
    return this.#table.submissions().filter((each) => each.source === source && each.time >= since).length;
  }

  #trim(): void {
    trim(this.#table, this.#policy, this.#options.clock.now(), this.#options.asksModules === true);
  }

  #row(id: MessageId): OutboxRow {
    const row = this.#table.get(id);
    if (row === undefined) throw new GatewayError('message_not_found', `there is no message ${id} in the outbox`);
    return row;
  }

  #untouched(id: MessageId): QueueEntry {
    const row = this.#row(id);
    const entry = this.#dispatcher.entry(id);
    if (entry === undefined || !entry.untouched) throw wrongState(row);
    return entry;
  }

  async #change(entry: QueueEntry, record: OutboxRecord): Promise<void> {
    const { hold } = entry;
    this.#dispatcher.hold(entry);
    try {
      await this.#ledger.write([record], { makesRoom: true });
    } catch (error) {
      this.#dispatcher.unhold(entry, hold);
      throw error;
    }
  }

  /** Writes a change of a finished message, one at a time. */
  async #alone(row: OutboxRow, record: OutboxRecord): Promise<void> {
    if (this.#changing.has(row.id)) throw wrongState(row);
    this.#changing.add(row.id);
    try {
      await this.#ledger.write([record], { makesRoom: true });
    } finally {
      this.#changing.delete(row.id);
    }
  }

  async #submitted({ id, ref }: OutboxRow): Promise<Submitted> {
    const recent = this.#recent.get(ref);
    if (recent !== undefined) return recent;
    const record = decodeSubmitted(await this.#options.journal.read(ref));
    if (record === undefined) throw new GatewayError('store_unavailable', `message ${id} is damaged in the store`);
    this.#remember(ref, record);
    return record;
  }

  #remember(ref: RecordRef, record: Submitted): void {
    const { content } = record;
    const text = content.type === 'text' ? content.text : content.data;
    if (text.length <= SHORT) this.#recent.set(ref, record);
  }

  async #viewWhatIsThere(row: OutboxRow): Promise<OutboxMessage> {
    try {
      return await this.#view(row);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { id, number, priority, source, encoding, time, expires, pin: modem } = row;
      const content: Content = { type: 'text', text: UNDECODABLE };
      const facts = { id, number, content, priority, source, encoding, time, expires, ...(modem && { modem }) };
      const unused = { transliterate: false, nationalTables: [] };
      return outboxMessage({ ...facts, ...unused, kind: 'submitted', parts: row.parts.length }, row.snapshot(), false);
    }
  }

  async #view(row: OutboxRow): Promise<OutboxMessage> {
    const now = row.snapshot();
    const inHand = this.#dispatcher.entry(row.id)?.hold?.type === 'taken';
    return outboxMessage(await this.#submitted(row), now, inHand);
  }
}

/** What each recipient of a send costs until it is stored: request, promise and outcome. Octets. */
const RECIPIENT_COST = 1_024;

/** Octets that sending a text to so many takes, from the request until all is stored or refused. */
function costOfSend(characters: number, recipients: number): number {
  const parts = Math.ceil(characters / PART_CHARACTERS);
  return characters * 4 + recipients * (RECIPIENT_COST + parts * 8);
}

/** Where nobody counts. */
const unlimited = (clock: Clock): MemoryPool =>
  new MemoryPool({ what: 'messages', limit: Number.POSITIVE_INFINITY, waitMs: 0, clock });

function wrongState({ id, state }: OutboxRow): GatewayError {
  return new GatewayError('wrong_state', `message ${id} is ${state}`);
}
