import type { Clock } from './clock.ts';
import { GatewayError, throwUncaught } from './errors.ts';

/** Who waits for a signal. */
interface Waiters {
  readonly callbacks: Set<() => void>;
  /** The one listener of all of them. */
  readonly call: () => void;
}

/** A signal has a listener while somebody waits for it: one that `AbortSignal.any` made is held in memory as long. */
const waiting = new WeakMap<AbortSignal, Waiters>();

/**
 * Calls back once when the signal aborts, at once when it has aborted already. The result takes the listener away. Where somebody
 * waits for the signal already this costs next to nothing: it is no further listener of Node's.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => {};
  }
  const { callbacks, call } = waiting.get(signal) ?? listenTo(signal);
  // The same callback may wait twice.
  const own = () => callback();
  callbacks.add(own);
  return () => {
    if (!callbacks.delete(own) || callbacks.size > 0 || signal.aborted) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', call);
  };
}

function listenTo(signal: AbortSignal): Waiters {
  const callbacks = new Set<() => void>();
  const call = () => {
    waiting.delete(signal);
    for (const callback of callbacks) {
      try {
        callback();
      } catch (error) {
        // It keeps nobody else from being called: as with listeners of Node.
        throwUncaught(error);
      }
    }
  };
  const waiters = { callbacks, call };
  waiting.set(signal, waiters);
  signal.addEventListener('abort', call, { once: true });
  return waiters;
}

/** Resolves when the signal aborts. Only for signals that do not outlive the waiter. */
export const aborted = (signal: AbortSignal): Promise<void> => new Promise((resolve) => onAbort(signal, resolve));

/** A promise that its owner settles. Every owner settles it before it ends. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** As Promise.withResolvers, which Node 20 does not have. */
export function deferred<T = void>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => {};
  let reject: Deferred<T>['reject'] = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

/** Settles as the work does, or before that rejects with the signal's reason. Leaves no listener behind. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stop = deferred<never>();
  const remove = onAbort(signal, () => stop.reject(signal.reason));
  try {
    return await Promise.race([work, stop.promise]);
  } finally {
    remove();
  }
}

export interface Limits {
  readonly clock: Clock;
  readonly ms: number;
  readonly signal?: AbortSignal;
}

/** Settles as the work does; or before that rejects, with `timeout` after `ms`, or with the signal's reason. */
export async function within<T>(work: Promise<T>, what: string, { clock, ms, signal }: Limits): Promise<T> {
  const late = new AbortController();
  const end = () => late.abort(new GatewayError('timeout', `${what} took longer than ${ms / 1000} s`));
  const cancel = clock.after(ms, end);
  try {
    return await unlessAborted(work, signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]));
  } finally {
    cancel();
  }
}
