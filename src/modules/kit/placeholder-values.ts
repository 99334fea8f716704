import type { InboxMessage } from '../../store/message.ts';
import { localTime } from '../../system/time-zone.ts';
import type { ModuleContext } from '../host/contract.ts';
import type { PlaceholderValues } from './placeholders.ts';

const UNKNOWN = 'unknown';

/** What the placeholders of an answer to this message stand for, at the moment when they are looked up. */
export function placeholderValues(
  message: Pick<InboxMessage, 'number' | 'modem'>,
  { system, modems, clock }: Pick<ModuleContext<unknown>, 'system' | 'modems' | 'clock'>,
): PlaceholderValues {
  return {
    rn: async () => (await system.routerName()) ?? UNKNOWN,
    wi: async () => (await system.uplink())?.address ?? 'none',
    cs: async () => ((await system.uplink()) === undefined ? 'disconnected' : 'connected'),
    ct: async () => (await system.uplink())?.type ?? 'none',
    ss: () => {
      const signal = modems.find(message.modem)?.status().signal;
      return signal === undefined ? UNKNOWN : `${signal} dBm`;
    },
    // Only the maker's server knows; the version that runs is the next best thing.
    fs: async () => `${UNKNOWN}, running ${(await system.firmware()) ?? UNKNOWN}`,
    sn: () => message.number,
    dt: async () => wallClock(localTime(await system.timeZone(), clock.now())),
  };
}

/** A local time as `2026-01-31 23:59:59`. */
const wallClock = (local: number): string => new Date(local).toISOString().slice(0, 19).replace('T', ' ');
