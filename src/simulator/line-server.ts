import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SimulatedModem } from './simulated-modem.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * The modem's serial line on a TCP port, as ser2net has it: the newest client holds the line, the one before is
 * dropped. While the port of the modem is gone, clients are turned away. Resolves to the server and where it listens.
 */
export async function serveLine(modem: SimulatedModem, at: Endpoint): Promise<[Server, Endpoint]> {
  let holder: Socket | undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    // Reasons of a broken connection do not matter; it closes all the same.
    socket.on('error', () => {});
    if (!modem.plugged) return socket.destroy();
    holder?.destroy();
    holder = socket;
    modem.attach(socket);
  });
  return [server, await listen(server, at)];
}

/** Resolves to where the server listens; rejects with the system's error when it cannot. */
export async function listen(server: Server, { host, port }: Endpoint): Promise<Endpoint> {
  server.listen(port, host);
  await once(server, 'listening');
  const { address, port: bound } = server.address() as AddressInfo;
  return { host: address, port: bound };
}
