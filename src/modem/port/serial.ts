import { readdir } from 'node:fs/promises';
import { GatewayError } from '../../errors.ts';
import { type ModemPort, type PortOptions, streamPort } from './port.ts';

/** Octets that serialport reads at once; its default of 64 KiB for each port is much for a router. */
const READ_SIZE = 4096;

/**
 * Opens a serial line. Always a new object: one whose port has vanished cannot be used again. The package loads with
 * the first port, so a gateway without serial modems does not pay for it.
 */
export async function openSerial(path: string, options: PortOptions): Promise<ModemPort> {
  await chooseMuslBinding();
  const { SerialPort } = await import('serialport');
  const { baudrate: baudRate, rtscts } = options;
  const serial = new SerialPort({ path, baudRate, rtscts, autoOpen: false, highWaterMark: READ_SIZE });
  await new Promise<void>((resolve, reject) => {
    serial.open((error) => (error === null ? resolve() : reject(failure(path, error))));
  });
  // Destroying the stream would leave the descriptor open.
  const shut = () => new Promise<void>((resolve) => (serial.isOpen ? serial.close(() => resolve()) : resolve()));
  return streamPort(serial, path, options.clock, shut);
}

function failure(path: string, error: Error): GatewayError {
  return new GatewayError('connection_failed', `cannot open ${path}: ${error.message}`);
}

/**
 * node-gyp-build recognises musl by /etc/alpine-release alone and would load the glibc binding on OpenWrt, which
 * fails; the environment variable sets it right.
 */
async function chooseMuslBinding(): Promise<void> {
  if (process.env['LIBC'] !== undefined) return;
  const files = await readdir('/lib').catch(() => []);
  if (files.some((name) => name.startsWith('ld-musl-'))) process.env['LIBC'] = 'musl';
}
