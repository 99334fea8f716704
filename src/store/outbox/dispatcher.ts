import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { type PhoneNumber, sameSubscriber } from '../../base/phone-number.ts';
import type { MessageId } from '../message.ts';
import type { EncodedMessage, Sender, SenderLimits, SendOutcome } from '../sender.ts';
import { Conclusions } from './conclusions.ts';
import { Alarm, Deadlines, WALL_CLOCK_LOOK_MS } from './deadlines.ts';
import type { MrPast } from './evidence.ts';
import { MrTrail } from './evidence.ts';
import type { Ledger } from './ledger.ts';
import { type Doubt, QueueEntry, SendQueue } from './queue.ts';
import type { OutboxRecord } from './records.ts';
import type { OutboxRow } from './row.ts';
import { SenderWorker, type Task, type WorkerHost } from './sender-worker.ts';
import type { OutboxTable } from './table.ts';
import { dayOf } from './table.ts';

/** How long a part that was under way at the last crash waits for its status report, or for the next TP-MR. */
const RECOVERY_WAIT_MS = 60_000;

export interface DispatcherOptions {
  readonly table: OutboxTable;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly ambiguous: () => 'resend' | 'hold';
  readonly encoded: (row: OutboxRow) => Promise<EncodedMessage>;
  /** Called when a modem has given up what it had in hand. */
  readonly concluded: (modem: string) => void;
  /** Looks whether the wall clock was set; gives a promise while the times of messages are being set right. */
  readonly checkClock: () => Promise<void> | undefined;
}

/** What is asked of a modem that is to send a new message at once. */
interface Claim {
  readonly number: PhoneNumber;
  readonly modem?: string | undefined;
  /** Ms since the epoch. */
  readonly notBefore?: number | undefined;
  readonly parts: number;
}

/** Brings waiting messages and modems together. */
export class Dispatcher implements WorkerHost {
  readonly clock: Clock;
  readonly log: Logger;
  readonly #options: DispatcherOptions;
  readonly #queue = new SendQueue((begun) => this.#goesSoon(begun));
  readonly #conclusions: Conclusions;
  readonly #deadlines: Deadlines;
  readonly #workers = new Map<string, SenderWorker>();
  readonly #alarm: Alarm;
  /** Recipients of messages that are being stored, with their number. */
  readonly #incoming = new Map<PhoneNumber, number>();
  #turns = 0;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.log = options.log;
    this.#conclusions = new Conclusions({
      ...options,
      queue: this.#queue,
      another: (than, parts) => this.#another(than, parts),
    });
    this.#deadlines = new Deadlines({
      ...options,
      queue: this.#queue,
      conclusions: this.#conclusions,
      wakeAt: (time) => this.#wakeAt(time),
      ended: () => this.#wake(),
    });
    this.#alarm = new Alarm(options.clock, () => this.#ring());
  }

  get doubled(): number {
    return this.#conclusions.doubled;
  }

  /** Queues the messages that the last run left. */
  start(): void {
    for (const row of this.#options.table.pending) this.add(row);
  }

  /** Sends nothing more; resolves when no modem is sending and all outcomes are written. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm.off();
    await Promise.all([...this.#workers.values()].map((worker) => worker.finish()));
  }

  entry(id: MessageId): QueueEntry | undefined {
    return this.#queue.get(id);
  }

  /** Puts a waiting message into the queue. */
  add(row: OutboxRow): void {
    const entry = new QueueEntry(row);
    if (entry.interrupted) {
      const evidence = row.report !== false || this.#options.table.trails.get(row.via ?? '')?.decides(row.id) === true;
      const until = this.clock.monotonic() + (evidence ? RECOVERY_WAIT_MS : 0);
      entry.hold = { type: 'doubtful', doubt: doubtOf(entry), until };
      const wait = evidence ? `; evidence is waited for, ${RECOVERY_WAIT_MS / 1000} s` : '';
      this.log.warning(`a part of message ${row.id} was perhaps sent when the gateway ended${wait}`);
    } else if (row.notBefore > this.clock.now()) entry.hold = { type: 'scheduled' };
    this.#queue.add(entry);
    this.#deadlines.plan(entry);
    this.#wake();
  }

  remove(entry: QueueEntry): void {
    this.#queue.delete(entry);
    this.#wake();
  }

  /** Whether the rest of a message waits for a modem that does not go on with it before long. */
  isStranded(entry: QueueEntry): boolean {
    const isOpen = entry.inHand || entry.settling || entry.interrupted;
    return entry.boundTo !== undefined && entry.begun && !isOpen && !this.#goesSoon(entry);
  }

  /** A change was not stored: all is as it was before `hold`. */
  unhold(entry: QueueEntry, before: QueueEntry['hold']): void {
    entry.hold = before;
    this.#queue.changed(entry);
    this.#deadlines.plan(entry);
    this.#wake();
  }

  /** Keeps a message from the modems while its change is being stored. */
  hold(entry: QueueEntry): void {
    entry.hold = { type: 'changing' };
    this.#queue.changed(entry);
  }

  /** Lets a message go on as its row says. */
  resume(entry: QueueEntry): void {
    this.#queue.delete(entry);
    this.add(entry.row);
  }

  attach(sender: Sender, limits: SenderLimits): void {
    const known = this.#workers.get(sender.name);
    if (known?.sender === sender) {
      known.limits = limits;
    } else {
      void known?.stop();
      this.#workers.set(sender.name, new SenderWorker(sender, limits, this, this.#past(sender.name)));
    }
    this.#wake();
  }

  async detach(name: string): Promise<void> {
    const worker = this.#workers.get(name);
    this.#workers.delete(name);
    this.#undivert(name);
    this.#wake();
    await worker?.stop();
  }

  senderChanged(name: string): void {
    const worker = this.#workers.get(name);
    if (worker?.sender.ready) worker.recovered();
    else {
      this.#undivert(name);
      this.#wake();
    }
  }

  /** To be called when another modem is the preferred one. */
  preferredChanged(): void {
    this.#wake();
  }

  /**
   * A worker that can take a new message at once, kept for it, when no other message of that recipient comes first.
   * Then submit and attempt are one write. `stored` must follow.
   */
  claim({ number, modem, notBefore = 0, parts }: Claim): SenderWorker | undefined {
    const others = this.#incoming.get(number) ?? 0;
    this.#incoming.set(number, others + 1);
    if (others > 0 || notBefore > this.clock.now() || !this.#queue.idle(number, modem)) return undefined;
    const worker = this.#byTurn().find(
      (each) => each.isFree(parts) && (modem === undefined ? parts > this.#leftTo(each) : each.name === modem),
    );
    if (worker === undefined) return undefined;
    this.#turn(worker);
    worker.reserve();
    return worker;
  }

  /** The message was stored, with the attempt if a worker was claimed; or, without a row, it was not. */
  stored(number: PhoneNumber, worker: SenderWorker | undefined, row?: OutboxRow, message?: EncodedMessage): void {
    const others = (this.#incoming.get(number) ?? 1) - 1;
    if (others > 0) this.#incoming.set(number, others);
    else this.#incoming.delete(number);
    if (worker === undefined || row === undefined || message === undefined) {
      if (row !== undefined) this.add(row);
      worker?.release();
      return;
    }
    const entry = new QueueEntry(row);
    entry.hold = { type: 'taken', modem: worker.name };
    this.#queue.add(entry);
    this.#deadlines.plan(entry);
    worker.begin({ entry, part: 0, message });
  }

  /** Whether this modem has a message to this recipient in hand. */
  sending(modem: string, number: string): boolean {
    return this.#workers.get(modem)?.sends(number) ?? false;
  }

  /** The doubtful or refused part of a waiting message that a status report may belong to. */
  doubt(modem: string, number: string, mr: number): Doubt | undefined {
    for (const { doubt, refused, row } of this.#queue) {
      const open = doubt ?? refused;
      if (open?.modem !== modem || row.report === false || !sameSubscriber(row.number, number)) continue;
      // Against the word of the modem only a report with the very TP-MR counts.
      if (open.mr === mr || (doubt !== undefined && doubt.mr === undefined)) return open;
    }
    return undefined;
  }

  /** A status report has shown that the doubtful part was sent; `write` stores that. */
  async confirm(doubt: Doubt, mr: number, write: () => Promise<void>): Promise<void> {
    const { entry, modem, part } = doubt;
    const { hold } = entry;
    this.#workers.get(modem)?.evidence.confirmed(doubt, mr);
    this.hold(entry);
    try {
      await write();
    } catch (error) {
      entry.hold = hold;
      this.#deadlines.plan(entry);
      throw error;
    }
    this.#conclusions.advance(entry, part, modem);
    this.#deadlines.plan(entry);
    this.#wake();
  }

  /**
   * The modem's word on a part of unknown fate, after its `send` has ended. Says nothing when it could be of several
   * parts. Rejects when the outbox closes.
   */
  async answeredLate(modem: string, outcome: SendOutcome): Promise<void> {
    const doubts = [...this.#queue].map(({ doubt }) => doubt).filter((doubt) => doubt?.modem === modem);
    const [doubt] = doubts;
    const worker = this.#workers.get(modem);
    if (doubt === undefined || doubts.length > 1 || worker === undefined) return;
    const { entry, part } = doubt;
    this.log.info(`${modem} answers late for part ${part + 1} of message ${entry.id}: ${outcome.type}`);
    if (outcome.type === 'accepted') {
      const record = { kind: 'accepted', id: entry.id, part, mr: outcome.mr & 0xff, at: this.clock.now() } as const;
      await this.confirm(doubt, outcome.mr & 0xff, () => this.#options.ledger.insist([record]));
      return;
    }
    if (outcome.type !== 'rejected') return;
    await this.write(this.conclude(worker, { entry, part }, outcome, worker.sender.epoch));
  }

  take(worker: SenderWorker, room: number): QueueEntry | undefined {
    if (this.#closed) return undefined;
    const left = this.#leftTo(worker);
    const may = ({ begun, boundTo, row: { parts } }: QueueEntry) =>
      begun || (parts.length <= room && (boundTo !== undefined || parts.length > left));
    const entry =
      room < 1
        ? this.#queue.takeBegun(worker.name)
        : this.#queue.take(worker.name, this.clock.now(), left < Number.POSITIVE_INFINITY, may);
    if (entry !== undefined) this.#turn(worker);
    return entry;
  }

  encoded(entry: QueueEntry): Promise<EncodedMessage> {
    return this.#options.encoded(entry.row);
  }

  conclude(worker: SenderWorker, task: Task, outcome: SendOutcome, epoch: number): readonly OutboxRecord[] {
    const records = this.#conclusions.conclude(worker, task, outcome, epoch);
    this.#deadlines.plan(task.entry);
    // What this frees may suit another modem.
    queueMicrotask(() => this.#wake());
    return records;
  }

  async write(records: readonly OutboxRecord[]): Promise<void> {
    await this.#options.ledger.insist(records);
    for (const record of records) {
      const entry = 'id' in record ? this.#queue.get(record.id) : undefined;
      if (entry?.follow()) this.#queue.changed(entry);
    }
    // A recipient may be free now, and the share of the day of the preferred modem at its end.
    this.#wake();
  }

  concluded(modem: string): void {
    this.#options.concluded(modem);
  }

  owed(modem: string): number {
    return this.#queue.owed(modem);
  }

  partsOn(modem: string, now: number): number {
    return this.#options.table.daily.on(modem, dayOf(now));
  }

  /** A worker that comes free. Where nothing is available to any, each is woken when that changes. */
  wakeAt(time: number): void {
    if (this.#queue.hasHeads) this.#wakeAt(time);
  }

  /** What the last run knew of the modem's TP-MR; nothing when a doubtful part is not among those that wait. */
  #past(modem: string): MrPast<Doubt> | undefined {
    const { last, steps, open } = this.#options.table.trails.get(modem) ?? new MrTrail();
    if (last === undefined) return undefined;
    const doubts: Doubt[] = [];
    for (const [id, part] of open) {
      const doubt = this.#queue.get(id)?.doubt;
      if (doubt === undefined || doubt.modem !== modem || doubt.part !== part) return undefined;
      doubts.push(doubt);
    }
    return { last, steps, doubts };
  }

  #turn(worker: SenderWorker): void {
    this.#turns += 1;
    worker.turn = this.#turns;
  }

  /** What waits for this modem in the place of another may go by any again. */
  #undivert(modem: string): void {
    for (const entry of [...this.#queue].filter(({ diverted }) => diverted === modem)) {
      entry.divert(undefined);
      this.#queue.changed(entry);
    }
  }

  #goesSoon({ boundTo, hold }: QueueEntry): boolean {
    const rest = hold?.type === 'resting' ? hold.until - this.clock.monotonic() : 0;
    if (boundTo !== undefined) return this.#workers.get(boundTo)?.goesOn(rest) ?? false;
    return [...this.#workers.values()].some((worker) => worker.goesOn(rest));
  }

  /** Messages meant for no modem that are of so many parts, or of fewer, go by the preferred modem and not by this one. */
  #leftTo(worker: SenderWorker): number {
    const preferred = this.#workers.get(this.#options.table.preferred ?? '');
    return preferred === undefined || preferred === worker ? 0 : preferred.serves;
  }

  #another(than: ReadonlySet<string>, parts: number): { readonly now: string | undefined; readonly later: boolean } {
    const others = this.#byTurn().filter(({ name }) => !than.has(name));
    const able = others.filter(({ serves }) => serves >= parts);
    const preferred = able.find(({ name }) => name === this.#options.table.preferred);
    return { now: (preferred ?? able[0])?.name, later: others.length > 0 };
  }

  #byTurn(): readonly SenderWorker[] {
    return [...this.#workers.values()].sort((a, b) => a.turn - b.turn);
  }

  #wake(): void {
    if (!this.#queue.hasHeads) return;
    for (const worker of this.#byTurn()) worker.wake();
  }

  #wakeAt(time: number): void {
    if (this.#closed || time === Number.POSITIVE_INFINITY) return;
    this.#alarm.at(Math.min(time, this.clock.monotonic() + WALL_CLOCK_LOOK_MS));
  }

  #ring(): void {
    const setting = this.#options.checkClock();
    if (setting !== undefined) {
      void setting.finally(() => this.#ring());
      return;
    }
    this.#deadlines.attend();
    this.#wake();
  }
}

/** The fate of a part that was under way when the last run ended. */
const doubtOf = (entry: QueueEntry): Doubt => ({ entry, part: entry.next, modem: entry.row.via ?? '' });
