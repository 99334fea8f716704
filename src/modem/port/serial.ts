import { describeError, GatewayError } from '../../base/errors.ts';
import { type LoadedSerialPort, loadSerialPort } from './binding.ts';
import { type ModemPort, type PortOptions, streamPort } from './port.ts';

/** Octets that serialport reads at once; its default of 64 KiB for each port is much for a router. */
const READ_SIZE = 4096;

/** A driver that takes longer hangs, ms. */
const OPEN_DEADLINE = 10_000;

/**
 * Opens a serial line. Always a new object: one whose port has vanished cannot be used again. The package loads with
 * the first port, so a gateway without serial modems does not pay for it.
 */
export async function openSerial(path: string, options: PortOptions): Promise<ModemPort> {
  const { SerialPort, warning } = await usableSerialPort(path);
  options.warn?.(warning);
  const { baudrate: baudRate, rtscts } = options;
  const serial = new SerialPort({ path, baudRate, rtscts, autoOpen: false, highWaterMark: READ_SIZE });
  await new Promise<void>((resolve, reject) => {
    const late = new Error('no answer from the driver');
    const cancel = options.clock.after(OPEN_DEADLINE, () => reject(failure(path, late)));
    serial.open((error) => {
      cancel();
      if (error !== null) return reject(failure(path, error));
      resolve();
    });
  }).catch((error) => {
    // It may still open, with nobody there to use it.
    serial.once('open', () => serial.close());
    throw error;
  });
  // Destroying the stream would leave the descriptor open.
  const shut = () => new Promise<void>((resolve) => (serial.isOpen ? serial.close(() => resolve()) : resolve()));
  return streamPort(serial, path, options.clock, shut);
}

function failure(path: string, error: Error): GatewayError {
  return new GatewayError('connection_failed', `cannot open ${path}: ${error.message}`);
}

async function usableSerialPort(path: string): Promise<LoadedSerialPort> {
  try {
    return await loadSerialPort();
  } catch (error) {
    throw failure(path, new Error(`no serialport binding can be used here: ${describeError(error)}`));
  }
}
