import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

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
