import { GatewayError } from '../../base/errors.ts';
import { findPort } from './find-port.ts';
import { type ModemPort, type PortOptions, streamPort } from './port.ts';
import { openSerial } from './serial.ts';
import { openTcp } from './tcp.ts';

/**
 * Opens the port that the option `device` names: a path, `tcp://host:port`, `sim`, or `auto` for the first serial
 * port with a modem behind it. Throws GatewayError connection_failed, or the signal's reason.
 */
export async function openPort(device: string, options: PortOptions, signal: AbortSignal): Promise<ModemPort> {
  signal.throwIfAborted();
  if (device === 'sim') return openSimulator(options);
  const tcp = /^tcp:\/\/(?:\[([0-9A-Fa-f:.]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(device);
  if (tcp !== null) return openTcp(tcp[1] ?? tcp[2] ?? '', Number(tcp[3]), options, signal);
  const path = device === 'auto' ? await findPort(options, signal) : device;
  const port = await openSerial(path, options);
  if (!signal.aborted) return port;
  await port.close();
  throw signal.reason;
}

function openSimulator({ bindings, clock }: PortOptions): ModemPort {
  if (bindings?.simulator === undefined) throw new GatewayError('connection_failed', 'there is no simulator here');
  return streamPort(bindings.simulator(), 'sim', clock);
}
