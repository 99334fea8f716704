import type { Clock } from '../../base/clock.ts';
import type { Pop3Config } from '../../config/config.ts';
import { tlsOptions } from '../kit/tls.ts';
import { Pop3Client } from './pop3-client.ts';

const POP3 = 110;
const POP3S = 995;

const portOf = ({ port, ssl }: Pop3Config): number => port ?? (ssl ? POP3S : POP3);

/** Logs in at the server of the config. Throws as `Pop3Client.open`, and config_invalid for a bad CA file. */
export async function logIn(config: Pop3Config, clock: Clock, signal: AbortSignal): Promise<Pop3Client> {
  const { host, username, password, ssl, starttls, timeout } = config;
  const tls = await tlsOptions(host, config);
  const security = ssl ? 'tls' : starttls ? 'stls' : 'none';
  return Pop3Client.open(
    { host, port: portOf(config), username, password, security, tls, timeout: timeout * 1000, clock },
    signal,
  );
}

/** For people: where it logs in, and how. */
export function serverName(config: Pop3Config): string {
  return `${config.host} port ${portOf(config)}${config.ssl || config.starttls ? ' over TLS' : ''}`;
}
