import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { status } from './status.ts';
import { decodePdu, encodePdu, type Pdu, type PduToSend } from './wire/codec.ts';
import { Framer, FramingError, MAX_PDU } from './wire/framer.ts';

/** A client that does not read what it asked for is cut off after so long, ms. */
const DRAIN_MS = 10_000;
/** Time for the client to read the last answer and to close, ms: some take an early close for a broken connection. */
const LINGER_MS = 2_000;

/** A client's connection as PDUs. What the client does not read is never more than the answers to what it may have open. */
export class Connection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #framer = new Framer();
  #deaf = false;
  #cancel: (() => void) | undefined;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('error', () => undefined); // the end of the connection says it all
  }

  /** From now on PDUs of every length that SMPP needs are taken. */
  trust(): void {
    this.#framer.limit = MAX_PDU;
  }

  send(pdu: PduToSend): void {
    if (!this.#socket.writableEnded) this.#socket.write(encodePdu(pdu));
  }

  /** The PDUs that come, until the connection ends. Reads no further while the client does not read. Never throws. */
  async *pdus(): AsyncGenerator<Pdu, void, void> {
    try {
      for await (const chunk of this.#socket) {
        // After the last answer the client has nothing more to say, but it must be heard to be seen closing.
        if (this.#deaf) continue;
        this.#framer.push(chunk);
        for (let octets = this.#next(); octets !== undefined; octets = this.#next()) {
          yield decodePdu(octets);
          if (this.#socket.writableNeedDrain) await this.#drained();
        }
      }
    } catch {
      // Reset, or cut off by us.
    } finally {
      this.#socket.destroy();
      this.#cancel?.();
    }
  }

  /** Ends the connection when all is written. */
  end(): void {
    this.refuse();
    this.#socket.end();
  }

  /** Leaves it to the client to end the connection, for a while. */
  refuse(): void {
    this.#deaf = true;
    this.#cancel ??= this.#clock.after(LINGER_MS, () => this.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #next(): Buffer | undefined {
    if (this.#deaf) return undefined;
    try {
      return this.#framer.next();
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.send({ command: 'generic_nack', sequence: error.sequence, status: status.RINVCMDLEN });
      this.end();
      return undefined;
    }
  }

  #drained(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(DRAIN_MS, () => socket.destroy());
      const done = () => {
        cancel();
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.once('drain', done);
      socket.once('close', done);
    });
  }
}
