import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';

/** The owner of a port. */
export interface PortListener {
  data(chunk: Uint8Array): void;
  /** The port is gone, once. It cannot be used again; a new one has to be opened. */
  closed(reason: string): void;
}

/** An open byte stream to a modem. */
export interface ModemPort {
  /** What was opened, with `auto` resolved: `/dev/ttyUSB2`. */
  readonly path: string;
  /** Sets the one listener. Call it in the same turn as the port was got, or bytes are lost. */
  listen(listener: PortListener): void;
  /** Resolves when the bytes left the process; rejects with GatewayError connection_failed when they did not. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes it; resolves when it is closed, or after a second when the driver hangs. Calls no listener any more. */
  close(): Promise<void>;
}

/** How openPort reaches what lies outside the process; tests and the simulator hand in their own. */
export interface PortBindings {
  /** Opens a stream to the in-process simulator, for the device `sim`. */
  readonly simulator?: () => Duplex;
  /** Where `auto` looks for ports; `/sys/class/tty` when absent. */
  readonly sysfs?: string;
  /** Where the device nodes are; `/dev` when absent. */
  readonly dev?: string;
}

export interface PortOptions {
  /** bit/s, for real serial lines. */
  readonly baudrate: number;
  readonly rtscts: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bindings?: PortBindings | undefined;
  /** Called with what an operator should know of an open port; with nothing when there is nothing any more. */
  readonly warn?: (text: string | undefined) => void;
}

/** A port that takes nothing for so long hangs, as one whose modem holds the flow control does, ms. */
const WRITE_DEADLINE = 10_000;
/** A driver may hang in close (a USB modem that fell off); no wait for it is longer, ms. */
const CLOSE_DEADLINE = 1000;

/** What a stream leaves to be done in another way. */
export interface StreamTraits {
  /** Closes what lies behind the stream, where destroying the stream does not. */
  shut?(): Promise<void>;
  /** Writes what the driver takes at once, and gives how many octets that were; where the stream takes longer for it. */
  writeNow?(bytes: Uint8Array): number;
}

/** Wraps an open stream. A reader is attached at once: serialport notices a vanished port only while somebody reads. */
export function streamPort(
  stream: Duplex,
  path: string,
  clock: Clock,
  { shut, writeNow = () => 0 }: StreamTraits = {},
): ModemPort {
  let listener: PortListener | undefined;
  let gone: string | undefined;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= new Promise((resolve) => {
      const cancel = clock.after(CLOSE_DEADLINE, resolve);
      const done = () => {
        cancel();
        resolve();
      };
      if (shut !== undefined) return void shut().then(done, done);
      if (stream.closed) return done();
      stream.once('close', done);
      stream.destroy();
    });
    return closing;
  };
  const end = (reason: string) => {
    if (gone !== undefined) return;
    gone = reason;
    void close();
    listener?.closed(reason);
  };
  stream.on('data', (chunk: Uint8Array) => {
    if (gone === undefined) listener?.data(chunk);
  });
  stream.on('error', (error: Error) => end(error.message));
  stream.on('end', () => end('the other side closed the port'));
  stream.on('close', (error?: Error | null) => end(error?.message ?? 'the port disappeared'));
  return {
    path,
    listen(next) {
      listener = next;
      if (gone === undefined) return;
      const reason = gone;
      queueMicrotask(() => next.closed(reason));
    },
    async write(bytes) {
      const fail = (reason: string) => new GatewayError('connection_failed', `cannot write: ${reason}`);
      if (gone !== undefined) throw fail(gone);
      // Not past what still waits.
      const done = stream.writableLength === 0 ? writeNow(bytes) : 0;
      if (done === bytes.length) return;
      await new Promise<void>((resolve, reject) => {
        const late = `the port takes nothing for ${WRITE_DEADLINE / 1000} s`;
        const cancel = clock.after(WRITE_DEADLINE, () => reject(fail(late)));
        stream.write(bytes.subarray(done), (error) => {
          cancel();
          if (error == null) resolve();
          else reject(fail(error.message));
        });
      });
    },
    close() {
      listener = undefined;
      gone ??= 'closed';
      return close();
    },
  };
}
