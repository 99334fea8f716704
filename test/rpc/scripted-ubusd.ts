import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { JsonObject } from '../../src/base/json.ts';
import { decodeTable } from '../../src/rpc/ubus/blobmsg.ts';
import {
  attributeData,
  attributeId,
  encodeMessage,
  MessageReader,
  messageType,
  numberAttribute,
  numberOf,
  tableAttribute,
  textAttribute,
  textOf,
  type UbusMessage,
} from '../../src/rpc/ubus/message.ts';

const DEADLINE_MS = 60_000;
const HELLO = { type: messageType.hello, seq: 0, peer: 0x1234, attributes: [] };

/** ubusd as a test plays it: takes one client at a time, and does what the test says. */
export class ScriptedUbusd {
  /** Connections that have come. */
  connections = 0;
  /** Called when something has come or changed. */
  onChange: () => void = () => {};
  readonly #path: string;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  #socket: Socket | undefined;
  #messages: UbusMessage[] = [];
  #ended = false;
  #wake = () => {};

  constructor(path: string) {
    this.#path = path;
  }

  async listen(): Promise<void> {
    this.#server = createServer((socket) => this.#accept(socket)).listen(this.#path);
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(undefined));
  }

  /** A second life. */
  async restart(): Promise<void> {
    await this.stop();
    await this.listen();
  }

  /** The next connection, greeted. */
  async greet(): Promise<void> {
    await this.connected();
    this.send(HELLO);
  }

  async connected(): Promise<void> {
    await this.#until(() => this.#socket !== undefined && !this.#ended, 'a connection');
  }

  async disconnected(): Promise<void> {
    await this.#until(() => this.#ended, 'the end of the connection');
  }

  get isConnected(): boolean {
    return this.#socket !== undefined && !this.#ended;
  }

  drop(): void {
    this.#socket?.destroy();
  }

  pause(): void {
    this.#socket?.pause();
  }

  send(...messages: readonly UbusMessage[]): void {
    this.write(Buffer.concat(messages.map(encodeMessage)));
  }

  write(octets: Uint8Array): void {
    this.#socket?.write(octets);
  }

  /** The next message of the client. */
  async next(): Promise<UbusMessage> {
    await this.#until(() => this.#messages.length > 0, 'a message');
    const [message, ...rest] = this.#messages;
    this.#messages = rest;
    if (message === undefined) throw new Error('no message');
    return message;
  }

  /** What the client has sent and nobody has taken. */
  takeAll(): readonly UbusMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  get unread(): number {
    return this.#messages.length;
  }

  /** Answers a request. */
  grant(request: UbusMessage, ids: { readonly object?: number } = {}, status = 0): void {
    const { seq, peer } = request;
    const data = ids.object === undefined ? [] : [numberAttribute(attributeId.objectId, ids.object)];
    if (data.length > 0) this.send({ type: messageType.data, seq, peer, attributes: data });
    this.send({ type: messageType.status, seq, peer, attributes: [numberAttribute(attributeId.status, status)] });
  }

  /** Takes the next message, which is to register `name`. */
  async register(name: string, object: number): Promise<void> {
    const request = await this.next();
    const found = textOf(request, attributeId.objectPath);
    if (request.type !== messageType.addObject || found !== name) {
      throw new Error(`wanted ADD_OBJECT ${name}, got type ${request.type} ${found}`);
    }
    this.grant(request, { object });
  }

  /** A call, as it comes from the client `peer`. */
  invoke(object: number, method: string, args: JsonObject, { seq = 2, peer = 0x77 } = {}): void {
    this.send({
      ...{ type: messageType.invoke, seq, peer },
      attributes: [
        numberAttribute(attributeId.objectId, object),
        textAttribute(attributeId.method, method),
        textAttribute(12, 'root'),
        textAttribute(13, 'root'),
        tableAttribute(attributeId.data, args),
      ],
    });
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    this.#socket = socket;
    this.#ended = false;
    this.#messages = [];
    const reader = new MessageReader();
    socket.on('data', (chunk: Buffer) => {
      this.#messages.push(...reader.read(chunk));
      this.#changed();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket === socket) this.#ended = true;
      this.#changed();
    });
    this.#changed();
  }

  #changed(): void {
    this.#wake();
    this.onChange();
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

/** What a test compares of a message. */
export function shown(message: UbusMessage): JsonObject {
  const { type, seq, peer } = message;
  const object = numberOf(message, attributeId.objectId);
  const method = textOf(message, attributeId.method);
  const status = numberOf(message, attributeId.status);
  const data = attributeData(message, attributeId.data);
  return {
    ...{ type, seq, peer },
    ...(object === undefined ? {} : { object }),
    ...(method === undefined ? {} : { method }),
    ...(status === undefined ? {} : { status }),
    ...(data === undefined ? {} : { data: decodeTable(data) }),
  };
}
