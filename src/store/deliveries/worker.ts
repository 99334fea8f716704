import { aborted } from '../../base/abort.ts';
import { backOffPause } from '../../base/back-off.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { InboxMessage } from '../message.ts';
import { attempt, attemptAbort, Commitment, type DeliveryOutcome } from './attempt.ts';
import { type Ending, encodeEnd, encodeRetry, NO_MESSAGE } from './records.ts';
import { type DeliveryRow, type DeliveryTable, LONGEST_ASKED } from './table.ts';

/**
 * One delivery as its module gets it: a received message, or the note about the outcome of a sent one or about an event of a modem.
 * `attempts`: failed tries before this one, also over restarts.
 */
export type Delivery = {
  readonly target: string;
  readonly attempts: number;
} & (
  | { readonly kind: 'message'; readonly message: InboxMessage }
  | { readonly kind: 'receipt' | 'modem'; readonly note: string }
);

/** What a module does for one delivery. When `commit` has resolved the delivery is stored as done, whatever follows. */
export type Deliver = (
  delivery: Delivery,
  signal: AbortSignal,
  commit: () => Promise<void>,
) => Promise<DeliveryOutcome>;

/** What a module does while a delivery to the target is being stored: of the message, where it is known already. */
export type Prepare = (target: string, message: InboxMessage | undefined) => void;

/** Called with the outcome of each try. */
export type Tried = (target: string, outcome: DeliveryOutcome) => void;

export interface Counters {
  done: number;
  rejected: number;
  expired: number;
  retried: number;
}

export interface WorkerOptions {
  readonly module: string;
  /** The module ran before in this run of the gateway: what failed by its config of then is tried again at once. */
  readonly isRestarted: boolean;
  readonly deliver: Deliver;
  readonly signal: AbortSignal;
  /** Deliveries under way at once, of all targets and of one. */
  readonly concurrency: number;
  readonly window: (target: string) => number;
  readonly table: DeliveryTable;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly counters: Counters;
  readonly prepare: Prepare;
  readonly tried: Tried | undefined;
  content(delivery: DeliveryRow): Promise<InboxMessage | undefined>;
  record(record: ReturnType<typeof encodeEnd>): Promise<void>;
}

/**
 * A delivery is given up at this age, milliseconds, but not before it was tried this often: clocks jump. A module with
 * less patience rejects it earlier.
 */
const LIFETIME = 31 * 86_400_000;
const FEWEST_ATTEMPTS = 10;
/** Pauses between the tries of a delivery, ms. */
const RETRIES = { first: 10_000, longest: 3_600_000, jitter: 0.25 };
/** Before an outcome that the store did not take is tried to be stored again. */
const STORE_RETRY = 10_000;
/** So many deliveries to a target that fail in a row, each letting the next go first, are the target's fault. */
const REFUSALS_IN_A_ROW = 10;
/**
 * While so many that are made are being stored as such, no more begin for the target: after a power cut these are what it gets
 * twice.
 */
const STORING = 4;
/** A delivery without a taker is tried after this time even without a call: it may be too old by then. */
const WAIT = 3_600_000;

/** What is under way to a target. */
interface Lane {
  busy: number;
  /** Made, and not stored as that yet. */
  storing: number;
  /** Resolves when all that began before are handed to the module: it gets them in their order. */
  turn: Promise<void>;
  /** Deliveries in a row that let the next go first at once, and until when nothing is tried because of them. */
  refusals: number;
  heldUntil: number;
}

/** Makes the deliveries of one module for as long as it runs. No polling: a timer for the next that is due. */
export class DeliveryWorker {
  readonly #options: WorkerOptions;
  readonly #running = new Set<Promise<void>>();
  /** Tries under way. */
  #busy = 0;
  readonly #lanes = new Map<string, Lane>();
  #cancel: (() => void) | undefined;
  /** The delivery that is being stored and comes next. */
  #expected: { readonly target: string; readonly message: InboxMessage | undefined; isPrepared: boolean } | undefined;
  /** What aborts the next try. */
  #abort: AbortController | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    for (const delivery of options.table.opened(options.module)) {
      // There may be a taker now.
      delivery.waitsUntil = 0;
      if (options.isRestarted) this.#makeDue(delivery);
    }
  }

  /** Starts what is due. To be called whenever something new is pending. */
  wake(): void {
    const { clock, signal, concurrency } = this.#options;
    this.#cancel?.();
    this.#cancel = undefined;
    if (signal.aborted) return;
    while (this.#busy < concurrency) {
      const next = this.#next();
      if (next === undefined) return;
      // What is looked at for the first time is due at that moment, so the time is taken after it.
      const left = next.at - clock.monotonic();
      if (left > 0) {
        this.#cancel = clock.after(left, () => this.wake());
        return;
      }
      this.#begin(next.delivery);
    }
  }

  /** A delivery to the target is about to be stored. */
  expect(target: string, message: InboxMessage | undefined): void {
    const { table, module } = this.#options;
    if (this.#busy > 0 || this.#expected !== undefined || table.waiting(module, target) > 0) return;
    this.#expected = { target, message, isPrepared: false };
  }

  /** The disk is at work: meanwhile the module gets ready for what is expected. */
  getReady(): void {
    const { prepare, signal, log } = this.#options;
    const expected = this.#expected;
    if (expected === undefined || expected.isPrepared || signal.aborted) return;
    expected.isPrepared = true;
    this.#abort ??= attemptAbort();
    try {
      prepare(expected.target, expected.message);
    } catch (error) {
      // What is wrong shows with the delivery.
      log.debug(`cannot get ready for ${expected.target}: ${describeError(error)}`);
    }
  }

  /** The delivery that was expected is not stored. */
  expectNothing(): void {
    this.#expected = undefined;
  }

  /** What is to be done for the target is due now, in its order, and its pauses begin as short as they were at first. */
  call(target: string): void {
    const { table, module } = this.#options;
    for (const delivery of table.opened(module, target)) {
      this.#makeDue(delivery);
      delivery.called = true;
    }
    this.#accepted(target);
    this.wake();
  }

  /** Resolves once the signal has aborted and nothing is under way. */
  async ended(): Promise<void> {
    const { signal } = this.#options;
    if (!signal.aborted) {
      await aborted(signal);
    }
    this.#cancel?.();
    await Promise.all(this.#running);
  }

  /** The first that may be started, and when, by the monotonic clock. */
  #next(): { readonly delivery: DeliveryRow; readonly at: number } | undefined {
    const { table, module, window } = this.#options;
    let next: { readonly delivery: DeliveryRow; readonly at: number } | undefined;
    for (const delivery of table.heads(module)) {
      const lane = this.#lanes.get(delivery.target);
      if (lane !== undefined && lane.busy >= window(delivery.target)) continue;
      const at = Math.max(delivery.due, delivery.waitsUntil, lane?.heldUntil ?? 0);
      if (next === undefined || at < next.at || (at === next.at && delivery.id < next.delivery.id)) {
        next = { delivery, at };
      }
    }
    return next;
  }

  #begin(delivery: DeliveryRow): void {
    const lane = this.#lane(delivery.target);
    delivery.underWay = true;
    delivery.called = false;
    lane.busy += 1;
    this.#busy += 1;
    this.#expected = undefined;
    const before = lane.turn;
    let handed = () => {};
    lane.turn = new Promise((resolve) => {
      handed = resolve;
    });
    let [isTried, isMade] = [false, false];
    const tried = () => {
      if (isTried) return;
      isTried = true;
      lane.busy -= 1;
      this.#busy -= 1;
    };
    /** The next one goes while it is stored that this one is made. */
    const made = () => {
      isMade = true;
      lane.storing += 1;
      if (lane.storing >= STORING) return;
      tried();
      this.wake();
    };
    const work = this.#run(delivery, before, handed, made).finally(() => {
      handed();
      tried();
      if (isMade) lane.storing -= 1;
      delivery.underWay = false;
      if (lane.busy === 0 && lane.storing === 0 && lane.refusals === 0) this.#lanes.delete(delivery.target);
      this.#running.delete(work);
      this.wake();
    });
    this.#running.add(work);
  }

  /** Now, and if it fails the pauses are as short as at first. */
  #makeDue(delivery: DeliveryRow): void {
    delivery.due = Math.min(delivery.due, this.#options.clock.monotonic());
    delivery.waitsUntil = 0;
    delivery.failures = 0;
    delivery.passable = false;
  }

  #lane(target: string): Lane {
    const present = this.#lanes.get(target);
    if (present !== undefined) return present;
    const lane = { busy: 0, storing: 0, turn: Promise.resolve(), refusals: 0, heldUntil: 0 };
    this.#lanes.set(target, lane);
    return lane;
  }

  /** Never rejects. */
  async #run(delivery: DeliveryRow, before: Promise<void>, handed: () => void, made: () => void): Promise<void> {
    const { signal, log, tried } = this.#options;
    const commitment = new Commitment(() => this.#end(delivery, { type: 'done' }));
    const outcome = await this.#try(delivery, commitment, before, handed);
    if (outcome !== undefined) tried?.(delivery.target, outcome);
    if (await commitment.close()) {
      if (outcome !== undefined && outcome.type !== 'done') {
        log.warning(`${nameOf(delivery)} to ${delivery.target} failed for good: ${outcome.reason}`);
      }
      return;
    }
    if (outcome === undefined) return;
    if (outcome.type === 'done') made();
    for (;;) {
      try {
        return await this.#settle(delivery, outcome);
      } catch (error) {
        // It is done and must not be done again only because the disk is full.
        log.warning(`the end of a delivery could not be stored: ${describeError(error)}`);
        if (!(await this.#pause())) return;
      }
      if (signal.aborted) return;
    }
  }

  async #pause(): Promise<boolean> {
    const { clock, signal } = this.#options;
    return sleep(clock, STORE_RETRY, signal).then(
      () => true,
      () => false,
    );
  }

  /**
   * Gives it to the module once `before` has resolved, and then calls `handed`. Undefined when it was stopped before there
   * was an outcome: that is no failed try.
   */
  async #try(
    row: DeliveryRow,
    commitment: Commitment,
    before: Promise<void>,
    handed: () => void,
  ): Promise<DeliveryOutcome | undefined> {
    const { clock, signal, deliver } = this.#options;
    try {
      const delivery = await this.#deliveryOf(row);
      if (delivery === undefined) return { type: 'rejected', reason: 'the message is gone', moot: true };
      await before;
      const abort = this.#abort;
      this.#abort = undefined;
      const delivered = attempt(clock, signal, (s) => deliver(delivery, s, () => commitment.make()), abort);
      handed();
      return await delivered;
    } catch (error) {
      return signal.aborted ? undefined : { type: 'retry', reason: describeError(error) };
    }
  }

  /** Undefined when its message is gone. */
  async #deliveryOf(row: DeliveryRow): Promise<Delivery | undefined> {
    const { target, note, attempts } = row;
    if (note !== undefined) return { kind: row.id === NO_MESSAGE ? 'modem' : 'receipt', target, attempts, note };
    const message = await this.#options.content(row);
    return message && { kind: 'message', target, attempts, message };
  }

  async #settle(delivery: DeliveryRow, outcome: DeliveryOutcome): Promise<void> {
    const { clock, counters, log, random, record } = this.#options;
    const { id, item, target } = delivery;
    if (outcome.type === 'waiting') return this.#wait(delivery, outcome.reason);
    if (outcome.type !== 'retry') return this.#end(delivery, outcome);
    const attempts = delivery.attempts + 1;
    if (attempts >= FEWEST_ATTEMPTS && this.#isOld(delivery)) {
      return this.#end(delivery, { type: 'expired', reason: outcome.reason });
    }
    const asked = Math.min(outcome.after ?? 0, LONGEST_ASKED);
    const pause = Math.max(asked, backOffPause(RETRIES, delivery.failures + 1, random));
    delivery.passable = outcome.passable ?? false;
    await record(encodeRetry(id, item, attempts, clock.now() + pause));
    counters.retried += 1;
    // A repeated refusal says nothing about other deliveries.
    if (outcome.passable === 'at_once' && delivery.failures === 1) this.#refused(target);
    const text = `${nameOf(delivery)} to ${target} failed, again in ${Math.round(pause / 1000)} s: ${outcome.reason}`;
    // The module logs once that its target fails.
    if (attempts === 1) log.info(text);
    else log.debug(text);
  }

  /** Holds everything for the target up when it refuses several in a row: trying all would only write failures. */
  #refused(target: string): void {
    const { clock, random } = this.#options;
    const lane = this.#lane(target);
    lane.refusals += 1;
    const beyond = lane.refusals - REFUSALS_IN_A_ROW + 1;
    if (beyond > 0) lane.heldUntil = clock.monotonic() + backOffPause(RETRIES, beyond, random);
  }

  #accepted(target: string): void {
    const lane = this.#lanes.get(target);
    if (lane === undefined) return;
    lane.refusals = 0;
    lane.heldUntil = 0;
    if (lane.busy === 0 && lane.storing === 0) this.#lanes.delete(target);
  }

  /** Nothing is stored for it, and it is no failed try. */
  async #wait(delivery: DeliveryRow, reason: string): Promise<void> {
    delivery.waits += 1;
    if (delivery.waits >= FEWEST_ATTEMPTS && this.#isOld(delivery)) {
      return this.#end(delivery, { type: 'expired', reason });
    }
    delivery.waitsUntil = delivery.called ? 0 : this.#options.clock.monotonic() + WAIT;
  }

  #isOld({ since }: DeliveryRow): boolean {
    return this.#options.clock.now() - since > LIFETIME;
  }

  async #end(delivery: DeliveryRow, how: { readonly type: Ending; readonly reason?: string }): Promise<void> {
    const { counters, log, record } = this.#options;
    const { id, item, target } = delivery;
    await record(encodeEnd(id, item, how.type));
    counters[how.type] += 1;
    this.#accepted(target);
    if (how.type !== 'done') log.warning(`${nameOf(delivery)} to ${target} ${how.type}: ${how.reason ?? ''}`);
  }
}

const nameOf = ({ id }: DeliveryRow): string => (id === NO_MESSAGE ? 'an event' : `message ${id}`);
