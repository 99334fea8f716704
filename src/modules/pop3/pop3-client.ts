import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import Pop3Command from 'node-pop3';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { AnswerReader } from './answer-reader.ts';

export interface Pop3Options {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** `tls` from the first octet; `stls`: RFC 2595 4, or nothing. */
  readonly security: 'none' | 'tls' | 'stls';
  readonly tls: ConnectionOptions;
  /** Milliseconds in which the server must go on with its answer. */
  readonly timeout: number;
  readonly clock: Clock;
}

export interface Listed {
  readonly number: number;
  /** Octets, as the server says. */
  readonly size: number;
}

/** Longest listing: some ten thousand mails. */
const MAX_LISTING = 4 * 1024 * 1024;
/** An answer that drips takes no longer than this many times the time-out. */
const MAX_WAITS = 10;

/**
 * A POP3 session, RFC 1939. node-pop3 pairs commands with answers; the connection, the framing of what arrives, the
 * deadlines and TLS are ours. A command that the server refuses throws GatewayError peer_rejected, and the session goes
 * on. After anything else it is over, and every call throws why: connection_failed, timeout, too_large, or the signal's
 * reason.
 */
export class Pop3Client extends Pop3Command {
  readonly #options: Pop3Options;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#fail(this.#signal.reason);
  #reader = this.#newReader();
  /** The lines of the last answer. */
  #lines: readonly Buffer[] = [];
  #failure: unknown;
  /** Gives the server its time anew. */
  #goOn = () => {};

  /** Connects and logs in; throws access_denied when the server refuses the account. */
  static async open(options: Pop3Options, signal: AbortSignal): Promise<Pop3Client> {
    // A line break would begin a command of its own.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would begin a command of its own
    if (/[\u0000-\u001f\u007f-\u009f]/.test(options.username + options.password)) {
      throw new GatewayError('config_invalid', 'user name and password must not hold control characters');
    }
    const client = new Pop3Client(options, signal);
    try {
      await client.#greeting();
      if (options.security === 'stls') await client.#startTls();
      await client.#logIn();
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  private constructor(options: Pop3Options, signal: AbortSignal) {
    super({ host: options.host, port: options.port, user: options.username, password: options.password });
    this.#options = options;
    this.#signal = signal;
    // Whoever waits for an answer listens too; without anybody it would end the process.
    this.on('error', () => {});
    if (signal.aborted) this.#fail(signal.reason);
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Number and size of every mail; 0 octets where the server does not say. */
  async list(): Promise<readonly Listed[]> {
    const rows = await this.#listing('LIST', () => this.LIST());
    return rows.map(([number, size]) => ({
      number,
      size: /^[0-9]{1,15}\b/.test(size) ? Number.parseInt(size, 10) : 0,
    }));
  }

  /**
   * The unique ids by the numbers of their mails; undefined where the server has none. Mails for which it names none, or
   * the same one twice, are left out.
   */
  async uniqueIds(): Promise<ReadonlyMap<number, string> | undefined> {
    try {
      const rows = await this.#listing('UIDL', () => this.UIDL());
      const count = new Map<string, number>();
      for (const [, id] of rows) count.set(id, (count.get(id) ?? 0) + 1);
      return new Map(rows.filter(([, id]) => id !== '' && count.get(id) === 1));
    } catch (error) {
      if (this.#failure === undefined) return undefined;
      throw error;
    }
  }

  /** The mail as it was sent. One of more than `limit` octets ends the session, with too_large. */
  async retrieve(number: number, limit: number): Promise<Buffer> {
    await this.#exchange('RETR', () => this.command('RETR', number), limit);
    return Buffer.concat(this.#lines);
  }

  /** Marks the mail; it is gone when `quit` has resolved. */
  async delete(number: number): Promise<void> {
    await this.#exchange('DELE', () => this.DELE(number));
  }

  /** Ends the session; resolves when the server has confirmed that it deletes what was marked, RFC 1939 6. */
  async quit(): Promise<void> {
    await this.#exchange('QUIT', () => this.QUIT());
    this.close();
  }

  close(): void {
    this.#fail(lost('closed'));
  }

  /** What node-pop3's own commands call first: the session is already there. */
  override async _connect(): Promise<string> {
    if (this.#failure !== undefined) throw this.#failure;
    return '';
  }

  async #greeting(): Promise<void> {
    const { host, port, security, tls } = this.#options;
    this.#reader.expect('one', 0);
    await this.#within('with its greeting', () => {
      const greeted = this.#once((resolve) => this.once('response', resolve));
      this.#use(security === 'tls' ? connectTls({ ...tls, port }) : connect({ host, port }));
      return greeted;
    });
  }

  async #startTls(): Promise<void> {
    await this.#exchange('STLS', () => this.command('STLS'));
    const plain = this._socket;
    plain?.removeAllListeners('data');
    // What came in clear behind the answer was put there by somebody in between.
    if (plain === null || this.#reader.midLine) throw this.#fail(lost('unexpected data in front of TLS'));
    const secure = connectTls({ ...this.#options.tls, socket: plain });
    this.#reader = this.#newReader();
    this.#use(secure);
    await this.#within('with TLS', () => this.#once((resolve) => secure.once('secureConnect', resolve)));
  }

  async #logIn(): Promise<void> {
    const { username, password } = this.#options;
    try {
      await this.#exchange('USER', () => this.command('USER', username));
      await this.#exchange('PASS', () => this.command('PASS', password));
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'peer_rejected') throw error;
      // RFC 2449 8.1, RFC 3206: the account is right, the moment is not.
      const passing = /\[(IN-USE|LOGIN-DELAY|SYS\/TEMP)\]/i.test(error.message);
      throw new GatewayError(passing ? 'peer_rejected' : 'access_denied', `login failed: ${error.message}`);
    }
  }

  /** Resolves with what is registered, rejects when the connection fails. */
  #once<T>(register: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      register(resolve);
      this.once('error', reject);
    });
  }

  #use(socket: Socket): void {
    this._socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#goOn();
      this.#reader.receive(chunk);
    });
    socket.on('error', (error) => this.#fail(lost(error.message)));
    socket.on('close', () => this.#fail(lost('the server closed it')));
  }

  #newReader(): AnswerReader {
    return new AnswerReader({
      answered: (info, lines) => {
        this.#lines = lines;
        this.emit('response', info, Readable.from(joined(lines)));
      },
      refused: (text) => this.emit('error', new GatewayError('peer_rejected', `the server refused: ${text}`)),
      broken: (error) => this.#fail(error),
    });
  }

  /** Each mail's number and what is said of it. Servers put any blanks around. */
  async #listing(what: string, run: () => Promise<unknown>): Promise<readonly (readonly [number, string])[]> {
    await this.#exchange(what, run, MAX_LISTING);
    const rows = Buffer.concat(this.#lines).toString('latin1').split('\r\n');
    return rows.flatMap((row) => {
      const [, number, rest = ''] = /^\s*([0-9]{1,15})(?:\s+(\S.*))?\s*$/.exec(row) ?? [];
      if (number !== undefined) return [[Number(number), rest.trim()] as const];
      if (row.trim() === '') return [];
      throw lost(`the server's ${what} has a line without a number`);
    });
  }

  /** Sends a command and waits for the whole answer to it: one line, or as many as the limit in octets allows. */
  #exchange<T>(what: string, run: () => Promise<T>, limit?: number): Promise<T> {
    return this.#within(what, () => {
      this.#reader.expect(limit === undefined ? 'one' : 'many', limit ?? 0);
      return run();
    });
  }

  /** Sees to it that it ends. */
  async #within<T>(what: string, run: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    const { clock, timeout } = this.#options;
    const late = () => this.#fail(new GatewayError('timeout', `the server did not answer ${what} in time`));
    const stopLate = clock.after(timeout * MAX_WAITS, late);
    let stopIdle = clock.after(timeout, late);
    this.#goOn = () => {
      stopIdle();
      stopIdle = clock.after(timeout, late);
    };
    try {
      return await run();
    } finally {
      this.#goOn = () => {};
      stopIdle();
      stopLate();
      // Left over by node-pop3 when the answer was an error.
      this.removeAllListeners('response');
    }
  }

  /** Ends the connection, and with it whatever waits for an answer. The first reason counts. */
  #fail(reason: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = reason;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this._socket?.destroy();
    this._socket = null;
    this.emit('error', reason);
    return reason;
  }
}

const lost = (why: string) => new GatewayError('connection_failed', `connection failed: ${why}`);

/** In one piece, once somebody reads it: node-pop3 takes pieces together one by one. */
function* joined(lines: readonly Buffer[]): Iterable<Buffer> {
  if (lines.length > 0) yield Buffer.concat(lines);
}
