import type { Socket } from 'node:net';
import { budgets } from '../../access/budgets.ts';
import { deferred } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { InputMemory, InputShare } from '../../base/memory-pool.ts';
import { decodePdu, encodePdu, type Pdu, type PduToSend } from './codec.ts';
import { HEADER } from './layout.ts';
import { status } from './status.ts';

/** A client that does not read its answers is disconnected after this time, ms. */
const DRAIN_MS = budgets.smpp.drainMs.limit;
/** Time for the client to read the last answer and to close, ms. Some clients report an early close as a fault. */
const LINGER_MS = 2_000;

/** The PDUs of a client's connection. Unread output is limited to the answers of the requests in the client's window. */
export class EsmeConnection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #framer = new Framer();
  readonly #input: InputShare;
  #deaf = false;
  #cancel: (() => void) | undefined;

  constructor(socket: Socket, clock: Clock, input: InputMemory) {
    this.#socket = socket;
    this.#input = input.open(() => socket.destroy());
    socket.once('close', () => this.#input.close());
    this.#clock = clock;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('error', () => undefined); // 'close' follows
  }

  /** Allows PDUs of full length, after a bind. */
  trust(): void {
    this.#framer.limit = MAX_PDU;
  }

  send(pdu: PduToSend): void {
    if (!this.#socket.writableEnded) this.#socket.write(encodePdu(pdu));
  }

  /** The received PDUs, until the connection ends. Pauses while the client does not read. Never throws. */
  async *pdus(): AsyncGenerator<Pdu, void, void> {
    try {
      for await (const chunk of this.#socket) {
        // After the last answer nothing counts, but only a socket that is read reports its end.
        if (this.#deaf) continue;
        this.#framer.push(chunk);
        this.#input.set(this.#framer.length);
        for (let octets = this.#next(); octets !== undefined; octets = this.#next()) {
          yield decodePdu(octets);
          if (this.#socket.writableNeedDrain) await this.#drained();
        }
        this.#input.set(this.#framer.length);
      }
    } catch {
      // Reset, or destroyed here.
    } finally {
      this.#socket.destroy();
      this.#cancel?.();
    }
  }

  /** Ends the connection when all output is written. */
  end(): void {
    this.refuse();
    this.#socket.end();
  }

  /** Ignores further input, and waits a while for the client to end the connection. */
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

  async #drained(): Promise<void> {
    const socket = this.#socket;
    const { promise, resolve } = deferred();
    const done = () => resolve();
    const cancel = this.#clock.after(DRAIN_MS, () => socket.destroy());
    socket.once('drain', done);
    socket.once('close', done);
    await promise;
    cancel();
    socket.off('drain', done);
    socket.off('close', done);
  }
}

/** A message_payload of 64 KB and all other fields fit. */
export const MAX_PDU: number = budgets.smpp.pdu.limit;
/** Limit before the bind, which has at most 98 octets without TLVs. */
export const MAX_UNBOUND_PDU: number = budgets.smpp.unboundPdu.limit;

/** Chunks that are kept before they are joined: a client may send single octets. */
const MAX_CHUNKS = 64;

/** The command_length is out of range, and the start of the next PDU is unknown. */
export class FramingError extends Error {
  /** 0 when it has not arrived yet. */
  readonly sequence: number;

  constructor(length: number, sequence: number) {
    super(`command_length ${length}`);
    this.name = 'FramingError';
    this.sequence = sequence;
  }
}

/** Cuts a stream into PDUs. Holds one PDU and the chunks that came with it; checks the length before it waits for more. */
export class Framer {
  /** Longest allowed PDU, octets. */
  limit = MAX_UNBOUND_PDU;
  #chunks: Buffer[] = [];
  #length = 0;

  /** Octets that it holds. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#chunks.length > MAX_CHUNKS) this.#join();
  }

  /** The next whole PDU; undefined until it has arrived. Throws FramingError. */
  next(): Buffer | undefined {
    if (this.#length < 4) return undefined;
    const head = this.#head(Math.min(HEADER, this.#length));
    const length = head.readUInt32BE(0);
    if (length < HEADER || length > this.limit) {
      throw new FramingError(length, head.length < HEADER ? 0 : head.readUInt32BE(12));
    }
    return this.#length < length ? undefined : this.#take(length);
  }

  /** The first chunk, joined with others where it has fewer than `octets`. */
  #head(octets: number): Buffer {
    const [first] = this.#chunks;
    return first !== undefined && first.length >= octets ? first : this.#join();
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #take(octets: number): Buffer {
    const first = this.#head(octets);
    this.#length -= octets;
    if (first.length === octets) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(octets);
    return first.subarray(0, octets);
  }
}
