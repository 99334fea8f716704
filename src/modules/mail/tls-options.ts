import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { GatewayError } from '../../errors.ts';

/** The options by which a section says whom it trusts. */
export interface Trust {
  readonly ssl_verify: boolean;
  readonly ca_file?: string;
}

/** How TLS is spoken to this server. Throws GatewayError config_invalid when the CA file cannot be read. */
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

async function certificates(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new GatewayError('config_invalid', `the CA file ${path} cannot be read`, { cause: error });
  }
}
