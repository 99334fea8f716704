import { isUtf8 } from 'node:buffer';
import type { CgiRequest } from '../host/module.ts';

/** The parameters of a request, as libcgi finds them: a GET has them in the query only, a POST in the body only. */
export function parametersOf(request: CgiRequest): ReadonlyMap<string, string> {
  return parseForm(request.method === 'POST' ? request.body : request.query);
}

/**
 * Reads application/x-www-form-urlencoded, one character an octet. The first of repeated names wins. A `%` without two
 * hexadecimal digits stands for itself.
 */
export function parseForm(encoded: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of encoded.split('&')) {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (name === '' || parameters.has(name)) continue;
    parameters.set(name, equals === -1 ? '' : decode(pair.slice(equals + 1)));
  }
  return parameters;
}

/** Octets are UTF-8; what is not valid UTF-8 was written by a client that knows Latin-1 only. */
function decode(encoded: string): string {
  const octets = Buffer.from(
    encoded
      .replaceAll('+', ' ')
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  return octets.toString(isUtf8(octets) ? 'utf8' : 'latin1');
}
