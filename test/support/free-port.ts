import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const FIRST = 10_000;
/** From here on the kernel gives ports to outgoing connections and to servers that let it choose. */
const END = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1').split(/\s+/)[0]);

/**
 * TCP ports of the loopback that nobody uses at the moment. Nobody gets them by chance before they are used, as the kernel gives
 * out others by itself; another test draws the same one once in thousands of times.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  if (!(END > FIRST + 1_000))
    throw new Error(`the kernel gives out ports from ${END} on, wanted from ${FIRST + 1_000} on`);
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = FIRST + Math.floor(Math.random() * (END - FIRST));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
