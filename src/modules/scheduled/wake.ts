import { Job } from 'node-schedule';
import type { Clock } from '../../base/clock.ts';

/** Within this time any change of the clock is noticed. */
const LOOK_MS = 20_000;

/**
 * Resolves at the time `at` of the wall clock, and in any case soon, to look whether the clock was set; at once when the
 * signal aborts. Never rejects.
 *
 * The only place for node-schedule. It gets single times that are near. Its recurrences do not fit: they run once for
 * every slot that a jump of the clock passes over, stand still as long as the clock is put back, need Intl and the zone's
 * name, and know no last day of a month.
 */
export function wake(clock: Clock, at: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wait = Math.min(Math.max(0, (at ?? Number.POSITIVE_INFINITY) - clock.now()), LOOK_MS);
    const job = at === undefined || wait === LOOK_MS ? undefined : startJob(at, end);
    const cancelTimer = clock.after(job === undefined ? wait : LOOK_MS, end);
    signal.addEventListener('abort', end);
    function end(): void {
      cancelTimer();
      job?.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}

/** Undefined when the time has come already, or where Node has no Intl: there node-schedule does not work at all. */
function startJob(at: number, callback: () => void): Job | undefined {
  const job = new Job(callback);
  try {
    if (job.schedule(new Date(at))) return job;
  } catch {}
  // Otherwise node-schedule would keep it in its list for ever.
  job.cancel();
  return undefined;
}
