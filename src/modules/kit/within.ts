import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';

/** Settles as the work does, or before that rejects with the signal's reason. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
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
  const error = new GatewayError('timeout', `${what} took longer than ${ms / 1000} s`);
  const cancel = clock.after(ms, () => late.abort(error));
  try {
    return await unlessAborted(work, signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]));
  } finally {
    cancel();
  }
}
