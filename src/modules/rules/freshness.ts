import type { RuleConfig } from '../../config/config.ts';

const HOUR_MS = 3_600_000;
/** How long after a start of the system an older order to restart it counts as carried out, ms. */
const JUST_STARTED_MS = 600_000;

/**
 * Why an order comes too late to be obeyed; undefined when it does not. `sent` is the time stamp of the service centre,
 * `now` the wall clock, `uptime` the seconds since the system started. While the router's clock is not set yet, it lies in the future: then nothing can be said against it.
 */
export function tooLate(
  { action, max_age }: Pick<RuleConfig, 'action' | 'max_age'>,
  sent: number,
  { now, uptime }: { readonly now: number; readonly uptime: number },
): string | undefined {
  const up = uptime * 1000;
  // The journal knows what was done before. This holds even where the journal was lost and the SIM still has the order.
  if (action === 'reboot' && up < JUST_STARTED_MS && sent < now - up) return 'the system has restarted since';
  return now - sent > max_age * HOUR_MS ? `it was sent more than ${max_age} hours ago` : undefined;
}
