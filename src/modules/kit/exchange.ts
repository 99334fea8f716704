import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { deferred, onAbort } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import { withoutCredentials } from '../../base/http-url.ts';
import type { DeliveryOutcome } from '../host/contract.ts';
import { AnswerHead, type HttpAnswer } from './answer-head.ts';
import { basicAuthentication, type HttpRequest, octetsOf } from './http-request.ts';

export interface ExchangeOptions {
  /** Deadline of each answer, ms. */
  readonly timeout: number;
  /** Whether the certificate must be valid. `ca`: trusted authorities in PEM; Node's own when absent. */
  readonly verify: boolean;
  readonly ca?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 5;
/** Octets read after the status, so that a server can finish the body, which does not matter. */
const MAX_REST = 64 * 1024;

/**
 * Makes a request and follows redirects, except from HTTPS to HTTP. Throws GatewayError connection_failed,
 * timeout, peer_rejected (a redirect that is not followed); the signal's reason.
 */
export async function exchange(first: HttpRequest, options: ExchangeOptions): Promise<HttpAnswer> {
  let request = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await answerTo(request, options);
    if (answer.location === undefined) return answer;
    request = redirected(request, answer.status, answer.location);
  }
  throw new GatewayError('peer_rejected', `${first.url.host} redirected more than ${MAX_REDIRECTS} times`);
}

/**
 * The request that a redirect asks for. It has the same fields, except after 303. Secret headers go only to the
 * configured server.
 */
function redirected(request: HttpRequest, status: number, location: string): HttpRequest {
  const target = URL.canParse(location, request.url.href) ? new URL(location, request.url) : undefined;
  const allowed = request.url.protocol === 'https:' ? ['https:'] : ['http:', 'https:'];
  if (target === undefined || !allowed.includes(target.protocol)) {
    throw new GatewayError(
      'peer_rejected',
      `${request.url.host} redirected to an address that is not allowed: plain HTTP, or no HTTP URL`,
    );
  }
  const { url, credentials } = withoutCredentials(target);
  const own = credentials === undefined ? [] : [basicAuthentication(credentials)];
  const secret = own.length === 0 && isSameServer(request.url, url) ? request.secret : own;
  return status === 303 ? { method: 'GET', url, headers: [], secret } : { ...request, url, secret };
}

/** From HTTP to HTTPS on the default ports counts as the same server. */
function isSameServer(from: URL, to: URL): boolean {
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === '';
  return from.origin === to.origin || (upgraded && from.hostname === to.hostname);
}

/** Resolves as soon as the status decides; the rest of the answer is still read from the socket. */
async function answerTo(request: HttpRequest, options: ExchangeOptions): Promise<HttpAnswer> {
  const { timeout, clock, signal } = options;
  const { host } = request.url;
  signal.throwIfAborted();
  const { promise, resolve, reject } = deferred<HttpAnswer>();
  const head = new AnswerHead();
  let rest = 0;
  const socket = openTo(request.url, options, () => socket.write(octetsOf(request)));
  /** An answer that can be read counts more than the failure after it. */
  const settle = (failure: Error) => {
    head.end();
    if (head.answer !== undefined) resolve(head.answer);
    else reject(failure);
  };
  const cancel = clock.after(timeout, () => {
    settle(new GatewayError('timeout', `${host} did not answer in ${timeout / 1000} s`));
    socket.destroy();
  });
  const removeAbort = onAbort(signal, () => {
    reject(signal.reason);
    socket.destroy();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const reason = error.message || error.code || error.name;
    settle(new GatewayError('connection_failed', `${host} cannot be reached: ${reason}`));
  });
  socket.once('close', () => {
    cancel();
    removeAbort();
    settle(new GatewayError('connection_failed', `${host} closed the connection without an answer`));
  });
  socket.on('data', (chunk: Buffer) => {
    if (head.decided) {
      rest += chunk.length;
      if (rest > MAX_REST) socket.destroy();
      return;
    }
    head.push(chunk);
    if (!head.decided) return;
    if (head.answer !== undefined) return resolve(head.answer);
    reject(new GatewayError('connection_failed', `${host} did not answer in HTTP`));
    socket.destroy();
  });
  return promise;
}

/** A new connection: the next message may be hours away. `ready` is called when TLS has verified the server. */
function openTo(url: URL, { verify, ca }: ExchangeOptions, ready: () => void): Socket {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.protocol === 'http:') return connect({ host, port: Number(url.port || 80) }, ready);
  return connectTls(
    {
      host,
      port: Number(url.port || 443),
      // An address is no server name (RFC 6066 3).
      servername: isIP(host) === 0 ? host : '',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: verify,
      ...(ca !== undefined && { ca }),
    },
    ready,
  );
}

/** Temporary client errors: time-out, too early, too many requests. */
const passing = new Set([408, 425, 429]);
/** Faults of the server or of a proxy in front of it. Other faults may lie in the message. */
const serversOwn = new Set([...passing, 502, 503, 504]);
/** Longest pause that a server can ask for, ms. */
const MAX_RETRY_AFTER = 3_600_000;

export function isSuccess(status: number, ranges: readonly string[]): boolean {
  return ranges.some((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return status >= from && status <= to;
  });
}

/** The outcome of a delivery with this answer. `now` in ms since the epoch. */
export function verdict(answer: HttpAnswer, ranges: readonly string[], now: number): DeliveryOutcome {
  const { status } = answer;
  if (isSuccess(status, ranges)) return { type: 'done' };
  const reason = `the server answered ${status}`;
  if (status >= 300 && status < 500 && !passing.has(status)) return { type: 'rejected', reason };
  const after = retryAfter(answer.retryAfter, now);
  return { type: 'retry', reason, passable: !serversOwn.has(status), ...(after !== undefined && { after }) };
}

interface Delivering extends Pick<ExchangeOptions, 'clock' | 'signal'> {
  /** Statuses that mean success, and ranges of them: `200-299`. */
  readonly successCodes: readonly string[];
}

/** The outcome of a delivery by this request, whatever goes wrong with it. Throws the signal's reason. */
export async function outcomeOf(
  request: () => Promise<HttpAnswer>,
  { successCodes, clock, signal }: Delivering,
): Promise<DeliveryOutcome> {
  try {
    return verdict(await request(), successCodes, clock.now());
  } catch (error) {
    signal.throwIfAborted();
    const type = error instanceof GatewayError && error.code === 'peer_rejected' ? 'rejected' : 'retry';
    return { type, reason: describeError(error) };
  }
}

/** RFC 9110 10.2.3: seconds, or a date. */
function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now;
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER) : undefined;
}
