import type { DeliveryOutcome } from '../host/contract.ts';
import type { HttpAnswer } from './answer-head.ts';

/** Client errors that pass: time-out, too early, too many requests. */
const passing = new Set([408, 425, 429]);
/** The server's own faults, or those of what stands in front of it; any other may lie in the message. */
const serversOwn = new Set([...passing, 502, 503, 504]);
/** A server may not hold up the queue for longer, ms. */
const MAX_RETRY_AFTER = 3_600_000;

export function isSuccess(status: number, ranges: readonly string[]): boolean {
  return ranges.some((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return status >= from && status <= to;
  });
}

/** What an answer means for the message. `now` in ms since the epoch. */
export function verdict(answer: HttpAnswer, ranges: readonly string[], now: number): DeliveryOutcome {
  const { status } = answer;
  if (isSuccess(status, ranges)) return { type: 'done' };
  const reason = `the server answered ${status}`;
  if (status >= 300 && status < 500 && !passing.has(status)) return { type: 'rejected', reason };
  const after = retryAfter(answer.retryAfter, now);
  return { type: 'retry', reason, passable: !serversOwn.has(status), ...(after !== undefined && { after }) };
}

/** RFC 9110 10.2.3: seconds, or a date. */
function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now;
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER) : undefined;
}
