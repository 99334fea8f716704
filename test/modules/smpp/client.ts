import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type CommandName, c, ids, pdu, RESPONSE, u8 } from './octets.ts';

/** A PDU as it came. */
export interface Received {
  readonly id: number;
  readonly status: number;
  readonly sequence: number;
  readonly body: Buffer;
}

const DEADLINE = 60_000;

/** A client that says anything, by the octet. Its requests carry the sequence numbers 1, 2, … unless they say another. */
export class SmppClient {
  readonly socket: Socket;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  #sequence = 0;
  #octets = Buffer.alloc(0);
  #ended = false;
  readonly #received: Received[] = [];
  #waiters: (() => void)[] = [];

  static async connect(port: number): Promise<SmppClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new SmppClient(socket);
  }

  /** Binds as the account; throws for a status other than 0. */
  static async bound(port: number, as: BindName = 'bind_transceiver', credentials: Credentials = {}) {
    const client = await SmppClient.connect(port);
    const { status } = await client.bind(as, credentials);
    if (status !== 0) throw new Error(`bind: status ${status}`);
    return client;
  }

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true;
        this.#changed();
        resolve();
      });
    });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.#take(chunk));
  }

  /** PDUs that came and were not asked for yet. */
  get waiting(): number {
    return this.#received.length;
  }

  send(...octets: readonly Uint8Array[]): void {
    for (const each of octets) this.socket.write(each);
  }

  /** The next PDU that is like this, in the order of arrival; others stay. */
  async next(fits: (pdu: Received) => boolean = () => true, deadline = DEADLINE): Promise<Received> {
    const end = Date.now() + deadline;
    for (;;) {
      const at = this.#received.findIndex(fits);
      const [found] = at < 0 ? [] : this.#received.splice(at, 1);
      if (found !== undefined) return found;
      if (this.#ended) throw new Error('the server has closed');
      const left = end - Date.now();
      if (left <= 0) throw new Error('waited in vain for a PDU');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The next request of this kind that the server sends. */
  asked(name: CommandName): Promise<Received> {
    return this.next(({ id }) => id === ids[name]);
  }

  /** Sends a request and resolves to its answer, which may be a generic_nack. */
  async request(name: CommandName, body: readonly Uint8Array[] = [], sequence = ++this.#sequence): Promise<Received> {
    this.send(pdu(ids[name], body, sequence));
    return this.next(({ id, sequence: answered }) => id >= RESPONSE && answered === sequence);
  }

  bind(as: BindName, { id = 'admin', password = 'admin01', type = '', version = 0x34 }: Credentials = {}) {
    return this.request(as, [c(id), c(password), c(type), u8(version, 0, 0), c('')]);
  }

  answer({ id, sequence }: Received, status = 0): void {
    this.send(pdu(RESPONSE + id, id === ids.deliver_sm ? [c('')] : [], sequence, status));
  }

  destroy(): void {
    this.socket.destroy();
  }

  #changed(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #take(chunk: Buffer): void {
    this.#octets = Buffer.concat([this.#octets, chunk]);
    while (this.#octets.length >= 16 && this.#octets.length >= this.#octets.readUInt32BE(0)) {
      const octets = this.#octets.subarray(0, this.#octets.readUInt32BE(0));
      this.#octets = this.#octets.subarray(octets.length);
      this.#received.push({
        ...{ id: octets.readUInt32BE(4), status: octets.readUInt32BE(8), sequence: octets.readUInt32BE(12) },
        body: octets.subarray(16),
      });
    }
    this.#changed();
  }
}

export type BindName = 'bind_receiver' | 'bind_transmitter' | 'bind_transceiver';

export interface Credentials {
  readonly id?: string;
  readonly password?: string;
  readonly type?: string;
  readonly version?: number;
}

/** The C-octet string that a body begins with: the message_id of most answers. */
export const textOf = ({ body }: Received): string => body.subarray(0, body.indexOf(0)).toString('latin1');

export interface Message {
  readonly source: string;
  readonly destination: string;
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly text: Buffer;
  readonly tlvs: ReadonlyMap<number, Buffer>;
}

/** Reads a deliver_sm, SMPP 3.4 4.6.1. */
export function messageOf({ body }: Received): Message {
  let at = 0;
  const octet = () => body[at++] ?? Number.NaN;
  const text = () => {
    const from = at;
    at = body.indexOf(0, from) + 1;
    return body.subarray(from, at - 1).toString('latin1');
  };
  const address = () => `${octet()}.${octet()}.${text()}`;
  text();
  const [source, destination] = [address(), address()];
  const esmClass = octet();
  at += 2;
  text();
  text();
  at += 2;
  const dataCoding = octet();
  at += 1;
  const length = octet();
  const message = body.subarray(at, at + length);
  at += length;
  const tlvs = new Map<number, Buffer>();
  while (at < body.length) {
    const end = at + 4 + body.readUInt16BE(at + 2);
    tlvs.set(body.readUInt16BE(at), body.subarray(at + 4, end));
    at = end;
  }
  return { source, destination, esmClass, dataCoding, text: message, tlvs };
}
