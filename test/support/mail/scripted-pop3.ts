import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Where a session of the server can go wrong: before it answers the command, or within the mail. */
export const steps = [
  'greeting',
  'USER',
  'PASS',
  'LIST',
  'UIDL',
  'RETR',
  'mid-mail',
  'DELE',
  'QUIT',
  'after QUIT',
] as const;
export type Step = (typeof steps)[number];

export interface Fault {
  readonly at: Step;
  /** Say nothing more; end the connection; or say what is given. */
  readonly how: 'hang' | 'cut' | { readonly say: string };
  /** From the n-th time that a session comes there, 1 when absent. */
  readonly nth?: number;
}

export interface StoredMail {
  readonly uniqueId: string;
  /** As it lies in the box, lines ending in CR LF. */
  readonly content: Buffer;
  /** What LIST says, the true size when absent. */
  readonly size?: number;
}

/** A POP3 server that keeps to RFC 1939 but for the faults it is given. Faults hold for one session each. */
export class ScriptedPop3 {
  mails: StoredMail[] = [];
  uidl = true;
  /** Unique ids are others in each session. */
  newIds = false;
  /** What stands between the columns of a listing. */
  gap = ' ';
  /** Mails are not deleted: the server says so, or does not. */
  keeps: 'refuses' | 'pretends' | undefined;
  /** Every command that came, the password hidden. */
  readonly commands: string[] = [];
  sessions = 0;
  /** Called when a session begins. */
  onSession: () => void = () => undefined;
  /** Sessions that came to where they hang. */
  hung = 0;
  /** Cuts what is written into the pieces that go out apart. */
  pieces: (octets: Buffer) => readonly Buffer[] = (octets) => [octets];
  readonly #faults: Fault[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #last = 0;

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      void this.#serve(socket);
    });
  }

  static async start(): Promise<ScriptedPop3> {
    const server = new ScriptedPop3();
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

  /** The next session goes wrong so. */
  fault(fault: Fault): void {
    this.#faults.push(fault);
  }

  deliver(...mails: readonly (string | Buffer)[]): void {
    for (const content of mails) {
      this.mails.push({ uniqueId: `u${++this.#last}`, content: Buffer.from(content) });
    }
  }

  async #serve(socket: Socket): Promise<void> {
    this.sessions += 1;
    this.onSession();
    const session = new Session(this, socket, this.#faults.shift());
    try {
      await session.run();
    } catch (error) {
      // The client may go at any moment as well.
      if (error !== gone && !socket.destroyed) throw error;
    }
    socket.destroy();
  }
}

const gone = new Error('the connection is gone');

/** One connection. */
class Session {
  readonly #server: ScriptedPop3;
  readonly #socket: Socket;
  readonly #fault: Fault | undefined;
  readonly #mails: readonly StoredMail[];
  readonly #deleted = new Set<StoredMail>();
  #times = 0;

  constructor(server: ScriptedPop3, socket: Socket, fault: Fault | undefined) {
    this.#server = server;
    this.#socket = socket;
    this.#fault = fault;
    this.#mails = [...server.mails];
  }

  async run(): Promise<void> {
    if (await this.#pass('greeting')) await this.#say('+OK ready\r\n');
    let rest = '';
    for await (const chunk of this.#socket.setEncoding('latin1')) {
      rest += chunk;
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        this.#server.commands.push(line.startsWith('PASS') ? 'PASS' : line);
        if (!(await this.#command(line))) return;
      }
    }
  }

  /** Whether the session goes on. */
  async #command(line: string): Promise<boolean> {
    const [name = '', argument = ''] = line.split(' ');
    const mail = this.#mails[Number(argument) - 1];
    if ((steps as readonly string[]).includes(name) && !(await this.#pass(name as Step))) return true;
    switch (name) {
      case 'PASS':
        await this.#say(line === 'PASS secret' ? '+OK logged in\r\n' : '-ERR [AUTH] no\r\n');
        return true;
      case 'LIST':
        await this.#say(this.#listing(({ content, size }) => `${size ?? content.length}`));
        return true;
      case 'UIDL':
        await this.#say(this.#server.uidl ? this.#listing((stored) => this.#idOf(stored)) : '-ERR what?\r\n');
        return true;
      case 'RETR':
        await (mail === undefined ? this.#say('-ERR no such mail\r\n') : this.#retrieve(mail));
        return true;
      case 'DELE':
        if (mail !== undefined && this.#server.keeps === undefined) this.#deleted.add(mail);
        await this.#say(this.#server.keeps === 'refuses' ? '-ERR this mailbox is read-only\r\n' : '+OK marked\r\n');
        return true;
      case 'QUIT':
        this.#server.mails = this.#server.mails.filter((stored) => !this.#deleted.has(stored));
        if (await this.#pass('after QUIT')) await this.#say('+OK bye\r\n');
        return false;
      default:
        await this.#say(name === 'USER' ? '+OK\r\n' : '-ERR what?\r\n');
        return true;
    }
  }

  #listing(column: (mail: StoredMail) => string): string {
    const { gap } = this.#server;
    return `+OK\r\n${this.#mails.map((mail, at) => `${at + 1}${gap}${column(mail)}\r\n`).join('')}.\r\n`;
  }

  #idOf({ uniqueId }: StoredMail): string {
    return this.#server.newIds ? `${uniqueId}-${this.#server.sessions}` : uniqueId;
  }

  async #retrieve({ content }: StoredMail): Promise<void> {
    const lines = content.toString('latin1').split('\r\n');
    const stuffed = lines.map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n');
    const answer = Buffer.from(`+OK\r\n${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1');
    const middle = Math.floor(answer.length / 2);
    if (this.#fault?.at === 'mid-mail') await this.#say(answer.subarray(0, middle));
    if (await this.#pass('mid-mail')) {
      await this.#say(this.#fault?.at === 'mid-mail' ? answer.subarray(middle) : answer);
    }
  }

  /** Commits the fault if this is its place; false when another answer was given in place of the right one. */
  async #pass(step: Step): Promise<boolean> {
    const fault = this.#fault;
    if (fault?.at !== step || ++this.#times !== (fault.nth ?? 1)) return true;
    if (fault.how === 'cut') {
      this.#socket.destroy();
      throw gone;
    }
    if (fault.how === 'hang') {
      this.#server.hung += 1;
      await new Promise((resolve) => this.#socket.once('close', resolve));
      throw gone;
    }
    await this.#say(fault.how.say);
    return false;
  }

  async #say(text: string | Buffer): Promise<void> {
    for (const piece of this.#server.pieces(Buffer.from(text))) {
      this.#socket.write(piece);
      // So that it arrives as a chunk of its own.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
