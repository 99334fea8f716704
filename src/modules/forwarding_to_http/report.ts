import { isJsonObject } from '../../json.ts';
import type { OutboxMessage, OutboxState } from '../../store/message.ts';
import type { Told } from './fields.ts';

/** What became of a message; to `sent` there may be more to say. */
export const outcomes: ReadonlySet<OutboxState> = new Set([
  'delivered',
  'undelivered',
  'expired',
  'failed',
  'unknown',
] as const);

/** One report of this name is due for a message, whatever it goes through. */
export const reportKey = ({ id, state }: OutboxMessage): string => `${id}/${state}`;

/** The report as it is noted until it has been handed over. */
export function encodeReport({ number, state, changed, modem = '', id }: OutboxMessage): string {
  return JSON.stringify({ number, state, changed, modem, id });
}

export function decodeReport(text: string): Told {
  const value: unknown = JSON.parse(text);
  const { number, state, changed, modem, id } = isJsonObject(value) ? value : {};
  const at = Number(changed);
  return { number: `${number}`, text: `${state}`, time: at, received: at, modem: `${modem}`, id: Number(id) };
}
