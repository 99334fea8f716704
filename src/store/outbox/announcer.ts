import { describeError, GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { type MessageId, type OutboxMessage, type OutboxState, outboxStates } from '../message.ts';
import type { OutboxOptions } from './options.ts';
import type { OutboxRow } from './row.ts';

interface Waiter {
  settle(message: OutboxMessage): void;
  fail(error: unknown): void;
}

/** Tells of messages that have come to a settled state: those who wait for one, and the callbacks, in order. */
export class Announcer {
  readonly #callbacks: Pick<OutboxOptions, 'onSent' | 'onDelivered' | 'onFailed'>;
  readonly #view: (row: OutboxRow) => Promise<OutboxMessage>;
  readonly #log: Logger;
  readonly #waiters = new Map<MessageId, Set<Waiter>>();
  #last: Promise<void> = Promise.resolve();

  constructor(
    callbacks: Pick<OutboxOptions, 'onSent' | 'onDelivered' | 'onFailed'>,
    view: (row: OutboxRow) => Promise<OutboxMessage>,
    log: Logger,
  ) {
    this.#callbacks = callbacks;
    this.#view = view;
    this.#log = log;
  }

  /** To be called at the change itself: the message is shown as it is now. */
  announce(row: OutboxRow): void {
    if (!outboxStates[row.state].settled) return;
    const callback = this.#callback(row.state);
    if (callback === undefined && !this.#waiters.has(row.id)) return;
    const view = this.#view(row);
    view.catch(() => undefined);
    this.#last = this.#last.then(() => this.#tell(row.id, view, callback));
  }

  /** Resolves with the message's next settled state. Rejects with the signal's reason when it aborts first. */
  wait(id: MessageId, signal: AbortSignal): Promise<OutboxMessage> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const end = () => {
        signal.removeEventListener('abort', onAbort);
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id);
      };
      const onAbort = () => waiter.fail(signal.reason);
      const waiter: Waiter = {
        settle: (message) => {
          end();
          resolve(message);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      const waiters = this.#waiters.get(id) ?? new Set<Waiter>();
      this.#waiters.set(id, waiters.add(waiter));
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets out what is still to be told, and turns away who waits. */
  async close(): Promise<void> {
    await this.#last;
    for (const waiters of [...this.#waiters.values()]) {
      for (const waiter of [...waiters]) waiter.fail(new GatewayError('stopping', 'the outbox is closing'));
    }
  }

  #callback(state: OutboxState): ((message: OutboxMessage) => void) | undefined {
    if (state === 'sent') return this.#callbacks.onSent;
    if (state === 'delivered') return this.#callbacks.onDelivered;
    return outboxStates[state].failure ? this.#callbacks.onFailed : undefined;
  }

  async #tell(
    id: MessageId,
    view: Promise<OutboxMessage>,
    callback: ((message: OutboxMessage) => void) | undefined,
  ): Promise<void> {
    try {
      const message = await view;
      for (const waiter of [...(this.#waiters.get(id) ?? [])]) waiter.settle(message);
      callback?.(message);
    } catch (error) {
      for (const waiter of [...(this.#waiters.get(id) ?? [])]) waiter.fail(error);
      this.#log.error(`what became of message ${id} could not be told: ${describeError(error)}`);
    }
  }
}
