import { Job } from 'node-schedule';
import { deferred, onAbort } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';

/** Longest time until a change of the clock is noticed, ms. */
const LOOK_MS = 20_000;

/**
 * Resolves at the time `at` of the wall clock, or earlier so that a change of the clock is noticed; at once when the signal
 * aborts. Never rejects.
 *
 * The only file that imports node-schedule, and only for single times in the near future. Its recurrences run once for
 * every slot that a jump of the clock skips, pause while the clock is put back, need Intl and the zone's name, and know no
 * last day of a month.
 */
export async function wake(clock: Clock, at: number | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = deferred();
  const end = () => resolve();
  const wait = Math.min(Math.max(0, (at ?? Number.POSITIVE_INFINITY) - clock.now()), LOOK_MS);
  const job = at === undefined || wait === LOOK_MS ? undefined : startJob(at, end);
  const cancelTimer = clock.after(job === undefined ? wait : LOOK_MS, end);
  const removeAbort = onAbort(signal, end);
  await promise;
  cancelTimer();
  job?.cancel();
  removeAbort();
}

/** Undefined when the time is over, and where Node has no Intl, which node-schedule needs. */
function startJob(at: number, callback: () => void): Job | undefined {
  const job = new Job(callback);
  try {
    if (job.schedule(new Date(at))) return job;
  } catch {}
  // Otherwise node-schedule would keep the job for ever.
  job.cancel();
  return undefined;
}

/** The year of this release: a clock that shows an earlier one has never been set. */
const RELEASED = 2026;
const DAY_MS = 24 * 3_600_000;
/** Uptime after which the clock is believed, as NTP has set it by then where it can, s. */
const SET_BY_S = 3_600;

/**
 * Whether the wall clock is set. A router without a clock battery starts in 1970, or at the time of the newest file in
 * /etc, until NTP sets it. `latest`: a time that the clock has shown before; `uptime` in seconds.
 */
export function isClockSet(now: number, latest: number, uptime: number): boolean {
  if (new Date(now).getUTCFullYear() < RELEASED) return false;
  return uptime >= SET_BY_S || now > latest - DAY_MS;
}
