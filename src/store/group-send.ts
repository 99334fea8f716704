import { setMaxListeners } from 'node:events';
import type { Clock } from '../base/clock.ts';
import { type GatewayError, toGatewayError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import { defined } from '../base/json.ts';
import type { PhoneNumber } from '../base/phone-number.ts';
import type { MessageId, OutboxMessage } from './message.ts';
import type { Hold } from './outbox/ceilings.ts';
import type { Outbox, SubmitRequest } from './outbox/outbox.ts';

/** The outcome for one recipient of a text. */
export type Outcome =
  | { readonly number: PhoneNumber; readonly message: OutboxMessage }
  | { readonly number: PhoneNumber; readonly error: GatewayError };

/** The outcome for one recipient, as callers see it. */
export function outcomeFields(outcome: Outcome): JsonObject {
  const { number } = outcome;
  if ('error' in outcome) return { number, state: 'failed', error: outcome.error.message, code: outcome.error.code };
  const { id, state, error } = outcome.message;
  return defined({ number, id, state, error });
}

/**
 * Submits one message for each number. The first one that is accepted goes alone, as its id names the batch; then all
 * others at once. Where a ceiling has no room for all, none is accepted; that of a recipient refuses this one only.
 * An error of one recipient does not hide the outcomes of the others. Rejects only when nothing was submitted: with
 * queue_full when there is no room for so much, and with the signal's reason.
 */
export async function submitToAll(
  outbox: Outbox,
  numbers: readonly PhoneNumber[],
  requestFor: (number: PhoneNumber) => SubmitRequest,
  { characters, signal }: { readonly characters: number; readonly signal: AbortSignal },
): Promise<readonly Outcome[]> {
  const lease = await outbox.admit(characters, numbers.length, signal);
  let hold: Hold | undefined;
  try {
    hold = outbox.hold(numbers.map(requestFor));
  } catch (error) {
    lease.release();
    return numbers.map((number) => ({ number, error: toGatewayError(error) }));
  }
  const submit = async (number: PhoneNumber, batch: MessageId | undefined): Promise<Outcome> => {
    try {
      const request = { ...requestFor(number), ...(hold !== undefined && { hold }) };
      return { number, message: await outbox.submit(batch === undefined ? request : { ...request, batch }) };
    } catch (error) {
      return { number, error: toGatewayError(error) };
    }
  };
  try {
    return await submitInTurn(numbers, submit);
  } finally {
    hold?.release();
    lease.release();
  }
}

async function submitInTurn(
  numbers: readonly PhoneNumber[],
  submit: (number: PhoneNumber, batch: MessageId | undefined) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let batch: MessageId | undefined;
  for (const number of numbers) {
    const outcome = await submit(number, undefined);
    outcomes.push(outcome);
    if ('error' in outcome) continue;
    batch = outcome.message.id;
    break;
  }
  const others = numbers.slice(outcomes.length).map((number) => submit(number, batch));
  return [...outcomes, ...(await Promise.all(others))];
}

/** The outcomes as they stand when every message has settled, `ms` have passed or one of the signals aborts. */
export async function waitForAll(
  outbox: Outbox,
  outcomes: readonly Outcome[],
  clock: Clock,
  ms: number,
  signals: readonly AbortSignal[],
): Promise<readonly Outcome[]> {
  const over = new AbortController();
  const end = () => over.abort();
  const cancelTimer = clock.after(ms, end);
  // One listener for each recipient or request under way is no leak.
  setMaxListeners(0, over.signal, ...signals);
  for (const signal of signals) signal.addEventListener('abort', end, { once: true });
  if (signals.some((signal) => signal.aborted)) end();
  try {
    return await Promise.all(
      outcomes.map(async (outcome) => {
        if ('error' in outcome) return outcome;
        const { message } = outcome;
        // Rejects when the time is over, or when somebody deleted the message meanwhile.
        const settled = await outbox.settled(message.id, over.signal).catch(() => outbox.get(message.id));
        return { ...outcome, message: settled ?? message };
      }),
    );
  } finally {
    cancelTimer();
    for (const signal of signals) signal.removeEventListener('abort', end);
  }
}
