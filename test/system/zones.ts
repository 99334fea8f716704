/** Zones by name, and the TZ strings that LuCI writes for them: two hemispheres, no summer time, half an hour, midnight. */
export const zones = [
  ['Europe/Vilnius', 'EET-2EEST,M3.5.0/3,M10.5.0/4'],
  ['America/New_York', 'EST5EDT,M3.2.0,M11.1.0'],
  ['Asia/Kathmandu', '<+0545>-5:45'],
  ['Australia/Lord_Howe', '<+1030>-10:30<+11>-11,M10.1.0,M4.1.0'],
  ['America/Santiago', '<-04>4<-03>,M9.1.6/24,M4.1.6/24'],
] as const;

/** How far the zone of this name is ahead of UTC, ms, by the tables of Intl. */
export function offsetByName(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  return (instant) => {
    const parts = new Map<string, number>(
      format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
    );
    const of = (type: string) => parts.get(type) ?? Number.NaN;
    const [year, month, day] = [of('year'), of('month'), of('day')];
    return Date.UTC(year, month - 1, day, of('hour'), of('minute'), of('second')) - instant;
  };
}
