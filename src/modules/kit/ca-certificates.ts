import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GatewayError } from '../../base/errors.ts';

/** The certificates of a PEM file. Throws GatewayError config_invalid when it cannot be read or has none. */
export async function certificates(path: string): Promise<string> {
  try {
    const pem = await readFile(path, 'utf8');
    // TLS itself takes anything, and then trusts nobody.
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw new GatewayError('config_invalid', `ca_file ${path} holds no certificate`, { cause: error });
  }
}
