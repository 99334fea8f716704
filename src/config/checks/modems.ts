import type { Config } from '../config.ts';
import type { Report } from './report.ts';

/** Devices that any number of modems may have. */
const shared: ReadonlySet<string> = new Set(['auto', 'sim']);

export function checkModems(config: Config, report: Report): void {
  const users = new Map<string, string>();
  for (const { section, device, enabled } of config.modems) {
    const port = Number(/^tcp:.*:([0-9]+)$/.exec(device)?.[1] ?? 1);
    if (port < 1 || port > 65_535) report.error(['modems', section], 'device', `${port} is not a port from 1 to 65535`);
    if (!enabled || shared.has(device)) continue;
    const user = users.get(device);
    if (user !== undefined) report.error(['modems', section], 'device', `${device} is the device of ${user} already`);
    users.set(device, section);
  }
}
