import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { Certificate } from './certificate.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** A web server that keeps what it was asked and answers as told: with a status, or by a function of its own. */
export class Receiver {
  readonly seen: Seen[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end('ok');
  port = 0;
  /** Connections that are open. */
  readonly connections = new Set<Socket>();
  /** How many there have been. */
  opened = 0;

  static async open(
    t: Test,
    { tls, port = 0 }: { readonly tls?: Certificate; readonly port?: number } = {},
  ): Promise<Receiver> {
    const receiver = new Receiver();
    const handle = async (request: IncomingMessage, response: ServerResponse) => {
      const { method = '', url = '', headers } = request;
      receiver.seen.push({ method, url, headers, body: await text(request) });
      receiver.answer(request, response);
    };
    const listen = (request: IncomingMessage, response: ServerResponse) => void handle(request, response);
    const server = tls === undefined ? createServer(listen) : createTlsServer(tls, listen);
    server.on('connection', (socket: Socket) => {
      receiver.opened += 1;
      receiver.connections.add(socket);
      socket.on('close', () => receiver.connections.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    receiver.port = (server.address() as AddressInfo).port;
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    return receiver;
  }

  statuses(...statuses: number[]): void {
    this.answer = (_, response) => response.writeHead(statuses.shift() ?? 200).end();
  }
}
