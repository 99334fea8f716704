import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { deferred, onAbort } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import { withoutCredentials } from '../../base/http-url.ts';
import type { DeliveryOutcome } from '../host/contract.ts';
import { AnswerHead, type HttpAnswer } from './answer-head.ts';
import { basicAuthentication, type HttpRequest, octetsOf, SIGNATURE, wholeUrl } from './http-request.ts';
import { AnswerBody, type KeptConnection, type OpenConnection } from './kept-connection.ts';
import { connectionFailure } from './tls.ts';

export interface ExchangeOptions {
  /** Deadline of each answer, ms. */
  readonly timeout: number;
  /** Whether the certificate must be valid. `ca`: trusted authorities in PEM; Node's own when absent. */
  readonly verify: boolean;
  readonly ca?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where the connection stays until the next request; closed behind the answer when absent. */
  readonly kept?: KeptConnection;
}

/** For a server that does not speak TLS on its port. */
const IN_CLEAR = 'the port is wrong, or it is HTTP without TLS';
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
 * Headers that are gone with what they are about. Above all nobody gets a signature of a query that he has chosen
 * himself: it would prove to the receiver that we had sent it.
 */
const ofContent: ReadonlySet<string> = new Set(['Content-Type', SIGNATURE]);

/**
 * The request that a redirect asks for. It has the same body, except after 303, and the query of the new URL. Secret
 * headers go only to the configured server.
 */
function redirected(request: HttpRequest, status: number, location: string): HttpRequest {
  const asked = wholeUrl(request).href;
  const target = URL.canParse(location, asked) ? new URL(location, asked) : undefined;
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
  if (request.body !== undefined && status !== 303) return { ...request, url, secret };
  return { method: 'GET', url, headers: request.headers.filter(([name]) => !ofContent.has(name)), secret };
}

/** From HTTP to HTTPS on the default ports counts as the same server. */
function isSameServer(from: URL, to: URL): boolean {
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === '';
  return from.origin === to.origin || (upgraded && from.hostname === to.hostname);
}

async function answerTo(request: HttpRequest, options: ExchangeOptions): Promise<HttpAnswer> {
  const { kept, signal } = options;
  signal.throwIfAborted();
  const open = kept?.take(request.url);
  if (open !== undefined) {
    const answer = await new Exchange(request, options, open).answer;
    if (typeof answer === 'object') return answer;
    // The server has closed it meanwhile (RFC 9112 9.3.1). If it has not, it gets the message once more, as after any failure.
    if (answer === 'not_taken' && open.isUsed) kept?.lost(open.idle);
    signal.throwIfAborted();
  }
  const answer = await new Exchange(request, options).answer;
  if (typeof answer === 'string') throw new GatewayError('internal', 'a new connection counted as an old one');
  return answer;
}

/** How some servers end a connection over which nothing is asked. Such a word may cross the request. */
const saidToSilence: ReadonlySet<number> = new Set([400, 408]);
/** None does so after so short a time, ms. */
const SOON = 50;

/**
 * What came of a request. `not_taken`: the server has ended a connection that was open before, without an octet of an answer.
 * `not_meant`: its answer may be one to the silence before.
 */
type Result = HttpAnswer | 'not_taken' | 'not_meant';

/** One request and its answer over a connection. */
class Exchange {
  /** Settles as soon as the status decides; the rest of the answer is still read from the socket. */
  readonly answer: Promise<Result>;
  readonly #request: HttpRequest;
  readonly #options: ExchangeOptions;
  readonly #settled = deferred<Result>();
  readonly #socket: Socket;
  readonly #head = new AnswerHead();
  #body: AnswerBody | undefined;
  /** Whether the server was asked to keep the connection open. */
  #keeps = false;
  /** The connection was open before, and its end may be older than the request. */
  #mayBeLate = false;
  /** Nothing was asked over it for a while before. */
  readonly #wasSilent: boolean;
  #rest = 0;
  readonly #removers: readonly (() => void)[];

  constructor(request: HttpRequest, options: ExchangeOptions, open?: OpenConnection) {
    this.#request = request;
    this.#options = options;
    this.answer = this.#settled.promise;
    const { timeout, clock, signal } = options;
    const { host } = request.url;
    this.#wasSilent = open !== undefined && open.idle >= SOON;
    const write = () => {
      // The server may take the last request for the end of it. Over one that had none the request has gone as over a new one.
      this.#mayBeLate = open?.isUsed === true || this.#wasSilent;
      this.#keeps = options.kept?.isUseless === false;
      this.#socket.write(octetsOf(request, this.#keeps));
    };
    this.#socket = open?.socket ?? openTo(request.url, options, write);
    // Over an open connection the request goes before all else: what watches over it is set while it travels.
    open?.whenReady(write);
    const cancel = clock.after(timeout, () => {
      this.#mayBeLate = false;
      this.#fail(new GatewayError('timeout', `${host} did not answer in ${timeout / 1000} s`));
    });
    const removeAbort = onAbort(signal, () => {
      this.#settled.reject(signal.reason);
      this.#socket.destroy();
    });
    this.#removers = [cancel, removeAbort];
    this.#socket.on('error', this.#onError).on('close', this.#onClose).on('data', this.#onData);
    open?.letGo();
  }

  /** An answer that can be read counts more than the failure after it. */
  #settle(failure: () => Error): void {
    this.#head.end();
    if (this.#head.answer !== undefined) this.#answered(this.#head.answer);
    else if (this.#mayBeLate) this.#settled.resolve('not_taken');
    else this.#settled.reject(failure());
  }

  #fail(failure: Error): void {
    this.#settle(() => failure);
    this.#socket.destroy();
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const { host, hostname } = this.#request.url;
    // Node ends its reason with the address, which stands in front already.
    const isAddress = (word: string) => word === host || word === hostname || word.startsWith(`${hostname}:`);
    const failure = connectionFailure(error, IN_CLEAR);
    const words = failure.split(' ').filter((word) => word !== '' && !isAddress(word));
    const reason = words.join(' ') || error.code || error.name;
    this.#settle(() => new GatewayError('connection_failed', `${host} cannot be reached: ${reason}`));
  };

  readonly #onClose = (): void => {
    for (const remove of this.#removers) remove();
    const { host } = this.#request.url;
    this.#settle(() => new GatewayError('connection_failed', `${host} closed the connection without an answer`));
  };

  readonly #onData = (chunk: Buffer): void => {
    this.#mayBeLate = false;
    const head = this.#head;
    const [wasDecided, wasWhole] = [head.decided, head.whole];
    const behind = wasWhole ? chunk : head.push(chunk);
    if (wasDecided) this.#rest += chunk.length;
    else if (head.decided) this.#decide();
    if (this.#socket.destroyed) return;
    if (head.whole && !wasWhole && head.framing !== undefined && this.#keeps) this.#body = new AnswerBody(head.framing);
    this.#body?.push(behind);
    if (this.#body?.ended === true) this.#keep();
    else if (this.#rest > MAX_REST) this.#socket.destroy();
  };

  #answered(answer: HttpAnswer): void {
    const isMeant = !this.#wasSilent || !saidToSilence.has(answer.status);
    this.#settled.resolve(isMeant ? answer : 'not_meant');
    if (!isMeant) this.#socket.destroy();
  }

  #decide(): void {
    const { answer } = this.#head;
    const { host } = this.#request.url;
    if (answer !== undefined) this.#answered(answer);
    else this.#fail(new GatewayError('connection_failed', `${host} did not answer in HTTP`));
  }

  /** The connection goes to the request that waits. */
  #keep(): void {
    for (const remove of this.#removers) remove();
    this.#socket.off('error', this.#onError).off('close', this.#onClose).off('data', this.#onData);
    this.#options.kept?.put(this.#request.url, this.#socket);
  }
}

/** Opens a connection for the request to this server that comes next. */
export function openAhead(url: URL, kept: KeptConnection, options: Pick<ExchangeOptions, 'verify' | 'ca'>): void {
  kept.openAhead(url, (ready) => openTo(url, options, ready));
}

/** A new connection. `ready` is called when TLS has verified the server. */
function openTo(url: URL, { verify, ca }: Pick<ExchangeOptions, 'verify' | 'ca'>, ready: () => void): Socket {
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
