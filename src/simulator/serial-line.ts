import { Duplex } from 'node:stream';
import { GatewayError } from '../base/errors.ts';
import type { Timers } from './timers.ts';

/** Octets that wait for a slow reader at the other end; the UART loses what comes beyond. */
const MAX_UNSENT = 4_194_304;

/** The modem's port: the stream of the moment, and what can be wrong with a line. */
export class SerialLine {
  readonly #timers: Timers;
  readonly #receive: (octets: string) => void;
  #stream: Duplex | undefined;
  #release: () => void = () => {};
  #plugged = true;
  #silent = false;
  #diverted: ((octets: string) => void) | undefined;
  /** Milliseconds from octet to octet; undefined for full speed. */
  #pace: number | undefined;
  #slow = '';

  constructor(timers: Timers, receive: (octets: string) => void) {
    this.#timers = timers;
    this.#receive = receive;
  }

  get plugged(): boolean {
    return this.#plugged;
  }

  attach(stream: Duplex): void {
    if (!this.#plugged) throw new GatewayError('connection_failed', 'the port of the simulated modem is gone');
    this.detach();
    const onData = (chunk: Buffer) => {
      if (!this.#silent) (this.#diverted ?? this.#receive)(chunk.toString('latin1'));
    };
    const onGone = () => {
      if (this.#stream === stream) this.detach();
    };
    stream.on('data', onData).on('close', onGone).on('end', onGone).on('error', onGone);
    this.#stream = stream;
    this.#release = () => {
      stream.off('data', onData).off('close', onGone).off('end', onGone);
      // The error listener stays: a stream that breaks after it was detached must not end the process.
    };
  }

  detach(): void {
    this.#release();
    this.#release = () => {};
    this.#stream = undefined;
    this.#slow = '';
  }

  /** The port disappears under whoever holds it. */
  unplug(): void {
    const stream = this.#stream;
    this.#plugged = false;
    this.detach();
    stream?.destroy();
  }

  plug(): void {
    this.#plugged = true;
  }

  /** Hears nothing and says nothing while it is silent. */
  setSilent(silent: boolean): void {
    this.#silent = silent;
  }

  /** What the host types goes there instead of to the commands. */
  divert(to: ((octets: string) => void) | undefined): void {
    this.#diverted = to;
  }

  /** One octet at a time, `ms` apart; undefined for full speed. */
  setPace(ms: number | undefined): void {
    this.#pace = ms;
  }

  write(octets: string): void {
    if (this.#stream === undefined || this.#silent) return;
    if (this.#pace === undefined && this.#slow === '') this.#send(octets);
    else if (this.#slow.length + octets.length <= MAX_UNSENT) this.#queue(octets);
  }

  #queue(octets: string): void {
    const idle = this.#slow === '';
    this.#slow += octets;
    if (idle) this.#drip();
  }

  #drip(): void {
    this.#timers.after(this.#pace ?? 0, () => {
      const count = this.#pace === undefined ? this.#slow.length : 1;
      this.#send(this.#slow.slice(0, count));
      this.#slow = this.#slow.slice(count);
      if (this.#slow !== '') this.#drip();
    });
  }

  #send(octets: string): void {
    const stream = this.#stream;
    if (stream === undefined || !stream.writable || stream.writableLength > MAX_UNSENT) return;
    stream.write(Buffer.from(octets, 'latin1'));
  }
}

type Done = (error?: Error | null) => void;

/** One end of a line in this process. Destroying an end ends the other, as pulling a plug does. */
class LineEnd extends Duplex {
  other: LineEnd | undefined;
  #resume: (() => void) | undefined;

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Done): void {
    if (this.other === undefined) callback(new Error('the other end of the line is gone'));
    else this.other.receive(chunk, callback);
  }

  override _final(callback: Done): void {
    this.other?.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: Done): void {
    const { other } = this;
    this.other = undefined;
    // Not at once: what was written before is still to be read.
    if (other !== undefined) setImmediate(() => other.destroy());
    callback(error);
  }

  /** Hands over what the other end wrote; the other end may write on when the reader wants more. */
  receive(chunk: Uint8Array, done: () => void): void {
    if (this.destroyed || this.push(chunk)) done();
    else this.#resume = done;
  }
}

/**
 * Two ends of a byte stream: what is written to one is read from the other, within the same turn of the event loop, so
 * that whole conversations pass between two timers of a test's clock.
 */
export function duplexPair(): readonly [Duplex, Duplex] {
  const [a, b] = [new LineEnd(), new LineEnd()];
  a.other = b;
  b.other = a;
  return [a, b];
}
