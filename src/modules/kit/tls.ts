import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { GatewayError } from '../../base/errors.ts';

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
