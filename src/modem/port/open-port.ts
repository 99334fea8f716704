import { connect } from 'node:net';
import { basename } from 'node:path';
import { onAbort } from '../../base/abort.ts';
import { GatewayError } from '../../base/errors.ts';
import { formatHostPort, type HostPort, parseHostPort } from '../../base/host-port.ts';
import { usbPorts } from '../../system/serial-ports.ts';
import { AtError } from '../at/answer.ts';
import { AtChannel } from '../at/channel.ts';
import { type ModemPort, type PortOptions, streamPort } from './port.ts';
import { openSerial } from './serial.ts';

export { usbPorts };

const TCP = 'tcp://';

/**
 * Opens the port that the option `device` names: a path, `tcp://host:port`, `sim`, or `auto` for the first serial
 * port with a modem behind it. Throws GatewayError connection_failed, or the signal's reason.
 */
export async function openPort(device: string, options: PortOptions, signal: AbortSignal): Promise<ModemPort> {
  signal.throwIfAborted();
  if (device === 'sim') return openSimulator(options);
  const tcp = device.startsWith(TCP) ? parseHostPort(device.slice(TCP.length)) : undefined;
  if (tcp !== undefined) return openTcp(tcp, options, signal);
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

/** A serial-port server that takes longer is not there, ms. */
const CONNECT_DEADLINE = 10_000;
/** Silence after which the kernel probes the other side, ms. */
const KEEP_ALIVE = 30_000;

/** Connects to a serial-port server (ser2net in raw mode). */
function openTcp({ host, port }: HostPort, options: PortOptions, signal: AbortSignal): Promise<ModemPort> {
  const path = TCP + formatHostPort({ host, port });
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE });
    const settle = () => {
      cancelTimer();
      stopListening();
      socket.removeListener('error', onError);
    };
    const fail = (error: Error) => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const failure = (why: string) => new GatewayError('connection_failed', `cannot connect to ${path}: ${why}`);
    const onError = (error: Error) => fail(failure(error.message));
    const cancelTimer = options.clock.after(CONNECT_DEADLINE, () => fail(failure('no answer')));
    const stopListening = onAbort(signal, () => fail(signal.reason));
    socket.once('error', onError);
    socket.once('connect', () => {
      settle();
      resolve(streamPort(socket, path, options.clock));
    });
  });
}

/** A port that says nothing for so long has no AT interface behind it, ms. */
const DEADLINE = 3_000;

/**
 * The first port behind which something answers AT commands. A modem shows several ports, and those for data,
 * positions and diagnosis stay silent. Ports in use refuse to open and are passed over. Takes 3 s for each silent
 * port.
 */
async function findPort(options: PortOptions, signal: AbortSignal): Promise<string> {
  const { sysfs = '/sys/class/tty', dev = '/dev' } = options.bindings ?? {};
  const paths = await usbPorts(sysfs, dev);
  for (const path of paths) {
    signal.throwIfAborted();
    if (await answers(path, options, signal)) return path;
  }
  const names = paths.map((path) => basename(path)).join(', ');
  const seen = names === '' ? 'there is no USB serial port' : `none of ${names} answers`;
  throw new GatewayError('connection_failed', `found no modem: ${seen}`);
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
