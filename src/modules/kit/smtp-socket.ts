import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { budgets } from '../../access/budgets.ts';

/** The reason for which a connection is broken off. */
export const TOO_MUCH = 'it says more than a dialogue needs';

export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  /** Longest wait for the connection, ms. */
  readonly timeout: number;
  /** Destroys the connection, also later. */
  readonly signal: AbortSignal;
}

/**
 * A connection to a mail server that breaks when the server sends more than any dialogue needs, whatever it says: lines that
 * answer nothing, challenges without end, empty lines. nodemailer bounds a single answer, and no number of them. TLS
 * runs over it, so that its octets count as they come.
 */
export class SmtpSocket extends Duplex {
  readonly #socket: Socket;
  #received = 0;

  /** Resolves when it is connected. Rejects with the reason of the system. */
  static open({ host, port, timeout, signal }: SmtpAddress): Promise<SmtpSocket> {
    return new Promise((resolve, reject) => {
      // One address after the other: a slow line gets more than the quarter second that Node gives each.
      const socket = connect({ host, port, signal, autoSelectFamilyAttemptTimeout: Math.min(timeout / 4, 5_000) });
      socket.setTimeout(timeout, () => socket.destroy(new Error('no connection in time')));
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        socket.setTimeout(0);
        socket.removeAllListeners('timeout');
        resolve(new SmtpSocket(socket));
      });
    });
  }

  private constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  setTimeout(ms: number): this {
    this.#socket.removeAllListeners('timeout');
    this.#socket.setTimeout(ms);
    if (ms > 0) this.#socket.on('timeout', () => this.emit('timeout'));
    return this;
  }

  #receive(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#received > budgets.servers.smtpDialogue.limit) {
      this.destroy(new Error(TOO_MUCH));
    } else if (!this.push(chunk)) {
      this.#socket.pause();
    }
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Closed is what the connection under it is. TLS above it reports its own fault before that.
    if (this.#socket.closed) done(error);
    else this.#socket.once('close', () => done(error));
    this.#socket.destroy();
  }
}
