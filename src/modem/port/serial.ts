import { readFile } from 'node:fs/promises';
import { describeError, GatewayError } from '../../base/errors.ts';
import { holdersOf, portFault } from '../../system/serial-ports.ts';
import { LinePort, type ModemPort, type PortOptions } from './port.ts';
import { type OpenBinding, SerialLine } from './serial-line.ts';

/** A driver that takes longer hangs, ms. */
const OPEN_DEADLINE = 10_000;

/**
 * Opens a serial line. Always a new object: one whose port has vanished cannot be used again. The package loads with
 * the first port, so a gateway without serial modems does not pay for it.
 */
export async function openSerial(path: string, options: PortOptions): Promise<ModemPort> {
  const { open, warning } = await usableSerialPort(path);
  options.warn?.(warning);
  const { baudrate: baudRate, rtscts } = options;
  const opening = open({ path, baudRate, rtscts });
  const binding = await new Promise<OpenBinding>((resolve, reject) => {
    const late = new Error('no answer from the driver');
    const cancel = options.clock.after(OPEN_DEADLINE, () => reject(failure(path, late)));
    opening.then(resolve, (error: Error) => reject(failure(path, error))).finally(cancel);
  }).catch(async (error) => {
    // It may still open after the deadline.
    opening.then((late) => late.close()).catch(() => undefined);
    throw (await clearerFailure(path, error)) ?? error;
  });
  return new LinePort(path, options.clock, (port) => new SerialLine(binding, port));
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

/** serialport, and what an operator should know of how it was loaded. */
export interface LoadedSerialPort {
  /** Opens and sets up a port, for this program alone. Rejects with the driver's error. */
  open(options: { readonly path: string; readonly baudRate: number; readonly rtscts: boolean }): Promise<OpenBinding>;
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
    // The bundle has nothing else of the package (scripts/build.ts).
    const { binding } = (await import('serialport')).SerialPort;
    const open: LoadedSerialPort['open'] = async (options) => {
      const port = await binding.open(options);
      if (!('poller' in port)) throw new Error('the binding of this system cannot wait for a port');
      return port;
    };
    return { open, warning };
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
