import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';

interface Call {
  readonly resolve: (result: JsonObject) => void;
  readonly reject: (error: Error) => void;
}

/** A connection to the gateway's socket that stays, with many calls under way. */
export class RpcClient {
  readonly #path: string;
  readonly #calls = new Map<number, Call>();
  readonly #listeners = new Map<string, () => void>();
  #socket: Promise<Socket> | undefined;
  #id = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws what the gateway answers, or that the connection has ended. */
  async call(object: string, method: string, args: JsonObject): Promise<JsonObject> {
    return this.#ask('call', [object, method, args]);
  }

  async listen(event: string, heard: () => void): Promise<void> {
    this.#listeners.set(event, heard);
    await this.#ask('subscribe', [event]);
  }

  close(): void {
    void this.#socket?.then((socket) => socket.destroy());
  }

  async #ask(method: string, params: readonly unknown[]): Promise<JsonObject> {
    this.#socket ??= this.#connect();
    const socket = await this.#socket;
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#path);
    socket.on('close', () => {
      this.#socket = undefined;
      for (const { reject } of this.#calls.values()) reject(new Error('the gateway has closed the connection'));
      this.#calls.clear();
    });
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    createInterface({ input: socket })
      .on('line', (line) => this.#heard(line))
      .on('error', () => undefined);
    return socket;
  }

  #heard(line: string): void {
    const { id, method, params, result, error } = JSON.parse(line);
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error !== undefined) call?.reject(new Error(`${error.message}`));
    else if (call !== undefined) call.resolve(isJsonObject(result) ? result : {});
    else if (method !== undefined) this.#listeners.get(params?.[0] ?? '')?.();
  }
}
