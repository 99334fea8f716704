import { isoTime } from '../../../base/clock.ts';
import type { OutboxMessage } from '../../../store/message.ts';
import type { ModemDirectory } from '../modem.ts';

/** Why a message is not on its way yet, a sentence; undefined when nothing but its turn is in its way. */
export function whyWaiting(
  { error, notBefore, modem }: Pick<OutboxMessage, 'error' | 'notBefore' | 'modem'>,
  modems: ModemDirectory,
  now: number,
): string | undefined {
  if (notBefore !== undefined && notBefore > now) return `it is not to be sent before ${isoTime(notBefore)}`;
  return whyNoModem(modem, modems) ?? error;
}

/** What to do where no modem is in use. */
export const noModem =
  'no modem is configured, or all are switched off: add a section modem with its device, or set its option enabled to 1';

/** Why no modem can take a message now; undefined when one can. `wanted`: only this modem may send it. */
export function whyNoModem(wanted: string | undefined, modems: ModemDirectory): string | undefined {
  const all = modems.list().map((modem) => modem.status());
  if (all.length === 0) return noModem;
  const able = wanted === undefined ? all : all.filter(({ name }) => name === wanted);
  if (able.length === 0) return `there is no modem ${wanted} any more`;
  if (able.some(({ state }) => state === 'ready')) return undefined;
  return able
    .map(({ name, state, error }) => `modem ${name} is ${state}${error === undefined ? '' : `: ${error}`}`)
    .join('; ');
}
