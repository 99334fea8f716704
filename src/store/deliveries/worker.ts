import { type Clock, sleep } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { InboxMessage } from '../message.ts';
import { attempt } from './attempt.ts';
import { backOff } from './back-off.ts';
import { Commitment } from './commitment.ts';
import type { DeliveryOutcome } from './outcome.ts';
import { type Ending, encodeEnd, encodeRetry } from './records.ts';
import type { Delivery, DeliveryTable } from './table.ts';

/** What a module does for one delivery. When `commit` has resolved the delivery is stored as done, whatever follows. */
export type Deliver = (
  message: InboxMessage,
  target: string,
  signal: AbortSignal,
  commit: () => Promise<void>,
) => Promise<DeliveryOutcome>;

/** What a module does to tell what became of a sent message. */
export type Tell = (note: string, target: string, signal: AbortSignal) => Promise<DeliveryOutcome>;

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
  readonly deliver: Deliver;
  readonly tell: Tell | undefined;
  readonly signal: AbortSignal;
  /** Deliveries under way at once; never two of one target. */
  readonly concurrency: number;
  readonly table: DeliveryTable;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly counters: Counters;
  readonly tried: Tried | undefined;
  content(delivery: Delivery): Promise<InboxMessage | undefined>;
  record(record: ReturnType<typeof encodeEnd>): Promise<void>;
}

/**
 * A delivery is given up at this age, milliseconds, but not before it was tried this often: clocks jump. A module with
 * less patience rejects it earlier.
 */
const LIFETIME = 31 * 86_400_000;
const FEWEST_ATTEMPTS = 10;
/** Before an outcome that the store did not take is tried to be stored again. */
const STORE_RETRY = 10_000;
/** After so long what waits for somebody to take it is tried without a call: it may have grown too old. */
const WAIT = 3_600_000;

/** Makes the deliveries of one module for as long as it runs. No polling: a timer for the next that is due. */
export class DeliveryWorker {
  readonly #options: WorkerOptions;
  readonly #busy = new Map<string, Promise<void>>();
  /** Targets that were called while a delivery to them was under way. */
  readonly #called = new Set<string>();
  #cancel: (() => void) | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    // What found nobody may find somebody now.
    for (const delivery of options.table.heads(options.module)) delivery.waitsUntil = 0;
  }

  /** Starts what is due. To be called whenever something new is pending. */
  wake(): void {
    const { table, module, clock, signal, concurrency } = this.#options;
    this.#cancel?.();
    this.#cancel = undefined;
    if (signal.aborted) return;
    const now = clock.monotonic();
    const waiting = [...table.heads(module)]
      .filter(({ target }) => !this.#busy.has(target))
      .sort((a, b) => readyAt(a) - readyAt(b) || a.id - b.id);
    for (const delivery of waiting) {
      if (this.#busy.size >= concurrency) return;
      if (this.#busy.has(delivery.target)) continue;
      if (readyAt(delivery) > now) {
        this.#cancel = clock.after(readyAt(delivery) - now, () => this.wake());
        return;
      }
      this.#begin(delivery);
    }
  }

  /** What is to be done for the target is due now. */
  call(target: string): void {
    const { table, module, clock } = this.#options;
    if (this.#busy.has(target)) this.#called.add(target);
    for (const delivery of table.heads(module)) {
      if (delivery.target !== target) continue;
      delivery.due = Math.min(delivery.due, clock.monotonic());
      delivery.waitsUntil = 0;
    }
    this.wake();
  }

  /** Resolves once the signal has aborted and nothing is under way. */
  async ended(): Promise<void> {
    const { signal } = this.#options;
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    this.#cancel?.();
    await Promise.all(this.#busy.values());
  }

  #begin(delivery: Delivery): void {
    this.#called.delete(delivery.target);
    const work = this.#run(delivery).finally(() => {
      this.#busy.delete(delivery.target);
      this.wake();
    });
    this.#busy.set(delivery.target, work);
  }

  /** Never rejects. */
  async #run(delivery: Delivery): Promise<void> {
    const { signal, log, tried } = this.#options;
    const commitment = new Commitment(() => this.#end(delivery, { type: 'done' }));
    const outcome = await this.#try(delivery, commitment);
    if (outcome !== undefined) tried?.(delivery.target, outcome);
    if (await commitment.close()) {
      if (outcome !== undefined && outcome.type !== 'done') {
        log.warning(`message ${delivery.id} to ${delivery.target} failed for good: ${outcome.reason}`);
      }
      return;
    }
    if (outcome === undefined) return;
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

  /** Undefined when it was stopped before there was an outcome: that is no failed try. */
  async #try(delivery: Delivery, commitment: Commitment): Promise<DeliveryOutcome | undefined> {
    const { clock, signal, deliver, tell, content } = this.#options;
    const { note, target } = delivery;
    try {
      if (note !== undefined) {
        if (tell === undefined) return { type: 'rejected', reason: 'the module tells nothing' };
        return await attempt(clock, signal, (s) => tell(note, target, s));
      }
      const message = await content(delivery);
      if (message === undefined) return { type: 'rejected', reason: 'the message is gone', moot: true };
      const commit = () => commitment.make();
      return await attempt(clock, signal, (s) => deliver(message, target, s, commit));
    } catch (error) {
      return signal.aborted ? undefined : { type: 'retry', reason: describeError(error) };
    }
  }

  async #settle(delivery: Delivery, outcome: DeliveryOutcome): Promise<void> {
    const { clock, counters, log, random, record } = this.#options;
    const { id, item, target } = delivery;
    if (outcome.type === 'waiting') return this.#wait(delivery, outcome.reason);
    if (outcome.type !== 'retry') return this.#end(delivery, outcome);
    const attempts = delivery.attempts + 1;
    if (attempts >= FEWEST_ATTEMPTS && this.#isOld(delivery)) {
      return this.#end(delivery, { type: 'expired', reason: outcome.reason });
    }
    const pause = backOff(attempts, random, outcome.after);
    delivery.passable = outcome.passable === true;
    await record(encodeRetry(id, item, attempts, clock.now() + pause));
    counters.retried += 1;
    const text = `message ${id} to ${target} failed, again in ${Math.round(pause / 1000)} s: ${outcome.reason}`;
    if (attempts === 1) log.warning(text);
    else log.debug(text);
  }

  /** Nothing is stored for it, and it is no failed try. */
  async #wait(delivery: Delivery, reason: string): Promise<void> {
    delivery.waits += 1;
    if (delivery.waits >= FEWEST_ATTEMPTS && this.#isOld(delivery)) {
      return this.#end(delivery, { type: 'expired', reason });
    }
    delivery.waitsUntil = this.#called.has(delivery.target) ? 0 : this.#options.clock.monotonic() + WAIT;
  }

  #isOld({ since }: Delivery): boolean {
    return this.#options.clock.now() - since > LIFETIME;
  }

  async #end({ id, item, target }: Delivery, how: { readonly type: Ending; readonly reason?: string }): Promise<void> {
    const { counters, log, record } = this.#options;
    await record(encodeEnd(id, item, how.type));
    counters[how.type] += 1;
    if (how.type !== 'done') log.warning(`message ${id} to ${target} ${how.type}: ${how.reason ?? ''}`);
  }
}

const readyAt = ({ due, waitsUntil }: Delivery): number => Math.max(due, waitsUntil);
