import { readSync, writeSync } from 'node:fs';
import { describeError, throwUncaught } from '../../base/errors.ts';
import type { Line, PortListener } from './port.ts';

/** Octets read at once: a driver gives no more. */
const READ_SIZE = 4096;

/** What the poller waits for, as libuv counts it. */
const READABLE = 1;
const WRITABLE = 2;

/** How a line ends. */
const GONE = 'the port disappeared';
const DEAF = 'the port takes nothing any more';

/** What is used of serialport's binding of an open port. Its descriptor does not block. */
export interface OpenBinding {
  readonly fd: number | null;
  readonly poller: {
    on(event: 'readable' | 'writable', listener: (error?: Error | null) => void): unknown;
    /** Waits for what `events` names, once, and no longer for anything else. */
    poll(events: number): void;
    removeAllListeners(): unknown;
  };
  close(): Promise<void>;
}

interface Waiting {
  bytes: Buffer;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * A serial line. serialport opens it, sets it up, waits for it and closes it; its stream, which hands each read and each write
 * to a thread, costs more than the calls themselves: they are made here, at once.
 */
export class SerialLine implements Line {
  readonly #binding: OpenBinding;
  readonly #port: PortListener;
  readonly #read = Buffer.allocUnsafeSlow(READ_SIZE);
  /** What the driver has not taken yet. */
  #waiting: Waiting[] = [];
  #fd: number | undefined;

  constructor(binding: OpenBinding, port: PortListener) {
    this.#binding = binding;
    this.#port = port;
    this.#fd = binding.fd ?? undefined;
    this.#on('readable', () => this.#readable());
    this.#on('writable', () => this.#writable());
    this.#wait();
  }

  write(bytes: Buffer): Promise<void> | undefined {
    let done = 0;
    try {
      // Not past what waits.
      if (this.#waiting.length === 0) done = this.#take(bytes);
    } catch (error) {
      this.#lost(DEAF, error);
      return Promise.reject(error);
    }
    if (done === bytes.length) return undefined;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes: bytes.subarray(done), resolve, reject });
      this.#wait();
    });
  }

  async close(): Promise<void> {
    if (this.#fd === undefined) return;
    this.#fd = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the port was closed'));
    const closed = this.#binding.close();
    // The native part of the poller stays in memory for good, and with it whoever listens.
    this.#binding.poller.removeAllListeners();
    await closed;
  }

  /** `error`: a modem that fell off, or the end of the wait when the line is closed. */
  #on(event: 'readable' | 'writable', work: () => void): void {
    this.#binding.poller.on(event, (error) => {
      if (this.#fd === undefined) return;
      try {
        // Before the work, which may fail. After the last of what waited it finds nothing to do once.
        this.#wait();
        if (error == null) work();
        else this.#lost(GONE, error);
      } catch (fault) {
        // The poller calls from native code, which an exception would end together with the process.
        throwUncaught(fault);
      }
    });
  }

  #wait(): void {
    if (this.#fd !== undefined) this.#binding.poller.poll(this.#waiting.length > 0 ? READABLE | WRITABLE : READABLE);
  }

  #lost(how: string, error: unknown): void {
    this.#port.closed(`${how}: ${describeError(error)}`);
  }

  #readable(): void {
    let count: number | undefined;
    try {
      count = unlessBusy(() => readSync(this.#fd ?? -1, this.#read, 0, READ_SIZE, null));
    } catch (error) {
      this.#lost(GONE, error);
      return;
    }
    if (count === 0) this.#lost(GONE, new Error('it has ended'));
    else if (count !== undefined) this.#port.data(this.#read.subarray(0, count));
  }

  #writable(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      try {
        first.bytes = first.bytes.subarray(this.#take(first.bytes));
      } catch (error) {
        this.#lost(DEAF, error);
        return;
      }
      if (first.bytes.length > 0) return;
      this.#waiting.shift();
      first.resolve();
    }
  }

  /** How many of the octets the driver takes now. */
  #take(bytes: Buffer): number {
    return unlessBusy(() => writeSync(this.#fd ?? -1, bytes)) ?? 0;
  }
}

/** What the call gives; nothing when the driver has, or takes, nothing now. Throws the error of a driver that is gone. */
function unlessBusy(call: () => number): number | undefined {
  try {
    return call();
  } catch (error) {
    const isBusy = error instanceof Error && 'code' in error && ['EAGAIN', 'EINTR'].includes(String(error.code));
    if (isBusy) return undefined;
    throw error;
  }
}
