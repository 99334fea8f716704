import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import Pop3Command from 'node-pop3';
import { onAbort } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { Pop3Config } from '../../config/config.ts';
import { connectionFailure, tlsOptions } from '../kit/tls.ts';
import { type AnswerBudget, AnswerReader } from './pop3-answers.ts';

export interface Pop3Options {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** `tls`: from the first octet. `stls`: RFC 2595 4, or no login. */
  readonly security: 'none' | 'tls' | 'stls';
  readonly tls: ConnectionOptions;
  /** Longest pause within an answer, ms. */
  readonly timeout: number;
  readonly clock: Clock;
}

export interface Listed {
  readonly number: number;
  /** Octets, as the server says. */
  readonly size: number;
}

/** A listing of 30,000 mails, each with a unique id of 70 characters (RFC 1939 7). */
const LISTING: AnswerBudget = { octets: 30_000 * 80, lines: 30_000 };
/** For a server that does not speak TLS on its port. */
const IN_CLEAR = 'the port is wrong, or the connection begins in clear, with starttls in place of ssl or without both';
/** Deadline of a whole answer, in time-outs. */
const MAX_WAITS = 10;

/**
 * A POP3 session, RFC 1939. Of node-pop3, which only this file imports, comes the pairing of commands with answers;
 * connection, framing, deadlines and TLS are written here. A command that the server refuses throws GatewayError
 * peer_rejected, and the session goes on. Any other failure ends the session, and every later call throws its reason:
 * connection_failed, timeout, too_large, or the signal's reason.
 */
export class Pop3Client extends Pop3Command {
  readonly #options: Pop3Options;
  #removeAbort = () => {};
  #reader = this.#newReader();
  /** The lines of the last answer. */
  #content: Buffer = Buffer.alloc(0);
  #failure: unknown;
  /** Restarts the timer of the pause within an answer. */
  #heard = () => {};

  /** Connects and logs in; throws access_denied when the server refuses the account. */
  static async open(options: Pop3Options, signal: AbortSignal): Promise<Pop3Client> {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would begin another command
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
    // An 'error' event without a listener would end the process.
    this.on('error', () => {});
    this.#removeAbort = onAbort(signal, () => this.#fail(signal.reason));
  }

  /** Number and size of every mail; 0 octets where the server does not say. */
  async list(): Promise<readonly Listed[]> {
    const rows = await this.#listing('LIST', () => this.command('LIST'));
    return rows.map(([number, size]) => ({
      number,
      size: /^[0-9]{1,15}\b/.test(size) ? Number.parseInt(size, 10) : 0,
    }));
  }

  /**
   * The unique ids by the numbers of their mails; undefined where the server does not know UIDL. Mails without a unique
   * id, or with the id of another mail, are left out.
   */
  async uniqueIds(): Promise<ReadonlyMap<number, string> | undefined> {
    try {
      const rows = await this.#listing('UIDL', () => this.command('UIDL'));
      const count = new Map<string, number>();
      for (const [, id] of rows) count.set(id, (count.get(id) ?? 0) + 1);
      return new Map(rows.filter(([, id]) => id !== '' && count.get(id) === 1));
    } catch (error) {
      if (this.#failure === undefined) return undefined;
      throw error;
    }
  }

  /** The mail in octets. A mail of more than `limit` octets ends the session with too_large. */
  async retrieve(number: number, limit: number): Promise<Buffer> {
    await this.#exchange('RETR', () => this.command('RETR', number), {
      octets: limit,
      lines: limit,
    });
    return this.#content;
  }

  /** Marks the mail; the server deletes it at `quit`. */
  async delete(number: number): Promise<void> {
    await this.#exchange('DELE', () => this.DELE(number));
  }

  /** Ends the session; resolves when the server has confirmed the deletions, RFC 1939 6. */
  async quit(): Promise<void> {
    await this.#exchange('QUIT', () => this.QUIT());
    this.close();
  }

  close(): void {
    this.#fail(lost('closed'));
  }

  /** Called by each command of node-pop3. The connection exists already. */
  override async _connect(): Promise<string> {
    if (this.#failure !== undefined) throw this.#failure;
    return '';
  }

  async #greeting(): Promise<void> {
    const { host, port, security, tls } = this.#options;
    this.#reader.expect();
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
    // Octets in clear behind the answer may be injected by somebody in between.
    if (plain === null || this.#reader.midLine)
      throw this.#fail(lost('the server sent data in clear after its answer to STLS'));
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
      // RFC 2449 8.1, RFC 3206: the account is right, and a later login may succeed.
      const passing = /\[(IN-USE|LOGIN-DELAY|SYS\/TEMP)\]/i.test(error.message);
      throw new GatewayError(passing ? 'peer_rejected' : 'access_denied', `login failed: ${error.message}`);
    }
  }

  /** Resolves when `register` calls back, rejects when the connection fails. */
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
      this.#heard();
      this.#reader.receive(chunk);
    });
    socket.on('error', (error) => this.#fail(lost(connectionFailure(error, IN_CLEAR))));
    socket.on('close', () => this.#fail(lost('the server closed it')));
  }

  #newReader(): AnswerReader {
    return new AnswerReader({
      answered: (info, content) => {
        this.#content = content;
        // Nobody reads the stream that node-pop3 waits for: the content is here already.
        this.emit('response', info, Readable.from([]));
      },
      refused: (text) => this.emit('error', new GatewayError('peer_rejected', `the server refused: ${text}`)),
      broken: (error) => this.#fail(error),
    });
  }

  /** The number of each mail and the rest of its line. Any blanks are accepted around them. */
  async #listing(what: string, run: () => Promise<unknown>): Promise<readonly (readonly [number, string])[]> {
    await this.#exchange(what, run, LISTING);
    const rows = this.#content.toString('latin1').split('\r\n');
    return rows.flatMap((row) => {
      const [, number, rest = ''] = /^\s*([0-9]{1,15})(?:\s+(\S.*))?\s*$/.exec(row) ?? [];
      if (number !== undefined) return [[Number(number), rest.trim()] as const];
      if (row.trim() === '') return [];
      throw lost(`the server's ${what} has a line without a number`);
    });
  }

  /** Sends a command and waits for its answer: one line, or several within the budget. */
  #exchange<T>(what: string, run: () => Promise<T>, budget?: AnswerBudget): Promise<T> {
    return this.#within(what, () => {
      this.#reader.expect(budget);
      return run();
    });
  }

  /** Ends the session when the work is too slow. */
  async #within<T>(what: string, run: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    const { clock, timeout } = this.#options;
    const late = () => this.#fail(new GatewayError('timeout', `the server did not answer ${what} in time`));
    const stopLate = clock.after(timeout * MAX_WAITS, late);
    let stopIdle = clock.after(timeout, late);
    this.#heard = () => {
      stopIdle();
      stopIdle = clock.after(timeout, late);
    };
    try {
      return await run();
    } finally {
      this.#heard = () => {};
      stopIdle();
      stopLate();
      // node-pop3 leaves its listener after an error.
      this.removeAllListeners('response');
    }
  }

  /** Ends the connection and rejects the calls that wait for an answer. The first reason counts. */
  #fail(reason: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = reason;
    this.#removeAbort();
    this._socket?.destroy();
    this._socket = null;
    this.emit('error', reason);
    return reason;
  }
}

const lost = (why: string) => new GatewayError('connection_failed', `connection failed: ${why}`);

const POP3 = 110;
const POP3S = 995;

const portOf = ({ port, ssl }: Pop3Config): number => port ?? (ssl ? POP3S : POP3);

/** Opens a session at the configured server. Throws as `Pop3Client.open`, and config_invalid for a bad CA file. */
export async function logIn(config: Pop3Config, clock: Clock, signal: AbortSignal): Promise<Pop3Client> {
  const { host, username, password, ssl, starttls, timeout } = config;
  const tls = await tlsOptions(host, config);
  const security = ssl ? 'tls' : starttls ? 'stls' : 'none';
  return Pop3Client.open(
    { host, port: portOf(config), username, password, security, tls, timeout: timeout * 1000, clock },
    signal,
  );
}

/** The server for log lines and status. */
export function serverName(config: Pop3Config): string {
  return `${config.host} port ${portOf(config)}${config.ssl || config.starttls ? ' over TLS' : ''}`;
}
