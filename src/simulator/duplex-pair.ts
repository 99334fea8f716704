import { Duplex } from 'node:stream';

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
