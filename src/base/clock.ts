import { TimerHeap } from './timer-heap.ts';

/** Time as the gateway sees it. Everything that waits takes a Clock, so that tests can make years pass. */
export interface Clock {
  /** Milliseconds since the epoch, as the system clock has them: may jump when NTP steps it. */
  now(): number;
  /** Milliseconds that only ever grow, from an arbitrary start: for time-outs and rates. */
  monotonic(): number;
  /** Calls back once after `ms`; the result cancels it. The timer does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
}

const timers = new TimerHeap();

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => timers.after(ms, callback),
};

/** Resolves after `ms`; rejects with the signal's reason when it aborts first. Leaves no listener behind. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * What `Date.parse` makes of a text that begins with a date, `2026-01-31…`, ms since the epoch; undefined where it is no time
 * of the calendar.
 */
export function parseInstant(text: string): number | undefined {
  const time = Date.parse(text);
  const date = text.slice(0, 'YYYY-MM-DD'.length);
  // Date.parse takes 30 February for 2 March.
  return !Number.isNaN(time) && isoTime(Date.parse(date)).startsWith(date) ? time : undefined;
}

/** ISO 8601 in UTC, as every time of the namespace. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();
