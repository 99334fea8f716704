import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { describeError, GatewayError } from '../../base/errors.ts';

/** The options of a section that say which certificates are trusted. */
export interface Trust {
  readonly ssl_verify: boolean;
  readonly ca_file?: string;
}

/** TLS options of a connection to this server. Throws GatewayError config_invalid for a CA file without a certificate. */
export async function tlsOptions(host: string, { ssl_verify, ca_file }: Trust): Promise<ConnectionOptions> {
  return {
    host,
    rejectUnauthorized: ssl_verify,
    minVersion: 'TLSv1.2',
    // RFC 6066 3: no addresses in SNI.
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca_file !== undefined && { ca: await certificates(ca_file) }),
  };
}

/** The certificates of a PEM file. Throws GatewayError config_invalid when it cannot be read or has no certificate. */
export async function certificates(path: string): Promise<string> {
  try {
    const pem = await readFile(path, 'utf8');
    // TLS itself accepts any file, and then trusts nobody.
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw new GatewayError('config_invalid', `ca_file ${path} holds no certificate`, { cause: error });
  }
}

/** Reasons of OpenSSL and of Node, in the words of whoever has to mend it. Alerts, RFC 8446 6.2, come from the server. */
const failures: readonly (readonly [reason: RegExp, words: string])[] = [
  [/alert handshake failure/, 'the server refuses TLS as the gateway offers it: there is no cipher for both'],
  [/alert protocol version|unsupported protocol/, 'the server has no TLS 1.2 or newer'],
  [/alert certificate required/, 'the server wants a client certificate'],
  [/alert (?:unknown ca|bad certificate)/, 'the server does not trust the client certificate'],
  [/alert certificate expired/, 'the client certificate has expired'],
  [/unrecognized name/, 'the server has no certificate for the name under which it is asked'],
  [/(?:dh|ee|ca) key too small|ca md too weak/, 'the certificate or key of the server is too weak'],
];

/** What OpenSSL says to an answer that is no TLS. Newer ones read a length out of it. */
const NO_TLS = /wrong version number|packet length too long|http request|unknown protocol/;
/** Node's words for an end in the middle of the handshake. */
const TOO_SOON = /disconnected before secure TLS connection/;

/**
 * Why a connection to a server failed, in one line. `remedy` says what to change where the server does not speak TLS on
 * its port.
 */
export function connectionFailure(error: unknown, remedy: string): string {
  const reason = describeError(error);
  if (NO_TLS.test(reason)) return `the server does not speak TLS on this port: ${remedy}`;
  if (TOO_SOON.test(reason))
    return `the server closed the connection when TLS began, perhaps it does not speak TLS on this port: ${remedy}`;
  return failures.find(([each]) => each.test(reason))?.[1] ?? reason;
}
