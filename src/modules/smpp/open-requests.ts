import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';

interface Open {
  resolve(status: number): void;
  reject(error: unknown): void;
  readonly cancel: () => void;
}

/** SMPP 3.4 5.1.4. */
const MAX_SEQUENCE = 0x7fff_ffff;

/** Requests to the client that wait for an answer. Each ends with its answer, its deadline, or the session. */
export class OpenRequests {
  readonly #clock: Clock;
  readonly #open = new Map<number, Open>();
  #sequence = 0;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves to the status of the answer. Rejects with `timeout` after `ms`, with `connection_failed` when closed. */
  request(ms: number, send: (sequence: number) => void): Promise<number> {
    if (this.#closed) return Promise.reject(gone());
    this.#sequence = this.#sequence === MAX_SEQUENCE ? 1 : this.#sequence + 1;
    const sequence = this.#sequence;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(ms, () => {
        this.#open.delete(sequence);
        reject(new GatewayError('timeout', `the client did not answer within ${ms / 1000} s`));
      });
      this.#open.set(sequence, { resolve, reject, cancel });
      send(sequence);
    });
  }

  /** An answer has arrived. An answer to an unknown or ended request is ignored. */
  answered(sequence: number, status: number): void {
    const open = this.#open.get(sequence);
    if (open === undefined) return;
    this.#open.delete(sequence);
    open.cancel();
    open.resolve(status);
  }

  close(): void {
    this.#closed = true;
    for (const { cancel, reject } of this.#open.values()) {
      cancel();
      reject(gone());
    }
    this.#open.clear();
  }
}

const gone = () => new GatewayError('connection_failed', 'the client has disconnected');

/** Counts the requests in a window: sent, and not answered yet. */
export class Window {
  /** Number of requests that may be open. */
  size = Number.POSITIVE_INFINITY;
  #open = 0;
  #waiting: (() => void)[] = [];

  get full(): boolean {
    return this.#open >= this.size;
  }

  enter(): void {
    this.#open += 1;
  }

  leave(): void {
    this.#open -= 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves when another request may be opened. */
  async room(): Promise<void> {
    while (this.full) await this.#change();
  }

  /** Resolves when all are answered. */
  async idle(): Promise<void> {
    while (this.#open > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}
