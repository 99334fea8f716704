import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../base/errors.ts';
import { AtError } from '../at/at-error.ts';
import { AtChannel } from '../at/channel.ts';
import type { ModemPort, PortOptions } from './port.ts';
import { openSerial } from './serial.ts';

/** Ports of USB modems; a router's own serial console is nobody's modem. */
const candidate = /^tty(?:USB|ACM)(\d{1,3})$/;
/** More ports than this are no modem's. */
const MAX_CANDIDATES = 16;

/** A port that says nothing for so long has no AT interface behind it, ms. */
const DEADLINE = 3_000;

/**
 * The first port behind which something answers AT commands. A modem shows several ports, and those for data,
 * positions and diagnosis stay silent. Ports in use refuse to open and are passed over. Takes 3 s for each silent
 * port.
 */
export async function findPort(options: PortOptions, signal: AbortSignal): Promise<string> {
  const { sysfs = '/sys/class/tty', dev = '/dev' } = options.bindings ?? {};
  const names = await candidates(sysfs);
  for (const name of names) {
    signal.throwIfAborted();
    const path = join(dev, name);
    if (await answers(path, options, signal)) return path;
  }
  const seen = names.length === 0 ? 'there is no USB serial port' : `none of ${names.join(', ')} answers`;
  throw new GatewayError('connection_failed', `found no modem: ${seen}`);
}

/** Names of the ports that have hardware behind them, in the order of their numbers. */
async function candidates(sysfs: string): Promise<readonly string[]> {
  const number = (name: string) => Number(candidate.exec(name)?.[1]);
  const names = (await readdir(sysfs).catch(() => [])).filter((name) => candidate.test(name));
  const real = await Promise.all(names.map((name) => readdir(join(sysfs, name, 'device')).catch(() => undefined)));
  return names
    .filter((_, i) => real[i] !== undefined)
    .sort((a, b) => number(a) - number(b) || (a < b ? -1 : 1))
    .slice(0, MAX_CANDIDATES);
}

async function answers(path: string, options: PortOptions, signal: AbortSignal): Promise<boolean> {
  let port: ModemPort;
  try {
    port = await openSerial(path, options);
  } catch (error) {
    options.log.debug(() => String(error));
    return false;
  }
  const listener = { unsolicited() {}, closed() {}, silent() {} };
  const channel = new AtChannel({ port, clock: options.clock, log: options.log, listener });
  const cancel = options.clock.after(DEADLINE, () => channel.end(new AtError('timeout', 'no answer')));
  try {
    await channel.command('poll', signal, 'AT');
    return true;
  } catch {
    return false;
  } finally {
    cancel();
    await port.close();
  }
}
