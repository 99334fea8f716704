import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Certificates } from './certificates.ts';

/** Where a session can go wrong: before the answer to it. `body` is the end of the mail. */
export const smtpSteps = ['greeting', 'EHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'body'] as const;
export type SmtpStep = (typeof smtpSteps)[number];

export interface SmtpFault {
  readonly at: SmtpStep;
  /**
   * Say nothing more; end the connection; do it, and end the connection; answer what is given; or say it without end, all at
   * once or an octet at a time.
   */
  readonly how:
    | 'hang'
    | 'cut'
    | 'lost'
    | { readonly say: string }
    | { readonly endless: string; readonly slow?: boolean };
  /** Only for this recipient; without it, once. */
  readonly to?: string;
}

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came, lines ending in CR LF, without dot-stuffing. */
  readonly content: string;
  readonly encrypted: boolean;
  readonly user: string | undefined;
}

export interface SmtpOptions {
  /** TLS from the first octet, by STARTTLS, or none at all. */
  readonly tls?: { readonly kind: 'implicit' | 'starttls'; readonly certificates: Certificates };
  /** Who may send, `gateway` / `secret`; anybody when false. */
  readonly login?: boolean;
}

/** An SMTP server, RFC 5321, with the faults that it is given. */
export class ScriptedSmtp {
  readonly mails: TakenMail[] = [];
  /** Gets each mail in place of `mails`, for a run that takes more than memory holds. */
  onMail: ((mail: TakenMail) => void) | undefined;
  readonly options: SmtpOptions;
  readonly context: SecureContext | undefined;
  readonly #faults: SmtpFault[] = [];
  /** Octets said without end. */
  flood = 0;
  /** Answers in a row that the client may bring about with any line, such as 334. */
  challenge: string | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: SmtpOptions) {
    this.options = options;
    const { certificates } = options.tls ?? {};
    this.context =
      certificates &&
      createSecureContext({ cert: readFileSync(certificates.certificate), key: readFileSync(certificates.key) });
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      new Session(this, socket).start();
    });
  }

  static async start(options: SmtpOptions = {}): Promise<ScriptedSmtp> {
    const server = new ScriptedSmtp(options);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that the client holds. */
  get open(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  fault(fault: SmtpFault): void {
    this.#faults.push(fault);
  }

  /** All goes well from now on. */
  heal(): void {
    this.#faults.length = 0;
  }

  /** The fault that happens now. */
  take(step: SmtpStep, recipient: string): SmtpFault['how'] | undefined {
    const at = this.#faults.findIndex((fault) => fault.at === step && (fault.to ?? recipient) === recipient);
    const fault = this.#faults[at];
    if (fault !== undefined && fault.to === undefined) this.#faults.splice(at, 1);
    return fault?.how;
  }
}

class Session {
  readonly #server: ScriptedSmtp;
  #socket: Socket;
  #buffer = '';
  #encrypted = false;
  #user: string | undefined;
  #from = '';
  #to: string[] = [];
  #inMail = false;

  constructor(server: ScriptedSmtp, socket: Socket) {
    this.#server = server;
    this.#socket = socket;
  }

  start(): void {
    if (this.#server.options.tls?.kind === 'implicit') this.#secure();
    else this.#listen();
    this.#answer('greeting', '220 ready');
  }

  #secure(): void {
    const { context } = this.#server;
    if (context === undefined) throw new Error('no certificate');
    this.#socket.removeAllListeners('data');
    this.#socket = new TLSSocket(this.#socket, { isServer: true, secureContext: context });
    this.#socket.on('error', () => undefined);
    this.#encrypted = true;
    this.#listen();
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#buffer += chunk.toString('latin1');
      while (this.#next());
    });
  }

  /** Takes the next line, or the whole mail, from what has come. */
  #next(): boolean {
    const end = this.#inMail ? '\r\n.\r\n' : '\r\n';
    const at = this.#buffer.indexOf(end);
    if (at < 0) return false;
    const text = this.#buffer.slice(0, at);
    this.#buffer = this.#buffer.slice(at + end.length);
    if (this.#inMail) this.#mail(text);
    else this.#command(text);
    return true;
  }

  #mail(text: string): void {
    this.#inMail = false;
    const content = Buffer.from(text.replace(/^\.\./gm, '.'), 'latin1').toString();
    this.#answer('body', '250 taken', () => {
      const [from, to, encrypted, user] = [this.#from, this.#to, this.#encrypted, this.#user];
      const mail = { from, to, content, encrypted, user };
      if (this.#server.onMail === undefined) this.#server.mails.push(mail);
      else this.#server.onMail(mail);
    });
    this.#to = [];
  }

  #command(line: string): void {
    const [verb = ''] = line.toUpperCase().split(/[ :]/);
    const { tls, login = false } = this.#server.options;
    switch (verb) {
      case 'EHLO':
        this.#answer('EHLO', this.#extensions());
        return;
      case 'STARTTLS':
        if (tls?.kind !== 'starttls') this.#say('502 no TLS');
        else this.#answer('STARTTLS', '220 go on', () => setImmediate(() => this.#secure()));
        return;
      case 'AUTH': {
        const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
          .toString()
          .split('\0');
        const right = user === 'gateway' && password === 'secret';
        if (right) this.#user = user;
        this.#answer('AUTH', !login ? '503 no login here' : right ? '235 welcome' : '535 5.7.8 no');
        return;
      }
      case 'MAIL':
        this.#from = addressOf(line);
        this.#answer('MAIL', login && this.#user === undefined ? '530 5.7.0 log in first' : '250 ok');
        return;
      case 'RCPT':
        this.#answer('RCPT', '250 ok', () => void this.#to.push(addressOf(line)), addressOf(line));
        return;
      case 'DATA':
        this.#answer('DATA', '354 go on', () => {
          this.#inMail = true;
        });
        return;
      case 'QUIT':
        this.#say('221 bye');
        this.#socket.end();
        return;
      default:
        this.#say(this.#server.challenge ?? '500 what?');
    }
  }

  #extensions(): string {
    const { tls, login = false } = this.#server.options;
    const more = [
      ...(tls?.kind === 'starttls' && !this.#encrypted ? ['STARTTLS'] : []),
      ...(login && (this.#encrypted || tls === undefined) ? ['AUTH PLAIN'] : []),
    ];
    return ['test', ...more, '8BITMIME']
      .map((name, at, { length }) => `250${at < length - 1 ? '-' : ' '}${name}`)
      .join('\r\n');
  }

  /** Gives the answer and does what belongs to it, or the fault. */
  #answer(step: SmtpStep, text: string, then: () => void = () => undefined, recipient = ''): void {
    const how = this.#server.take(step, recipient);
    // What belongs to it comes first: the client may be quick.
    if (how === undefined || how === 'lost') then();
    if (how === undefined) this.#say(text);
    else if (how === 'cut' || how === 'lost') this.#socket.destroy();
    else if (how !== 'hang' && 'say' in how) this.#say(how.say);
    else if (how !== 'hang') this.#flood(Buffer.from(how.endless), how.slow ?? false);
  }

  /** Says the text again and again, as fast as the client reads, or octet by octet. */
  #flood(text: Buffer, slow: boolean): void {
    const socket = this.#socket;
    const piece = slow ? Buffer.alloc(1) : Buffer.concat(Array.from({ length: 4096 }, () => text));
    const more = () => {
      if (socket.destroyed) return;
      if (slow) piece[0] = text[this.#server.flood % text.length] ?? 0;
      this.#server.flood += piece.length;
      if (!socket.write(Buffer.from(piece))) socket.once('drain', more);
      else if (slow) setTimeout(more, 5);
      else setImmediate(more);
    };
    more();
  }

  #say(text: string): void {
    this.#socket.write(`${text}\r\n`);
  }
}

const addressOf = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? '';
