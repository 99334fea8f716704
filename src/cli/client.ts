import { createConnection, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { within } from '../base/abort.ts';
import { systemClock } from '../base/clock.ts';
import { type ErrorCode, errorTable, GatewayError } from '../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import { decodeLine, LineReader } from '../base/line-reader.ts';

/** How long the gateway may take to answer, unless the call says otherwise, ms. */
const ANSWER_MS = 30_000;
/** How long all waits for a place may take together, ms. */
const PATIENCE_MS = 3_000;
const MIN_WAIT_MS = 50;
/** Octets of a line; the gateway's answers stay below. */
const MAX_LINE = 8 * 1024 * 1024;

export interface GatewayEvent {
  readonly name: string;
  readonly payload: JsonObject;
}

/** What to look at, by the error of the system. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: 'is it running?',
  ECONNREFUSED: 'is it running?',
  EACCES: 'root and the group of the socket may: join that group, log in again, or use sudo',
};

/** A connection to the gateway by its unix socket. One request at a time. */
export class RpcClient {
  readonly #path: string;
  #socket: Socket;
  #lines: AsyncIterator<JsonObject>;
  /** Events that came before an answer. */
  readonly #early: GatewayEvent[] = [];
  #lastId = 0;
  #closed = false;

  private constructor(path: string, socket: Socket) {
    this.#path = path;
    this.#socket = socket;
    this.#lines = readLines(socket);
  }

  /** Throws GatewayError connection_failed when no gateway listens there. */
  static async connect(path: string): Promise<RpcClient> {
    return new RpcClient(path, await open(path));
  }

  /** Throws the GatewayError that the gateway answers, timeout, connection_failed. */
  async call(object: string, method: string, args: JsonObject = {}, deadlineMs = ANSWER_MS): Promise<JsonObject> {
    const result = await this.#request('call', [object, method, args], deadlineMs);
    if (isJsonObject(result)) return result;
    throw new GatewayError('internal', 'the gateway answered with something else than a table');
  }

  /** From now on events that fit the patterns come. Throws as `call`. */
  async subscribe(patterns: readonly string[]): Promise<void> {
    for (const pattern of patterns) await this.#request('subscribe', [pattern], ANSWER_MS);
  }

  /** The events since `subscribe`, until the connection ends. No calls beside it. */
  async *events(): AsyncGenerator<GatewayEvent> {
    yield* this.#early.splice(0);
    for (let line = await this.#lines.next(); !line.done; line = await this.#lines.next()) {
      const event = eventOf(line.value);
      if (event !== undefined) yield event;
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** Tries again where the gateway had no place for the connection, and so has read nothing of it. */
  async #request(method: string, params: readonly Json[], deadlineMs: number): Promise<Json | undefined> {
    let left = PATIENCE_MS;
    for (;;) {
      try {
        return await this.#ask(method, params, deadlineMs);
      } catch (error) {
        if (!(error instanceof NoPlaceError) || error.wait > left || this.#closed) throw error;
        left -= error.wait;
        await pause(error.wait);
        this.#socket.destroy();
        this.#socket = await open(this.#path);
        if (this.#closed) this.#socket.destroy();
        this.#lines = readLines(this.#socket);
        this.#lastId = 0;
      }
    }
  }

  async #ask(method: string, params: readonly Json[], deadlineMs: number): Promise<Json | undefined> {
    const id = ++this.#lastId;
    this.#socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return within(this.#answerTo(id), "the gateway's answer", { clock: systemClock, ms: deadlineMs });
  }

  async #answerTo(id: number): Promise<Json | undefined> {
    for (;;) {
      const line = await this.#lines.next();
      if (line.done) throw new GatewayError('connection_failed', 'the gateway closed the connection');
      const { id: answered, result, error } = line.value;
      // An error without an id is about the line as a whole, and only one request is under way.
      if (isJsonObject(error) && (answered === id || answered === null)) throw errorOf(error, answered === null);
      if (answered === id) return result;
      const event = eventOf(line.value);
      if (event !== undefined) this.#early.push(event);
    }
  }
}

/** There was no place for the connection: nothing of it was read. */
class NoPlaceError extends GatewayError {
  /** ms until another try. */
  readonly wait: number;

  constructor(message: string, after: number) {
    super('too_many', message);
    this.wait = Math.max(MIN_WAIT_MS, after);
  }
}

async function open(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', ({ message, code }: NodeJS.ErrnoException) => {
      const hint = hints[code ?? ''];
      const why = hint === undefined ? '' : ` (${hint})`;
      reject(new GatewayError('connection_failed', `cannot reach the gateway: ${message}${why}`));
    });
  });
  return socket;
}

async function* readLines(socket: Socket): AsyncGenerator<JsonObject> {
  const reader = new LineReader(MAX_LINE);
  try {
    for await (const chunk of socket) {
      reader.push(chunk);
      for (let line = reader.next(); line !== undefined; line = reader.next()) yield parseLine(line);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError('connection_failed', 'the gateway closed the connection', { cause: error });
  }
}

function parseLine(line: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(decodeLine(line) ?? '');
    if (isJsonObject(value)) return value;
  } catch {
    // The error is thrown below.
  }
  throw new GatewayError('parse_error', 'the gateway sent a line that is no JSON object');
}

function eventOf({ method, params }: JsonObject): GatewayEvent | undefined {
  const [name, payload] = method === 'event' && Array.isArray(params) ? params : [];
  return typeof name === 'string' && isJsonObject(payload) ? { name, payload } : undefined;
}

function errorOf({ message, data }: JsonObject, aboutConnection: boolean): GatewayError {
  const { code, retry_after: after } = isJsonObject(data) ? data : {};
  const known = typeof code === 'string' && Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'internal';
  const hasNoPlace = aboutConnection && known === 'too_many' && typeof after === 'number';
  return hasNoPlace ? new NoPlaceError(String(message), after * 1000) : new GatewayError(known, String(message));
}
