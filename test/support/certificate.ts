import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Certificate {
  /** Path of the certificate, which is its own authority. */
  readonly file: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate for localhost and 127.0.0.1, made by openssl. */
export function selfSigned(folder: string, days = 2): Certificate {
  const file = `${folder}/cert.pem`;
  const keyFile = `${folder}/key.pem`;
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', `${days}`],
      ...['-keyout', keyFile, '-out', file, '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ],
    { stdio: 'pipe' },
  );
  return { file, keyFile, cert: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}
