import { readSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describeError, GatewayError } from '../../base/errors.ts';
import { holdersOf, portFault } from '../../system/serial-ports.ts';
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
  }).catch(async (error) => {
    // It may still open after the deadline.
    serial.once('open', () => serial.close());
    throw (await clearerFailure(path, error)) ?? error;
  });
  const binding = serial.port;
  if (binding !== undefined) readAtOnce(binding);
  return streamPort(serial, path, options.clock, {
    // Destroying the stream would leave the descriptor open.
    shut: () => new Promise<void>((resolve) => (serial.isOpen ? serial.close(() => resolve()) : resolve())),
    writeNow: (bytes) => (binding?.fd == null ? 0 : atOnce(() => writeSync(binding.fd ?? -1, bytes))),
  });
}

/** What is used of serialport's binding of an open port. */
interface OpenBinding {
  readonly fd?: number | null;
  read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }>;
  readonly poller?: { once(event: 'readable', callback: (error: Error | null) => void): unknown };
}

/**
 * serialport hands each read and write to a thread, which costs more than the call itself. The descriptor does not
 * block: octets come in and go out at once, and only what the driver does not have or take yet goes the long way.
 */
function readAtOnce(binding: OpenBinding): void {
  const { poller } = binding;
  const read = binding.read.bind(binding);
  if (poller === undefined) return;
  // To find nothing is an exception, the dearest of all answers: after a short read the next waits first.
  let isDrained = false;
  binding.read = async (buffer, offset, length) => {
    for (let waited = false; binding.fd != null; waited = true) {
      const bytesRead =
        isDrained && !waited ? 0 : atOnce(() => readSync(binding.fd ?? -1, buffer, offset, length, null));
      isDrained = bytesRead < length;
      if (bytesRead > 0) return { buffer, bytesRead };
      // Woken for nothing: the line is gone, and serialport knows in which way.
      if (waited) break;
      await new Promise<void>((resolve, reject) => {
        poller.once('readable', (error) => (error === null || error === undefined ? resolve() : reject(error)));
      });
    }
    return read(buffer, offset, length);
  };
}

/** The octets that went through; none where the call would block or failed. */
function atOnce(call: () => number): number {
  try {
    return call();
  } catch {
    return 0;
  }
}

/** What an operator can do about a port that does not open, as far as it can be seen from outside. */
async function clearerFailure(path: string, error: Error): Promise<GatewayError | undefined> {
  const fault = await portFault(path);
  if (fault !== undefined) return new GatewayError('connection_failed', fault);
  if (!/lock|busy|temporarily unavailable/i.test(error.message)) return undefined;
  const holders = await holdersOf(path);
  return failure(path, new Error(`busy: ${holders.join(', ') || 'another program'} has it open`));
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

export type Libc = 'glibc' | 'musl';
type Package = typeof import('serialport');

/** serialport, and what an operator should know of how it was loaded. */
export interface LoadedSerialPort extends Pick<Package, 'SerialPort'> {
  readonly warning: string | undefined;
}

let loading: Promise<LoadedSerialPort> | undefined;

/**
 * Loads serialport with its first use, so a gateway without serial modems does not pay for it. Throws what the loader
 * throws when no binding is usable.
 */
export function loadSerialPort(): Promise<LoadedSerialPort> {
  loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/**
 * The C library of a process by its /proc/…/maps. What lies in /lib beside it says nothing: a Debian box with
 * musl-tools has the loader of musl as well. On OpenWrt the loader is a link to /lib/libc.so, and maps has the target.
 */
export function libcOf(maps: string): Libc | undefined {
  if (/\/(ld-musl-[^/\n]*|libc\.musl-[^/\n]*|libc\.so)$/m.test(maps)) return 'musl';
  if (/\/(ld-linux[^/\n]*|ld-[0-9.]+\.so|libc\.so\.6|libc-2[^/\n]*)$/m.test(maps)) return 'glibc';
  return undefined;
}

/**
 * node-gyp-build recognises musl by /etc/alpine-release alone, which OpenWrt lacks; the environment variable sets it
 * right. Should the chosen binding not load after all, the other one is tried in its place.
 */
async function load(): Promise<LoadedSerialPort> {
  const libc = libcOf(await readFile('/proc/self/maps', 'utf8').catch(() => ''));
  if (libc !== undefined) process.env['LIBC'] ??= libc;
  let warning: string | undefined;
  const { dlopen } = process;
  process.dlopen = (module: object, file: string, ...rest: number[]) => {
    try {
      return dlopen.call(process, module, file, ...rest);
    } catch (error) {
      const other = otherBinding(file);
      if (other === undefined) throw error;
      dlopen.call(process, module, other.file, ...rest);
      warning = `the serialport binding is the one for ${other.libc}: the other one does not load (${describeError(error)})`;
    }
  };
  try {
    const { SerialPort } = await import('serialport');
    return { SerialPort, warning };
  } finally {
    process.dlopen = dlopen;
  }
}

/** Beside `x.glibc.node` lies `x.musl.node`. */
function otherBinding(file: string): { readonly file: string; readonly libc: Libc } | undefined {
  const libc = /serialport.*\.(glibc|musl)\.node$/.exec(file)?.[1];
  if (libc === undefined) return undefined;
  const other = libc === 'musl' ? 'glibc' : 'musl';
  return { file: file.replace(/(glibc|musl)\.node$/, `${other}.node`), libc: other };
}
