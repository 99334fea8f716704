import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { version } from '../../base/version.ts';
import type { HttpRequest } from './request.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly retryAfter?: string;
}

export interface ExchangeOptions {
  /** ms that the server has for each answer. */
  readonly timeout: number;
  /** Whether the certificate must be valid; `ca` in PEM, the usual authorities when absent. */
  readonly verify: boolean;
  readonly ca?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 5;
/** Of a body that nobody reads, this much is taken so that the server can finish it. */
const MAX_BODY = 64 * 1024;

/**
 * Makes a request and follows redirects, though never from HTTPS to HTTP. Throws GatewayError connection_failed,
 * timeout, peer_rejected (a redirect that is not followed); the signal's reason.
 */
export async function exchange(first: HttpRequest, options: ExchangeOptions): Promise<HttpAnswer> {
  let request = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const { status, headers } = await answerTo(request, options);
    const next = redirected(request, status, headers.location);
    if (next === undefined) {
      const retryAfter = headers['retry-after'];
      return { status, ...(retryAfter !== undefined && { retryAfter }) };
    }
    request = next;
  }
  throw new GatewayError('peer_rejected', `${first.url.host} redirected more than ${MAX_REDIRECTS} times`);
}

/** The request that a redirect asks for. The fields go along, as they are what this is about, except with 303. */
function redirected(request: HttpRequest, status: number, location: string | undefined): HttpRequest | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  const url = URL.canParse(location, request.url.href) ? new URL(location, request.url) : undefined;
  const allowed = request.url.protocol === 'https:' ? ['https:'] : ['http:', 'https:'];
  if (url === undefined || !allowed.includes(url.protocol)) {
    throw new GatewayError('peer_rejected', `${request.url.host} redirected to where a message must not go`);
  }
  return status === 303 ? { method: 'GET', url, headers: {} } : { ...request, url };
}

function answerTo(
  { method, url, headers, body }: HttpRequest,
  { timeout, verify, ca, clock, signal }: ExchangeOptions,
): Promise<{ readonly status: number; readonly headers: IncomingMessage['headers'] }> {
  const options: RequestOptions & { rejectUnauthorized: boolean; ca?: string } = {
    method,
    // A connection of its own: the next message may be hours away.
    agent: false,
    headers: {
      'User-Agent': `sms-gateway/${version}`,
      ...headers,
      ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
    },
    rejectUnauthorized: verify,
    ...(ca !== undefined && { ca }),
  };
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const open = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
    const late = new GatewayError('timeout', `${url.host} did not answer in ${timeout / 1000} s`);
    const cancel = clock.after(timeout, () => open.destroy(late));
    const onAbort = () => open.destroy(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    open.once('close', () => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      // Whatever the server did, this ends.
      reject(new GatewayError('connection_failed', `${url.host} closed the connection without an answer`));
    });
    open.on('error', (error) => {
      const known = error === late || signal.aborted;
      const failure = new GatewayError('connection_failed', `${url.host} cannot be reached: ${error.message}`);
      reject(known ? error : failure);
    });
    open.once('response', (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      drain(response);
    });
    open.end(body);
  });
}

/** Until the request's deadline at the latest, which is still running. */
function drain(response: IncomingMessage): void {
  let length = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_BODY) response.destroy();
  });
}
