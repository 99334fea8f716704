import { backOffPause } from '../../base/back-off.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { clipped, type Rejection, refusal, type SendOutcome } from '../sender.ts';
import type { Verdict } from './evidence.ts';
import { hasCopy } from './part.ts';
import type { Doubt, QueueEntry, SendQueue } from './queue.ts';
import type { Ended, OutboxRecord } from './records.ts';
import type { SenderWorker, Task } from './sender-worker.ts';

/** How long a doubtful part waits: for a status report, for the next TP-MR of a modem that counts, or without evidence. */
const REPORT_WAIT_MS = 60_000;
const MR_WAIT_MS = 15_000;
const NO_WAIT_MS = 1_000;

/**
 * How often a message that a modem calls wrong is tried while nothing shows whether the message or the modem is wrong:
 * once more as it is, then after the modem was set up again, then after its restart.
 */
const WRONG_TRIES = 4;

/** Longest wait of a message for a modem that could not take it: the modem itself rests. */
const UNAVAILABLE_REST_MS = 5_000;

/** Temporary rejections after which the retries of a message are exhausted: about six hours. */
export const MAX_FAILURES = 20;

/** Pauses of a message between its retries, ms. */
const RETRIES = { first: 5_000, longest: 30 * 60_000, jitter: 0.25 };

/** Milliseconds until a message is tried again after its `failures`th rejection, from 1. */
export const retryDelay = (failures: number, random: () => number): number => backOffPause(RETRIES, failures, random);

export interface ConclusionsOptions {
  readonly queue: SendQueue;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** The modems that send what is meant for any, other than these: one that takes so many parts now, and whether there are more. */
  readonly another: (
    than: ReadonlySet<string>,
    parts: number,
  ) => { readonly now: string | undefined; readonly later: boolean };
}

/**
 * Draws the conclusions from the outcome of sending a part: changes the queue at once, and gives the records to write.
 */
export class Conclusions {
  readonly #queue: SendQueue;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #random: () => number;
  readonly #another: ConclusionsOptions['another'];
  /** Parts that are known to have been sent twice. */
  doubled = 0;

  constructor({ queue, clock, log, random, another }: ConclusionsOptions) {
    this.#queue = queue;
    this.#clock = clock;
    this.#log = log;
    this.#random = random;
    this.#another = another;
  }

  conclude(worker: SenderWorker, task: Task, outcome: SendOutcome, epoch: number): readonly OutboxRecord[] {
    switch (outcome.type) {
      case 'accepted':
        return this.#accepted(worker, task, outcome.mr & 0xff, epoch);
      case 'rejected':
        return this.#rejected(worker, task, outcome, epoch);
      case 'unavailable':
        return this.#unavailable(worker, task, clipped(outcome.reason));
      case 'ambiguous':
        return this.#ambiguous(worker, task, outcome.reason, epoch);
    }
  }

  /** The part is with the network: the rest of the message goes on. */
  advance(entry: QueueEntry, part: number, modem: string): void {
    entry.begun = true;
    entry.boundTo = modem;
    entry.next = entry.row.nextUnsent(part + 1);
    if (entry.next === -1) this.#queue.delete(entry);
    else this.release(entry);
  }

  release(entry: QueueEntry): void {
    entry.hold = undefined;
    this.#queue.changed(entry);
  }

  /** The end of a message when no evidence came about a doubtful part; undefined when the part is sent again. */
  undecided({ entry, part }: Doubt, policy: 'resend' | 'hold'): Ended | undefined {
    if (policy === 'resend' && !hasCopy(entry.row.parts[part] ?? 0)) return undefined;
    const error = 'a part was perhaps sent: the modem gave no answer';
    return { kind: 'ended', id: entry.id, state: 'unknown', reason: error, at: this.#clock.now() };
  }

  #accepted(worker: SenderWorker, { entry, part }: Task, mr: number, epoch: number): readonly OutboxRecord[] {
    worker.accepted();
    const at = this.#clock.now();
    const records: OutboxRecord[] = [{ kind: 'accepted', id: entry.id, part, mr, at }];
    for (const verdict of worker.evidence.accepted(epoch, mr)) records.push(...this.#verdict(verdict, at));
    entry.settling = true;
    this.advance(entry, part, worker.name);
    return records;
  }

  #verdict(verdict: Verdict<Doubt>, at: number): readonly OutboxRecord[] {
    const { entry, part, modem } = verdict.doubt;
    const refused = entry.refused === verdict.doubt;
    const open = entry.doubt === verdict.doubt || refused;
    if (verdict.type === 'not_sent') {
      if (!open) return [];
      this.release(entry);
      // That it was not sent is written already.
      if (refused) return [];
      return [{ kind: 'not_sent', id: entry.id, part, counts: false, at }];
    }
    if (open) this.advance(entry, part, modem);
    else if (entry.row.state !== 'unknown') return this.#doubled(entry, part);
    return [{ kind: 'accepted', id: entry.id, part, mr: verdict.mr, at }];
  }

  /** The same for a part that the modem refused, perhaps wrongly. */
  overruled({ entry, open }: Doubt, policy: 'resend' | 'hold'): Ended | undefined {
    if (open !== true || policy === 'resend') return undefined;
    const error = `a part was perhaps sent although the modem gave an error: ${entry.row.error ?? 'without a reason'}`;
    return { kind: 'ended', id: entry.id, state: 'unknown', reason: clipped(error), at: this.#clock.now() };
  }

  /** It was decided before the evidence came, and so it was sent again. */
  #doubled(entry: QueueEntry, part: number): readonly OutboxRecord[] {
    this.doubled += 1;
    this.#log.warning(`part ${part + 1} of message ${entry.id} was sent twice: its first answer was lost`);
    return [];
  }

  #rejected(worker: SenderWorker, task: Task, outcome: Rejection, epoch: number): readonly OutboxRecord[] {
    const { by, fault, permanent } = outcome;
    const reason = refusal(outcome.reason, outcome.cause);
    if (by === 'gateway') return permanent ? this.#fail(task, reason) : this.#later(worker, task, reason, 0);
    if (by === 'modem' && fault === 'message') return this.#calledWrong(worker, task, reason, epoch);
    if (by === 'modem' && fault !== 'modem') return this.#doubted(worker, task, reason, epoch);
    const mr = worker.evidence.rejected(epoch);
    if (by === 'modem') return this.#unavailable(worker, task, reason);
    if (permanent) {
      const records = fault === 'modem' ? this.#divert(worker, task, reason) : undefined;
      if (records !== undefined) return records;
      worker.decided();
      return this.#fail(task, reason);
    }
    worker.heard();
    const refused = mr === undefined ? undefined : { ...this.#doubt(worker, task), mr };
    return this.#later(worker, task, reason, 0, refused);
  }

  /** An error that is only the modem's word: the network may have the part. Evidence gets its time. */
  #doubted(worker: SenderWorker, task: Task, reason: string, epoch: number): readonly OutboxRecord[] {
    const refused = this.#doubt(worker, task);
    refused.mr = worker.evidence.refused(epoch, refused);
    refused.open = true;
    const all = worker.refused(task.entry.id, false);
    return this.#later(worker, task, reason, worker.evidence.decides ? MR_WAIT_MS : 0, refused, all);
  }

  /** A temporary error: tried again later. `all`: the modem refuses everything, which is not the message's failure. */
  #later(
    worker: SenderWorker,
    task: Task,
    reason: string,
    wait: number,
    refused?: Doubt,
    all = false,
  ): readonly OutboxRecord[] {
    const { entry } = task;
    if (!all) entry.failures += 1;
    if (entry.failures >= MAX_FAILURES) return this.#fail(task, reason);
    worker.rejected();
    const delay = Math.max(wait, retryDelay(Math.max(1, entry.failures), this.#random));
    return this.#giveBack(task, reason, !all, delay, refused);
  }

  /**
   * The modem says that the message is wrong (303, 304). It is, if the modem takes others; if it takes no other, the
   * modem is wrong. A message alone is tried until the modem was restarted for it.
   */
  #calledWrong(worker: SenderWorker, task: Task, reason: string, epoch: number): readonly OutboxRecord[] {
    const { entry } = task;
    worker.evidence.rejected(epoch);
    const takesOthers = entry.wrong !== undefined && worker.taken > entry.wrong.taken;
    const tries = (entry.wrong?.tries ?? 0) + 1;
    entry.wrong = { tries, taken: worker.taken };
    const all = worker.refused(entry.id, true);
    if (takesOthers || (!all && tries >= WRONG_TRIES)) return this.#fail(task, reason);
    worker.rejected();
    return this.#giveBack(task, reason, false, retryDelay(Math.min(tries, WRONG_TRIES), this.#random));
  }

  /** The network bars the SIM, not the message: another modem sends it. Undefined where none can. */
  #divert(worker: SenderWorker, task: Task, reason: string): readonly OutboxRecord[] | undefined {
    const { entry } = task;
    entry.barred.add(worker.name);
    // A receiver joins only parts of one sender.
    const isBound = entry.next > 0 || entry.row.pin !== undefined || entry.row.parts.some(hasCopy);
    if (isBound) return undefined;
    const { now, later } = this.#another(entry.barred, entry.row.parts.length);
    if (now === undefined && !later) return undefined;
    worker.bar();
    if (now === undefined) return this.#later(worker, task, reason, 0);
    entry.divert(now);
    this.#log.warning(`the network bars ${worker.name}: ${reason}; message ${entry.id} goes by ${now}`);
    return this.#giveBack(task, reason, false, 0);
  }

  #doubt({ name }: SenderWorker, { entry, part }: Task): Doubt {
    return { entry, part, modem: name };
  }

  #unavailable(worker: SenderWorker, task: Task, reason: string): readonly OutboxRecord[] {
    return this.#giveBack(task, reason, false, Math.min(UNAVAILABLE_REST_MS, worker.troubled()));
  }

  #giveBack(
    { entry, part }: Task,
    reason: string,
    counts: boolean,
    delay: number,
    refused?: Doubt,
  ): readonly OutboxRecord[] {
    entry.hold = { type: 'resting', until: this.#clock.monotonic() + delay, refused };
    entry.settling = true;
    this.#queue.changed(entry);
    return [{ kind: 'not_sent', id: entry.id, part, counts, reason, at: this.#clock.now() }];
  }

  #fail({ entry }: Task, reason: string): readonly OutboxRecord[] {
    this.#queue.delete(entry);
    return [{ kind: 'ended', id: entry.id, state: 'failed', reason, at: this.#clock.now() }];
  }

  /** No record is needed: an attempt without one is what a doubtful part looks like. */
  #ambiguous(worker: SenderWorker, { entry, part }: Task, reason: string, epoch: number): readonly OutboxRecord[] {
    worker.rejected();
    const doubt = this.#doubt(worker, { entry, part });
    doubt.mr = worker.evidence.ambiguous(epoch, doubt);
    const wait = worker.asksReport(entry.row) ? REPORT_WAIT_MS : doubt.mr === undefined ? NO_WAIT_MS : MR_WAIT_MS;
    entry.begun = true;
    entry.hold = { type: 'doubtful', doubt, until: this.#clock.monotonic() + wait };
    this.#queue.changed(entry);
    this.#log.warning(`part ${part + 1} of message ${entry.id} was perhaps sent by ${worker.name}: ${clipped(reason)}`);
    return [];
  }
}
