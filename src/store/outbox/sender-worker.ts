import { BackOff, backOffPause } from '../../base/back-off.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError, isPermanent } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { sameSubscriber } from '../../base/phone-number.ts';
import type { MessageId } from '../message.ts';
import type { EncodedMessage, Sender, SenderLimits, SendOutcome } from '../sender.ts';
import { MrEvidence, type MrPast } from './evidence.ts';
import type { Doubt, QueueEntry } from './queue.ts';
import type { Attempted, OutboxRecord } from './records.ts';
import { nextDay } from './table.ts';

/** One part that a worker has taken to send. */
export interface Task {
  readonly entry: QueueEntry;
  readonly part: number;
  readonly message?: EncodedMessage;
}

/** What a worker asks of the dispatcher. */
export interface WorkerHost {
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes the message whose turn it is, when there is one; a new one only where `room` holds its parts. */
  take(worker: SenderWorker, room: number): QueueEntry | undefined;
  encoded(entry: QueueEntry): Promise<EncodedMessage>;
  /** Draws the conclusions of an outcome: changes the queue, and gives the records to write. */
  conclude(worker: SenderWorker, task: Task, outcome: SendOutcome, epoch: number): readonly OutboxRecord[];
  /** Writes the records, however long that takes. Rejects when the outbox closes. */
  write(records: readonly OutboxRecord[]): Promise<void>;
  /** The worker has given something up, and its outcome is written. */
  concluded(modem: string): void;
  partsOn(modem: string, now: number): number;
  /** Parts that the modem has still to send of messages that it has begun. */
  owed(modem: string): number;
  /** Asks to be woken at this time by the monotonic clock. */
  wakeAt(time: number): void;
}

/** A rest that others need not step in for. */
const SHORT_REST_MS = 60_000;

/** Different messages refused in a row after which the modem is at fault; or the same one so often. */
const REFUSES_ALL = 3;
const REFUSES_ONE = 6;
/** Pauses between two requests to recover the modem, ms, after the first two, which follow at once. */
const REQUESTS = { first: 2 * 60_000, longest: 60 * 60_000 };

/** Pauses that a modem gets to recover after each fruitless try, ms. */
const RECOVERY = { first: 1_000, longest: 60_000 };
/** Temporary rejections in a row that count as bad luck; after them the modem or the network has a problem. */
const PATIENCE = 3;

/** Longest time that a modem may take over one part. */
const SEND_DEADLINE_MS = 5 * 60_000;

/** Takes parts from the queue and gives them to one modem, one at a time, within its limits. */
export class SenderWorker {
  readonly sender: Sender;
  readonly evidence: MrEvidence<Doubt>;
  limits: SenderLimits;
  readonly #host: WorkerHost;
  #working = false;
  #stopped = false;
  #sending: { readonly abort: AbortController; readonly done: Promise<unknown> } | undefined;
  #run: Promise<void> = Promise.resolve();
  /** What it has in hand: taken, and the outcome not yet durable. */
  #inHand: readonly Task[] = [];
  /** By the monotonic clock: when the last part went, and until when the modem rests. */
  #begun = Number.NEGATIVE_INFINITY;
  #rest = 0;
  #barred = false;
  readonly #troubles = new BackOff(RECOVERY);
  /** Pauses after temporary rejections, and how many came without a pause. */
  readonly #rejections = new BackOff(RECOVERY);
  #badLuck = 0;
  /** Parts that the modem has taken since the start. */
  taken = 0;
  /** Messages that the modem itself refused, one after the other, and how often. */
  readonly #refused = new Set<MessageId>();
  #refusals = 0;
  #requests = 0;
  #nextRequest = 0;
  /** The modem's epoch at the last attempt, and at the last one that the journal has. In the last run it was 0. */
  #attempted = 0;
  #noted = 0;
  /** Its last turn among all workers: the one whose turn is longest ago comes next. */
  turn = 0;

  /** `past`: what the last run knew of the modem's TP-MR. */
  constructor(sender: Sender, limits: SenderLimits, host: WorkerHost, past?: MrPast<Doubt>) {
    this.sender = sender;
    this.limits = limits;
    this.#host = host;
    this.evidence = new MrEvidence(past);
  }

  get name(): string {
    return this.sender.name;
  }

  /** Whether it could begin a message of so many parts this moment. */
  isFree(parts: number): boolean {
    return !this.#working && this.#freeAt() <= this.#host.clock.monotonic() && this.#room(0) >= parts;
  }

  /**
   * Of how many parts a new message may be that it sends now or before long: none while the modem is away, rests, is barred, or
   * has sent its share of the day.
   */
  get serves(): number {
    const isSoon = this.#freeAt() <= this.#host.clock.monotonic() + SHORT_REST_MS;
    return isSoon && !this.#barred ? this.#room(0) : 0;
  }

  /** Whether it goes on before long, however slowly, with a message that it has begun and that rests for `ms` more. */
  goesOn(ms: number): boolean {
    const isThere = !this.#stopped && this.sender.ready;
    return isThere && Math.max(this.#rest - this.#host.clock.monotonic(), ms) <= SHORT_REST_MS;
  }

  /** The network lets its SIM send nothing. Others step in, and it tries again now and then. */
  bar(): void {
    this.#barred = true;
    this.troubled();
  }

  /** Keeps the worker for a message that is being stored; `begin` or `wake` must follow. */
  reserve(): void {
    this.#working = true;
  }

  /** What is to be written before the part goes to the modem. */
  attempt(id: MessageId, part: number): Attempted {
    this.#attempted = this.sender.epoch;
    return { kind: 'attempted', id, part, modem: this.name, reset: this.#attempted !== this.#noted };
  }

  begin(task: Task): void {
    this.#run = this.#work(task, []);
  }

  release(): void {
    this.#working = false;
    this.wake();
  }

  /** Looks for work. */
  wake(): void {
    if (this.#working || this.#stopped) return;
    const records: OutboxRecord[] = [];
    const task = this.#take(records);
    if (task !== undefined) this.#run = this.#work(task, records);
  }

  /** Whether it has a message to this recipient in hand. */
  sends(number: string): boolean {
    return this.#inHand.some(({ entry }) => sameSubscriber(entry.row.number, number));
  }

  /** The modem came to life: what was wrong before is over. */
  recovered(): void {
    this.#rest = 0;
    this.#barred = false;
    this.#troubles.reset();
    this.wake();
  }

  accepted(): void {
    this.taken += 1;
    this.#barred = false;
    this.decided();
  }

  /** The network has refused a part for good: neither it nor the modem is in trouble. */
  decided(): void {
    this.#badLuck = 0;
    this.#rejections.reset();
    this.heard();
  }

  /** The network had its say: the modem itself works. */
  heard(): void {
    this.#troubles.reset();
    this.#refused.clear();
    this.#refusals = 0;
    this.#requests = 0;
    this.#nextRequest = 0;
  }

  /**
   * The modem itself refused a message; `wrong`: as one that no modem could send. Several in a row are the modem's fault,
   * which it is asked to set right. Whether it is so.
   */
  refused(id: MessageId, wrong: boolean): boolean {
    const again = this.#refused.has(id);
    this.#refused.add(id);
    this.#refusals += 1;
    const all = this.#refused.size >= REFUSES_ALL;
    if (all || (wrong && again) || this.#refusals >= REFUSES_ONE) this.#requestRecovery();
    return all;
  }

  /** A temporary rejection. Gives the milliseconds that the worker rests. */
  rejected(): number {
    this.#badLuck += 1;
    return this.#restFor(this.#badLuck <= PATIENCE ? 0 : this.#rejections.next());
  }

  /** The modem could not even try. Gives the milliseconds that the worker rests. */
  troubled(): number {
    return this.#restFor(this.#troubles.next());
  }

  /** Resolves when the modem has nothing in its hands any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sending?.abort.abort(new GatewayError('stopping', 'the modem is taken out of service'));
    await this.#sending?.done;
  }

  /** Resolves when it has also written the outcome. */
  async finish(): Promise<void> {
    await this.stop();
    await this.#run;
  }

  #requestRecovery(): void {
    const now = this.#host.clock.monotonic();
    if (now < this.#nextRequest) return;
    this.#requests += 1;
    this.#nextRequest = this.#requests < 2 ? 0 : now + backOffPause(REQUESTS, this.#requests - 1, Math.random);
    this.sender.refusesAll?.();
  }

  #restFor(pause: number): number {
    this.#rest = this.#host.clock.monotonic() + pause;
    return pause;
  }

  /** From when on a part may be taken, by the monotonic clock. */
  #freeAt(): number {
    if (this.#stopped || !this.sender.ready) return Number.POSITIVE_INFINITY;
    return Math.max(this.#begun + this.limits.interval, this.#rest);
  }

  /**
   * For how many parts of new messages the share of the day has room, if `more` of today are not yet counted. What is longer than
   * the whole of a day goes first on one.
   */
  #room(more: number): number {
    const { daily } = this.limits;
    if (daily === 0) return Number.POSITIVE_INFINITY;
    const used = this.#host.partsOn(this.name, this.#host.clock.now()) + more + this.#host.owed(this.name);
    return used === 0 ? Number.POSITIVE_INFINITY : daily - used;
  }

  /**
   * A part costs one synced write when the modem is busy: the line with the last part's acceptance holds
   * the next part's attempt as well. The attempt must be durable before the PDU leaves: after a power cut, a part that
   * perhaps left must not look like one that never did. `attempt` is that of the first task, where it is not durable yet.
   */
  async #work(first: Task, attempt: OutboxRecord[]): Promise<void> {
    this.#working = true;
    let [task, records]: [Task | undefined, OutboxRecord[]] = [first, attempt];
    try {
      while (task !== undefined || records.length > 0) {
        if (records.length > 0) await this.#host.write(records);
        this.#holds(task);
        records = task === undefined ? [] : await this.#carryOut(task);
        task = this.#take(records);
      }
      this.#holds(undefined);
    } catch (error) {
      // The outbox closes: the journal shows the next start how far it was. Any other error is a bug.
      this.#stopped = true;
      const closing = error instanceof GatewayError && error.code === 'stopping';
      this.#host.log[closing ? 'debug' : 'error'](`${this.name} stops sending: ${describeError(error)}`);
    }
    this.#working = false;
  }

  #holds(task: Task | undefined): void {
    this.#inHand = task === undefined ? [] : [task];
    this.#host.concluded(this.name);
  }

  async #carryOut(task: Task): Promise<OutboxRecord[]> {
    this.#noted = this.#attempted;
    const { epoch } = this.sender;
    const outcome = await this.#send(task);
    return [...this.#host.conclude(this, task, outcome, epoch)];
  }

  #take(records: OutboxRecord[]): Task | undefined {
    const { clock } = this.#host;
    const at = this.#freeAt();
    if (at > clock.monotonic()) {
      this.#host.wakeAt(at);
      return undefined;
    }
    const more = records.filter((record) => record.kind === 'accepted').length;
    // What is begun goes on: half of a long message is of no use until tomorrow.
    const entry = this.#host.take(this, this.#room(more));
    if (entry === undefined) {
      if (this.limits.daily > 0) this.#host.wakeAt(clock.monotonic() + nextDay(clock.now()) - clock.now());
      return undefined;
    }
    records.push(this.attempt(entry.id, entry.next));
    return { entry, part: entry.next };
  }

  async #send(task: Task): Promise<SendOutcome> {
    const { clock } = this.#host;
    const away = { type: 'unavailable', reason: `${this.name} is not ready` } as const;
    let message: EncodedMessage;
    try {
      message = task.message ?? (await this.#host.encoded(task.entry));
    } catch (error) {
      return unreadable(error);
    }
    const { row } = task.entry;
    const part = message.parts[task.part];
    if (part === undefined || message.parts.length !== row.parts.length) {
      const reason = 'the message divides into other parts than it did';
      return { type: 'rejected', by: 'gateway', fault: 'message', permanent: true, reason };
    }
    if (this.#stopped || !this.sender.ready) return away;
    this.#begun = clock.monotonic();
    const { dcs, pid } = message;
    const validity = Math.max(1, Math.round((row.expires - clock.now()) / 1000));
    return this.#hand({ number: row.number, dcs, pid, ...part, report: this.asksReport(row), validity });
  }

  asksReport({ report }: { readonly report: boolean | undefined }): boolean {
    return report ?? this.limits.reports ?? false;
  }

  async #hand(part: Parameters<Sender['send']>[0]): Promise<SendOutcome> {
    const abort = new AbortController();
    const late = () =>
      abort.abort(new GatewayError('timeout', `no answer within ${SEND_DEADLINE_MS / 60_000} minutes`));
    const cancel = this.#host.clock.after(SEND_DEADLINE_MS, late);
    const done = this.sender.send(part, abort.signal).catch(
      // A sender that throws says nothing about the part.
      (error: unknown): SendOutcome => ({ type: 'ambiguous', reason: describeError(error) }),
    );
    this.#sending = { abort, done };
    try {
      return await done;
    } finally {
      cancel();
      this.#sending = undefined;
    }
  }
}

/** Content that the store does not give now may come back; content that cannot be encoded any more stays so. */
function unreadable(error: unknown): SendOutcome {
  const permanent = isPermanent(error);
  return {
    type: 'rejected',
    by: 'gateway',
    fault: permanent ? 'message' : 'unknown',
    permanent,
    reason: describeError(error),
  };
}
