import { createConnection, type Socket } from 'node:net';
import type { Json } from '../../src/base/json.ts';

const DEADLINE_MS = 60_000;

/** The other end of the unix socket: writes octets, collects lines. */
export class LineClient {
  readonly socket: Socket;
  readonly lines: string[] = [];
  #rest = '';
  #ended = false;
  #wake = () => {};

  constructor(path: string) {
    this.socket = createConnection({ path, allowHalfOpen: true });
    this.socket.setEncoding('utf8');
    this.socket.on('data', (chunk: string) => {
      const lines = `${this.#rest}${chunk}`.split('\n');
      this.#rest = lines.pop() ?? '';
      this.lines.push(...lines);
      this.#wake();
    });
    this.socket.on('error', () => {});
    for (const event of ['end', 'close']) {
      this.socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  write(octets: string | Uint8Array): void {
    this.socket.write(octets);
  }

  send(...requests: Json[]): void {
    this.write(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
  }

  /** The next line, as JSON. */
  async read(): Promise<Json> {
    await this.#until(() => this.lines.length > 0, 'a line');
    return JSON.parse(this.lines.shift() ?? '');
  }

  /** Waits until the server has closed its side; the lines that came before. */
  async end(): Promise<readonly string[]> {
    await this.#until(() => this.#ended, 'the end');
    return this.lines;
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), DEADLINE_MS);
      }).finally(() => clearTimeout(timer));
    }
  }
}
