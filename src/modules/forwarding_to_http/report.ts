import { isJsonObject } from '../../base/json.ts';
import { type OutboxMessage, outboxStates } from '../../store/message.ts';
import type { Forwarded } from './fields.ts';

/** The delivery report that is due for the message as it stands. Undefined for none: of `sent` there is more to come. */
export function reportNote({ number, state, changed, modem = '', id }: OutboxMessage): string | undefined {
  const due = state === 'delivered' || outboxStates[state].failure;
  return due ? JSON.stringify({ number, state, changed, modem, id }) : undefined;
}

export function reportFacts(note: string): Forwarded {
  const value: unknown = JSON.parse(note);
  const { number, state, changed, modem, id } = isJsonObject(value) ? value : {};
  const at = Number(changed);
  return { number: `${number}`, text: `${state}`, time: at, received: at, modem: `${modem}`, id: Number(id) };
}
