import { env } from './env.ts';
import { _, format } from './text.ts';

/** What `rpc.declare` takes. */
export interface Declaration {
  readonly object: string;
  readonly method: string;
  readonly params?: readonly string[];
  /** Key of the result and what to take when it is missing or of another type. */
  readonly expect?: Readonly<Record<string, unknown>>;
  readonly filter?: (data: unknown, args: readonly unknown[], ...extra: unknown[]) => unknown;
  /** Whether a status other than 0 rejects. */
  readonly reject?: boolean;
  /** Sent at once, and not together with others. */
  readonly nobatch?: boolean;
}

interface Waiting {
  readonly declaration: Declaration;
  readonly message: { readonly jsonrpc: '2.0'; readonly id: number; readonly method: string; readonly params: unknown };
  readonly args: readonly unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Reply = {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
};

export class RPCError extends Error {
  override readonly name = 'RPCError';
}

const ACCESS_DENIED = -32002;

/** Called with whether the server could be reached. */
type ReachListener = (reached: boolean) => void;

let nextId = 1;
let queue: Waiting[] = [];
let onReach: ReachListener = () => {};
let onExpiry: () => void = () => {};

export function watchServer(reached: ReachListener, expired: () => void): void {
  onReach = reached;
  onExpiry = expired;
}

/** Calls of one frame go in one request. A hidden tab has no frames. */
function flushSoon(): void {
  if (document.hidden) setTimeout(flush, 0);
  else requestAnimationFrame(flush);
}

function flush(): void {
  const calls = queue;
  queue = [];
  // As in uhttpd: a body has 64 KiB at most.
  let size = 0;
  let batch: Waiting[] = [];
  for (const call of calls) {
    const length = JSON.stringify(call.message).length;
    if (batch.length > 0 && size + length > 60_000) {
      void post(batch);
      [batch, size] = [[], 0];
    }
    batch.push(call);
    size += length;
  }
  if (batch.length > 0) void post(batch);
}

async function post(calls: readonly Waiting[]): Promise<void> {
  const [first] = calls;
  if (first === undefined) return;
  const single = calls.length === 1;
  let replies: readonly Reply[];
  try {
    const response = await fetch('/ubus/', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(single ? first.message : calls.map(({ message }) => message)),
      signal: AbortSignal.timeout((Number(env['rpctimeout']) || 20) * 1000),
    });
    onReach(true);
    if (!response.ok)
      throw new RPCError(
        format(_('RPC call to %s/%s failed with HTTP error %d: %s'), [
          ...nameOf(first),
          response.status,
          response.statusText,
        ]),
      );
    const answer = await response.json();
    replies = Array.isArray(answer) ? answer : [answer];
  } catch (error) {
    if (!(error instanceof RPCError)) onReach(false);
    for (const call of calls) {
      call.reject(
        error instanceof RPCError
          ? error
          : new RPCError(format(_('RPC call to %s/%s failed: %s'), [...nameOf(call), String(error)])),
      );
    }
    return;
  }
  for (const call of calls)
    settle(
      call,
      replies.find(({ id }) => id === call.message.id),
    );
}

const nameOf = ({ declaration: { object, method } }: Waiting): readonly string[] => [object, method];

function settle(call: Waiting, reply: Reply | undefined): void {
  const { declaration, args } = call;
  const { object, method, expect, filter, reject } = declaration;
  if (reply === undefined || (reply.result === undefined && reply.error === undefined)) {
    call.reject(new RPCError(format(_('RPC call to %s/%s failed: %s'), [object, method, _('Invalid answer')])));
    return;
  }
  const { result, error } = reply;
  if (error !== undefined) {
    const failed = new RPCError(
      format(_('RPC call to %s/%s failed with error %d: %s'), [object, method, error.code, error.message]),
    );
    if (error.code === ACCESS_DENIED && !(object === 'session' && method === 'access')) void checkSession();
    call.reject(failed);
    return;
  }
  let value: unknown = result;
  if (Array.isArray(result) && object !== '') {
    if (reject === true && result[0] !== 0) {
      call.reject(
        new RPCError(
          format(_('RPC call to %s/%s failed with ubus code %d: %s'), [
            object,
            method,
            result[0],
            statusText(Number(result[0])),
          ]),
        ),
      );
      return;
    }
    value = result.length > 1 ? result[1] : result[0];
  }
  const [key, fallback] = Object.entries(expect ?? {})[0] ?? [];
  if (key !== undefined) {
    if (key !== '' && value !== null && value !== undefined) value = (value as Record<string, unknown>)[key];
    if (value === null || value === undefined || kindOf(value) !== kindOf(fallback)) value = fallback;
  }
  call.resolve(filter === undefined ? value : filter(value, args));
}

const kindOf = (value: unknown): string => Object.prototype.toString.call(value);

/** Whether a refusal means that the session is over, or only that the account lacks a right. */
export async function checkSession(): Promise<void> {
  try {
    await access('uci', 'sms_gateway', 'read');
  } catch (error) {
    if (String(error).includes(String(ACCESS_DENIED))) onExpiry();
  }
}

function statusText(code: number): string {
  const texts = [
    _('Command OK'),
    _('Invalid command'),
    _('Invalid argument'),
    _('Method not found'),
    _('Resource not found'),
    _('No data received'),
    _('Permission denied'),
    _('Request timeout'),
    _('Not supported'),
    _('Unspecified error'),
    _('Connection lost'),
    _('Out of memory'),
    _('Parsing error'),
    _('System error'),
  ];
  return texts[code] ?? _('Unknown error code');
}

/** LuCI's `rpc`. */
export const rpc = {
  declare<T = unknown>(declaration: Declaration): (...args: unknown[]) => Promise<T> {
    return (...args) =>
      new Promise<T>((resolve, reject) => {
        const names = declaration.params ?? [];
        const given = names.flatMap((name, i) => (args[i] === undefined ? [] : [[name, args[i]] as const]));
        const params = [env['sessionid'], declaration.object, declaration.method, Object.fromEntries(given)];
        const call: Waiting = {
          declaration,
          message: { jsonrpc: '2.0', id: nextId++, method: 'call', params },
          args: args.slice(names.length),
          resolve: resolve as (value: unknown) => void,
          reject,
        };
        if (declaration.nobatch === true) void post([call]);
        else if (queue.push(call) === 1) flushSoon();
      });
  },

  list(...patterns: string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const message = { jsonrpc: '2.0', id: nextId++, method: 'list', params: patterns } as const;
      void post([{ declaration: { object: '', method: 'list' }, message, args: [], resolve, reject }]);
    });
  },

  getSessionID: (): unknown => env['sessionid'],
  setSessionID(id: unknown): void {
    env['sessionid'] = id;
  },
  getBaseURL: (): string => '/ubus/',
  getStatusText: statusText,
};

/** `session access`: whether the person may do that. Rejects when the session is over. */
export const access = rpc.declare<boolean>({
  object: 'session',
  method: 'access',
  params: ['scope', 'object', 'function'],
  expect: { access: false },
  nobatch: true,
});
