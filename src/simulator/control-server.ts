import { createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { obey } from './control.ts';
import { type Endpoint, listen } from './line-server.ts';
import type { SimulatedModem } from './simulated-modem.ts';

const MAX_CLIENTS = 16;
/** Longest line, in octets. */
const MAX_LINE = 262_144;

/** Orders to the simulator, one JSON object a line, each answered by one. Resolves to the server and where it listens. */
export async function serveControl(modem: SimulatedModem, at: Endpoint): Promise<[Server, Endpoint]> {
  const server = createServer({ noDelay: true }, (socket) => {
    let unfinished = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const end = chunk.lastIndexOf(10);
      unfinished = end < 0 ? unfinished + chunk.length : chunk.length - end;
      if (unfinished > MAX_LINE) socket.destroy();
    });
    createInterface({ input: socket }).on('line', (line) => {
      if (socket.writable) socket.write(`${obey(modem, line)}\n`);
    });
  });
  server.maxConnections = MAX_CLIENTS;
  return [server, await listen(server, at)];
}
