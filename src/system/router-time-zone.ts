import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPackage } from '../config/uci-parse-lite/index.ts';
import { hostZone, parsePosixZone, type TimeZone } from './time-zone.ts';

/** The line at the end of a zoneinfo file is far shorter. */
const FOOTER = 256;

/**
 * The time zone that the router is set to. Not that of Node: with ICU it knows zones only by name, and so takes OpenWrt's
 * TZ strings for UTC; and it never learns that the setting has changed. `root` stands in front of /etc and /usr.
 */
export async function routerTimeZone(root: string, tz = process.env.TZ): Promise<TimeZone> {
  const config = await loadPackage(join(root, '/etc/config'), 'system').catch(() => undefined);
  const options = config?.section('@system[0]')?.options;
  const option = (name: string): string => String(options?.get(name)?.value ?? '');
  // RutOS has the name with a capital letter.
  const name = option('zonename') || option('zoneName');
  const configured = parsePosixZone(option('timezone')) ?? (await zoneinfo(root, name));
  return configured ?? parsePosixZone(tz ?? '') ?? hostZone;
}

/** The rules for the present and future that a zoneinfo file ends with, RFC 8536 3.3. */
async function zoneinfo(root: string, name: string): Promise<TimeZone | undefined> {
  if (!/^[A-Za-z0-9_+-]+(?:[/ ][A-Za-z0-9_+-]+)*$/.test(name)) return undefined;
  try {
    const file = await open(join(root, '/usr/share/zoneinfo', name.replaceAll(' ', '_')));
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(FOOTER), 0, FOOTER, Math.max(0, size - FOOTER));
      return parsePosixZone(/\n([^\n]+)\n$/.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? '');
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
