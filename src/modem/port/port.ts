import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';

/** The owner of a port. */
export interface PortListener {
  /** What the modem said. The octets are there for the call only: the next read takes their place. */
  data(chunk: Buffer): void;
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
  write(bytes: Buffer): Promise<void>;
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

/** What carries the octets of a port. */
export interface Line {
  /** In the order of the calls. Gives nothing when all went out at once; else resolves when they did. */
  write(bytes: Buffer): Promise<void> | undefined;
  /** Settles what waits. May take for ever where the driver hangs. */
  close(): Promise<void>;
}

/** A port over a line. It reads from the start: that a port has vanished shows only to who reads. */
export class LinePort implements ModemPort, PortListener {
  readonly path: string;
  readonly #clock: Clock;
  readonly #line: Line;
  #listener: PortListener | undefined;
  #gone: string | undefined;
  #closing: Promise<void> | undefined;

  /** `begin` makes the line, which tells the port what it reads, and when it ends. */
  constructor(path: string, clock: Clock, begin: (port: PortListener) => Line) {
    this.path = path;
    this.#clock = clock;
    this.#line = begin(this);
  }

  data(chunk: Buffer): void {
    if (this.#gone === undefined) this.#listener?.data(chunk);
  }

  closed(reason: string): void {
    if (this.#gone !== undefined) return;
    this.#gone = reason;
    void this.#shut();
    this.#listener?.closed(reason);
  }

  listen(listener: PortListener): void {
    this.#listener = listener;
    if (this.#gone === undefined) return;
    const reason = this.#gone;
    queueMicrotask(() => listener.closed(reason));
  }

  async write(bytes: Buffer): Promise<void> {
    const fail = (reason: string) => new GatewayError('connection_failed', `cannot write: ${reason}`);
    if (this.#gone !== undefined) throw fail(this.#gone);
    const written = this.#line.write(bytes);
    if (written === undefined) return;
    await new Promise<void>((resolve, reject) => {
      const late = `the port takes nothing for ${WRITE_DEADLINE / 1000} s`;
      const cancel = this.#clock.after(WRITE_DEADLINE, () => reject(fail(late)));
      written.then(resolve, (error: Error) => reject(fail(error.message))).finally(cancel);
    });
  }

  close(): Promise<void> {
    this.#listener = undefined;
    this.#gone ??= 'closed';
    return this.#shut();
  }

  #shut(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      const cancel = this.#clock.after(CLOSE_DEADLINE, resolve);
      const done = () => {
        cancel();
        resolve();
      };
      this.#line.close().then(done, done);
    });
    return this.#closing;
  }
}

/** A port over a stream that is open: a connection, or the simulator. */
export function streamPort(stream: Duplex, path: string, clock: Clock): ModemPort {
  return new LinePort(path, clock, (port) => {
    stream.on('data', (chunk: Buffer) => port.data(chunk));
    stream.on('error', (error: Error) => port.closed(error.message));
    stream.on('end', () => port.closed('the other side closed the port'));
    stream.on('close', () => port.closed('the port disappeared'));
    return {
      write: (bytes) =>
        new Promise((resolve, reject) => {
          stream.write(bytes, (error) => (error == null ? resolve() : reject(error)));
        }),
      close: () =>
        new Promise((resolve) => {
          if (stream.closed) return resolve();
          stream.once('close', resolve);
          stream.destroy();
        }),
    };
  });
}
