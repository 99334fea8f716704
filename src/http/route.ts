import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { onAbort } from '../base/abort.ts';
import { AnswerRoom, type InputMemory } from '../base/memory-pool.ts';
import type { CgiAnswer } from '../modules/host/contract.ts';

/** One thing that the web server serves. */
export interface Route {
  /** Whether the route serves that path. The path has no query and is not decoded. */
  matches(path: string): boolean;
  /** Answers the request. `signal` aborts when the client has gone or the server stops; nobody reads the answer then. */
  handle(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void>;
}

/** A route that also takes connections over from HTTP (RFC 9110 7.8), and then answers for them until `stop`. */
export interface UpgradeRoute {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** A request target (RFC 9112 3.2), in origin or absolute form, as path and query. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const origin = target.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = origin.indexOf('?');
  return mark === -1 ? { path: origin, query: '' } : { path: origin.slice(0, mark), query: origin.slice(mark + 1) };
}

export const refusal = (status: number, body = 'ERROR\n'): CgiAnswer => ({
  status,
  contentType: 'text/plain;charset=utf-8',
  body,
});

/** Sends the answer with the header fields that the shim adds, too. */
export function sendAnswer(response: ServerResponse, { status, contentType, body }: CgiAnswer): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.statusCode = status;
  response.setHeader('Content-Type', contentType);
  // Answers hold messages, and their URLs hold passwords.
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (status === 405 && !response.hasHeader('Allow')) response.setHeader('Allow', 'GET, POST');
  // The rest of a body that was too long is not read.
  if (status === 413) response.setHeader('Connection', 'close');
  response.end(body);
}

/** Octets of a body that is too long which are still read: a client that is still sending reads no answer. */
const DRAIN = 1_048_576;

/** The memory of the answer, which is free again when it has been sent or the client has gone. */
export function roomOf(response: ServerResponse): AnswerRoom {
  const room = new AnswerRoom();
  response.once('close', () => room.release());
  return room;
}

/** Where a body counts, until the signal of its request aborts. */
export interface Counted {
  readonly input: InputMemory;
  readonly signal: AbortSignal;
}

/** The request's body, or undefined when it is longer than `limit` octets. Rejects when the client breaks off. */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  { input, signal }: Counted,
): Promise<Buffer | undefined> {
  const share = input.open(() => request.socket.destroy());
  // What is made of the body lives until then.
  onAbort(signal, () => share.close());
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit + DRAIN) break;
    if (length > limit) continue;
    chunks.push(chunk);
    share.set(length);
  }
  return length > limit ? undefined : Buffer.concat(chunks);
}
