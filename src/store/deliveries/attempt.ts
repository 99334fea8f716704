import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';

/** One try may take this long, milliseconds; longer than any time-out of its own that a module has. */
const DEADLINE = 300_000;
/** What was told to stop may take this long to say how it ended. */
const GRACE = 5_000;

/**
 * Runs `work` under a signal that aborts with `signal` or after five minutes. Always settles: work that does not heed
 * its signal is left behind, and then this rejects with the signal's reason.
 */
export async function attempt<T>(
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const abort = new AbortController();
  const onAbort = () => abort.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const late = () => abort.abort(new GatewayError('timeout', `no result within ${DEADLINE / 1000} s`));
  const cancels = [clock.after(DEADLINE, late)];
  const leftBehind = new Promise<never>((_, reject) => {
    const onEnd = () => cancels.push(clock.after(GRACE, () => reject(abort.signal.reason)));
    abort.signal.addEventListener('abort', onEnd, { once: true });
  });
  try {
    return await Promise.race([work(abort.signal), leftBehind]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const cancel of cancels) cancel();
  }
}
