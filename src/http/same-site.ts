import type { IncomingMessage } from 'node:http';
import { parseAddress } from '../access/address.ts';

/**
 * Whether a page of another site has made the browser send this. Programs other than browsers send neither field.
 * A site that only looks like ours by a trick with DNS has another Host: `isLocal` looks at it.
 */
export function fromOtherSite({ headers }: IncomingMessage): boolean {
  const fetchSite = headers['sec-fetch-site'];
  if (fetchSite === 'cross-site' || fetchSite === 'same-site') return true;
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return host === undefined || hostOf(origin) !== host.toLowerCase();
}

/** Host and port of an origin; undefined for `null` and whatever else is no web page. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}

/** Whether the request comes from this machine, under a name that only this machine has, and past no proxy. */
export function isLocal({ headers, socket }: IncomingMessage): boolean {
  const address = parseAddress(socket.remoteAddress ?? '');
  if (address === undefined || !(address === '::1' || address.startsWith('127.'))) return false;
  // What comes past a proxy on this machine comes from anywhere.
  const marks = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];
  if (marks.some((name) => headers[name] !== undefined)) return false;
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i.test(headers.host ?? '');
}
