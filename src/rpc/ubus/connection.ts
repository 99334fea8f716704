import { createConnection, type Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { GatewayError, toGatewayError } from '../../base/errors.ts';
import { limits } from './limits.ts';
import { attributeId, encodeMessage, MessageReader, messageType, numberOf, type UbusMessage } from './message.ts';

export interface ConnectionOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Gets what is no answer to a request: calls, and news about subscribers. */
  readonly receive: (message: UbusMessage) => void;
}

type Request = Omit<UbusMessage, 'seq'>;

interface Pending {
  readonly onData: (message: UbusMessage) => void;
  /** With the status that ubusd gives, 0 for success; or with the error that ends the connection. */
  settle(outcome: number | GatewayError): void;
}

/** HELLO comes unasked, with this number. */
const HELLO_SEQ = 0;
/** ubusmsg.h UBUS_STATUS_UNKNOWN_ERROR: an answer without a status. */
const UNKNOWN_ERROR = 9;

/** A connection to ubusd: messages out, messages in, and answers brought to their requests. */
export class UbusConnection {
  /** Resolves when ubusd has greeted; rejects with GatewayError timeout or connection_failed. */
  readonly ready: Promise<unknown>;
  /** Resolves with the reason when the socket is closed and every request is settled. */
  readonly closed: Promise<GatewayError>;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #reader = new MessageReader();
  readonly #pending = new Map<number, Pending>();
  #seq = HELLO_SEQ;
  #reason: GatewayError | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = createConnection({ path: options.path });
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.destroy(failure(`${error.code ?? error.message}`)));
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#reason ??= failure('ubusd closed the connection');
        for (const { settle } of [...this.#pending.values()]) settle(this.#reason);
        resolve(this.#reason);
      });
    });
    this.ready = this.#expect(HELLO_SEQ, () => {});
  }

  /** Whether ubusd is so far behind that events should not be added. */
  get isBehind(): boolean {
    return this.#pending.size >= limits.openRequests || this.#socket.writableLength > limits.unreadEvents;
  }

  /**
   * Resolves to the status that ubusd gives to the request, 0 for success; `onData` gets the answers before that, each as it
   * comes. Rejects with GatewayError timeout, connection_failed or too_large.
   */
  async ask(request: Request, onData: (message: UbusMessage) => void = () => {}): Promise<number> {
    const seq = this.#nextSeq();
    const octets = encodeMessage({ ...request, seq });
    const status = this.#expect(seq, onData);
    this.#write(octets);
    return await status;
  }

  /** As `ask`; rejects with GatewayError peer_rejected for every status but success. */
  async request(request: Request): Promise<void> {
    const status = await this.ask(request);
    if (status !== 0) throw new GatewayError('peer_rejected', `ubusd answers with status ${status}`);
  }

  /** Sends what has no answer, and gives its octets. `left` is called when they have left, or cannot. Throws GatewayError too_large. */
  send(message: UbusMessage, left: () => void = () => {}): number {
    const octets = encodeMessage(message);
    this.#write(octets, left);
    return octets.length;
  }

  /** Sends what has been written, and closes. */
  end(): void {
    this.#socket.end();
  }

  destroy(reason: GatewayError): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  #nextSeq(): number {
    do this.#seq = (this.#seq % 0xffff) + 1;
    while (this.#pending.has(this.#seq));
    return this.#seq;
  }

  #expect(seq: number, onData: Pending['onData']): Promise<number> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: number | GatewayError) => {
        cancel();
        this.#pending.delete(seq);
        if (typeof outcome === 'number') resolve(outcome);
        else reject(outcome);
      };
      // Whoever does not answer in time has lost the thread.
      const cancel = this.#options.clock.after(limits.requestMs, () => {
        this.destroy(new GatewayError('timeout', `ubusd has not answered for ${limits.requestMs / 1000} s`));
      });
      if (this.#reason === undefined) this.#pending.set(seq, { onData, settle });
      else settle(this.#reason);
    });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const message of this.#reader.read(chunk)) this.#take(message);
    } catch (error) {
      this.destroy(toGatewayError(error));
    }
  }

  #take(message: UbusMessage): void {
    const pending = this.#pending.get(message.seq);
    switch (message.type) {
      case messageType.hello:
        this.#pending.get(HELLO_SEQ)?.settle(0);
        break;
      case messageType.data:
        pending?.onData(message);
        break;
      case messageType.status:
        pending?.settle(numberOf(message, attributeId.status) ?? UNKNOWN_ERROR);
        break;
      default:
        this.#options.receive(message);
    }
  }

  #write(octets: Buffer, left: () => void = () => {}): void {
    if (!this.#socket.writable) {
      left();
      return;
    }
    this.#socket.write(octets, left);
    if (this.#socket.writableLength <= limits.unreadOutput) return;
    this.destroy(failure(`ubusd leaves ${limits.unreadOutput} octets unread`));
  }
}

const failure = (what: string): GatewayError => new GatewayError('connection_failed', what);
