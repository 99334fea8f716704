import { localTime, type TimeZone } from '../../system/time-zone.ts';

export type DateFormat = 'ctime' | 'iso';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** How times are written in an answer. */
export type DateWriter = (time: number) => string;

/**
 * Times in the router's zone: `Sat Oct 26 19:04:11 2024` (ctime, day of the month padded with a blank) or
 * `2024-10-26 19:04:11` (iso).
 */
export function dateWriter(format: DateFormat, zone: TimeZone): DateWriter {
  return (time) => {
    const iso = new Date(localTime(zone, time)).toISOString();
    const clock = iso.slice(11, 19);
    if (format === 'iso') return `${iso.slice(0, 10)} ${clock}`;
    const date = new Date(iso);
    const day = String(date.getUTCDate()).padStart(2, ' ');
    return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${clock} ${date.getUTCFullYear()}`;
  };
}
