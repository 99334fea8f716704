import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Access } from '../access/access.ts';
import { parseAddress } from '../access/address.ts';
import { isFromOtherSite, originFields } from '../access/request-origin.ts';

/** The address of the client; where that is a trusted proxy's, what the proxy says of its client. */
export type ClientOf = (request: IncomingMessage) => string;

export const clientsOf =
  (access: Access): ClientOf =>
  ({ socket, headers }) =>
    access.clientOf(socket.remoteAddress ?? '', originFields(headers).forwardedFor);

/**
 * Whether a page of another site has made the browser send this. A site that only looks like ours by a trick with DNS
 * has another Host: `isLocal` looks at it.
 */
export const fromOtherSite = ({ headers }: IncomingMessage): boolean => isFromOtherSite(originFields(headers));

/** The attribute of a cookie that must not leave over plain HTTP, where it came over TLS. */
export const secureOver = ({ socket }: IncomingMessage): string => (socket instanceof TLSSocket ? '; Secure' : '');

/** Whether the request comes from this machine, under a name that only this machine has, and past no proxy. */
export function isLocal({ headers, socket }: IncomingMessage): boolean {
  const address = parseAddress(socket.remoteAddress ?? '');
  if (address === undefined || !(address === '::1' || address.startsWith('127.'))) return false;
  // What comes past a proxy on this machine comes from anywhere.
  if (originFields(headers).viaProxy) return false;
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i.test(headers.host ?? '');
}
