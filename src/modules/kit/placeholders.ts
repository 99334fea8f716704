import type { InboxMessage } from '../../store/message.ts';
import { localTime } from '../../system/time-zone.ts';
import type { ModuleContext } from '../host/contract.ts';

/**
 * Placeholders in the texts of replies, as the original names them: `%rn` router name, `%wi` WAN IP, `%cs` data
 * connection state, `%ct` connection type, `%ss` signal strength, `%fs` new firmware. Additions: `%sn` sender's number,
 * `%dt` date and time. `%%` is a percent sign; other text stays as it is.
 */
type Placeholder = 'rn' | 'wi' | 'cs' | 'ct' | 'ss' | 'fs' | 'sn' | 'dt';
const pattern = /%(%|rn|wi|cs|ct|ss|fs|sn|dt)/g;

/** Looked up only for the placeholders that occur: some start a program. */
type PlaceholderValues = Readonly<Record<Placeholder, () => string | Promise<string>>>;

const UNKNOWN = 'unknown';

/** The values in an answer to this message, at the moment of the look-up. */
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
    // Only the maker's server knows of new firmware. The running version helps a little.
    fs: async () => `${UNKNOWN}, running ${(await system.firmware()) ?? UNKNOWN}`,
    sn: () => message.number,
    dt: async () => wallClock(localTime(await system.timeZone(), clock.now())),
  };
}

/** A local time as `2026-01-31 23:59:59`. */
const wallClock = (local: number): string => new Date(local).toISOString().slice(0, 19).replace('T', ' ');

export async function fillPlaceholders(template: string, values: PlaceholderValues): Promise<string> {
  const found = new Map<string, string>([['%', '%']]);
  for (const [, key] of template.matchAll(pattern)) {
    if (key !== undefined && !found.has(key)) found.set(key, await values[key as Placeholder]());
  }
  return template.replace(pattern, (_, key: string) => found.get(key) ?? '');
}
