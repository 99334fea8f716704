import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';

interface Open {
  resolve(status: number): void;
  reject(error: unknown): void;
  readonly cancel: () => void;
}

/** SMPP 3.4 5.1.4. */
const MAX_SEQUENCE = 0x7fff_ffff;

/** The requests of ours that a client is still to answer. Each of them ends: by its answer, by time, or with the session. */
export class OwnRequests {
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

  /** An answer has come. One that nobody waits for, or no more, is nothing. */
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

const gone = () => new GatewayError('connection_failed', 'the client has gone');
