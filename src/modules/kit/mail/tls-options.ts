import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { certificates } from '../ca-certificates.ts';

/** The options by which a section says whom it trusts. */
export interface Trust {
  readonly ssl_verify: boolean;
  readonly ca_file?: string;
}

/** How TLS is spoken to this server. Throws GatewayError config_invalid for a CA file that is none. */
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
