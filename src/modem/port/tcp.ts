import { connect } from 'node:net';
import { GatewayError } from '../../base/errors.ts';
import { type ModemPort, type PortOptions, streamPort } from './port.ts';

/** A serial-port server that takes longer is not there, ms. */
const CONNECT_DEADLINE = 10_000;
/** Silence after which the kernel asks whether the other side still lives, ms. */
const KEEP_ALIVE = 30_000;

/** Connects to a serial-port server (ser2net in raw mode). */
export function openTcp(host: string, port: number, options: PortOptions, signal: AbortSignal): Promise<ModemPort> {
  const path = `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE });
    const settle = () => {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
    };
    const fail = (error: Error) => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const failure = (why: string) => new GatewayError('connection_failed', `cannot connect to ${path}: ${why}`);
    const onAbort = () => fail(signal.reason);
    const onError = (error: Error) => fail(failure(error.message));
    const cancelTimer = options.clock.after(CONNECT_DEADLINE, () => fail(failure('no answer')));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => {
      settle();
      resolve(streamPort(socket, path, options.clock));
    });
  });
}
