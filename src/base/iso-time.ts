/** ISO 8601 in UTC, as every time of the namespace. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();
