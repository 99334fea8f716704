import { isoTime } from '../../../base/clock.ts';
import type { OutboxMessage } from '../../../store/message.ts';
import type { ModemDirectory } from '../modem.ts';

/** Whether its time has come, and no end. */
export const isUnderWay = (
  { state, notBefore = 0 }: Pick<OutboxMessage, 'state' | 'notBefore'>,
  now: number,
): boolean => (state === 'queued' || state === 'sending') && notBefore <= now;

/** Why a message is not on its way yet, a sentence; undefined when nothing but its turn is in its way. */
export function whyWaiting(
  { error, notBefore, modem, parts, state }: Pick<OutboxMessage, 'error' | 'notBefore' | 'modem' | 'parts' | 'state'>,
  modems: ModemDirectory,
  now: number,
): string | undefined {
  if (notBefore !== undefined && notBefore > now) return `it is not to be sent before ${isoTime(notBefore)}`;
  const begun = state === 'sending';
  return whyNoModem(modem, modems) ?? error ?? (begun ? undefined : whyNotToday(modem, parts, modems));
}

/** Which limit of a day holds up a message of so many parts; undefined when some modem has room for it. */
function whyNotToday(wanted: string | undefined, parts: number, modems: ModemDirectory): string | undefined {
  const able = modems.list().filter((modem) => modem.status().state === 'ready');
  const shares = able
    .filter(({ name }) => wanted === undefined || name === wanted)
    .map(({ name }) => ({ name, ...modems.today(name) }));
  const isHeld = ({ sent, limit }: (typeof shares)[number]) => limit > 0 && sent > 0 && sent + parts > limit;
  if (!shares.every(isHeld)) return undefined;
  const used = shares.map(({ name, sent, limit }) => `${name} has sent ${sent} of its daily_limit of ${limit} parts`);
  return `it goes tomorrow: ${used.join(', ')}`;
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
