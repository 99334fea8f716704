import { isJsonObject } from '../../base/json.ts';
import type { OutboxMessage, OutboxState } from '../../store/message.ts';
import type { Forwarded } from './fields.ts';

/** States that a delivery report is due for; of `sent` there is more to come. */
const outcomes: ReadonlySet<OutboxState> = new Set([
  'delivered',
  'undelivered',
  'expired',
  'failed',
  'unknown',
] as const);

/** The delivery report that is due for the message as it stands, or undefined when none is. */
export function reportNote({ number, state, changed, modem = '', id }: OutboxMessage): string | undefined {
  return outcomes.has(state) ? JSON.stringify({ number, state, changed, modem, id }) : undefined;
}

export function reportFacts(note: string): Forwarded {
  const value: unknown = JSON.parse(note);
  const { number, state, changed, modem, id } = isJsonObject(value) ? value : {};
  const at = Number(changed);
  return { number: `${number}`, text: `${state}`, time: at, received: at, modem: `${modem}`, id: Number(id) };
}
