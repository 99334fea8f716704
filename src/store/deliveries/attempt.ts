import { deferred, onAbort } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';

/** How a try of a delivery ended. */
export type DeliveryOutcome =
  | { readonly type: 'done' }
  /**
   * Try again later; not before `after` ms have passed when the other side asked for that. `passable`: the fault may
   * lie in the message, so that those behind it go first, when this happens repeatedly or at once.
   */
  | {
      readonly type: 'retry';
      readonly reason: string;
      readonly after?: number;
      readonly passable?: boolean | 'at_once';
    }
  /** There is no taker: tried again when the module calls `ctx.wake` for the target. No failed try. */
  | { readonly type: 'waiting'; readonly reason: string }
  /** Never to be tried again. `moot`: nothing went wrong, there is only nothing left to do. */
  | { readonly type: 'rejected'; readonly reason: string; readonly moot?: true };

/** One try may take this long, milliseconds; longer than any time-out of its own that a module has. */
export const ATTEMPT_DEADLINE = 300_000;
/** Aborted work may take this long to report its outcome, milliseconds. */
const GRACE = 5_000;

/** What aborts one try. Made ahead where a try is expected: Node takes its time for it. */
export function attemptAbort(): AbortController {
  const abort = new AbortController();
  // Only now Node makes the signal.
  void abort.signal;
  return abort;
}

/**
 * Runs `work` under a signal that aborts with `signal` or after five minutes. Always settles: work that does not heed
 * its signal is left behind, and then this rejects with the signal's reason.
 */
export async function attempt<T>(
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  abort = attemptAbort(),
): Promise<T> {
  signal.throwIfAborted();
  const leftBehind = deferred<never>();
  const end = (reason: unknown) => {
    if (abort.signal.aborted) return;
    abort.abort(reason);
    cancel();
    cancel = clock.after(GRACE, () => leftBehind.reject(reason));
  };
  let cancel = clock.after(ATTEMPT_DEADLINE, () =>
    end(new GatewayError('timeout', `no result within ${ATTEMPT_DEADLINE / 1000} s`)),
  );
  const remove = onAbort(signal, () => end(signal.reason));
  try {
    return await Promise.race([work(abort.signal), leftBehind.promise]);
  } finally {
    remove();
    cancel();
  }
}

/** The point from which on a delivery is not repeated: stored before what must not happen twice. */
export class Commitment {
  readonly #store: () => Promise<void>;
  #storing: Promise<void> | undefined;
  #open = true;

  constructor(store: () => Promise<void>) {
    this.#store = store;
  }

  /** Resolves when it is durable. Throws GatewayError store_*, or wrong_state when the try is over. */
  async make(): Promise<void> {
    if (!this.#open) throw new GatewayError('wrong_state', 'the delivery was given up meanwhile');
    this.#storing ??= this.#store();
    await this.#storing;
  }

  /** Ends the try: it cannot be made any more. Resolves to whether it was. */
  async close(): Promise<boolean> {
    this.#open = false;
    if (this.#storing === undefined) return false;
    return this.#storing.then(
      () => true,
      () => false,
    );
  }
}
