import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface Certificates {
  /** PEM files: the authority, and a server's certificate and key for localhost and 127.0.0.1. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority of the test's own, and a certificate by it. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    ...['req', '-x509', ...key, '-days', '2', '-subj', '/CN=Test Authority'],
    ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
  );
  openssl(
    ...[
      'req',
      '-x509',
      ...key,
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-CA',
      file('ca.pem'),
      '-CAkey',
      file('ca.key'),
    ],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-keyout', file('server.key'), '-out', file('server.pem')],
  );
  return { ca: file('ca.pem'), certificate: file('server.pem'), key: file('server.key') };
}
