import { createSocket } from 'node:dgram';
import type { NetworkInterfaceInfo } from 'node:os';

/** The discard port, where nobody listens: the network card looks at the octets alone. */
export const WAKE_PORT = 9;

/** Six octets FF, then the address 16 times: AMD, Magic Packet Technology, publication 20213. `mac` has 12 hexadecimal digits. */
export function magicPacket(mac: string): Buffer {
  const address = Buffer.from(mac.replace(/[:-]/g, ''), 'hex');
  return Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: 16 }, () => address)]);
}

/** The broadcast address of the first IPv4 network of a device. */
export function broadcastOf(addresses: readonly NetworkInterfaceInfo[]): string | undefined {
  const found = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (found === undefined) return undefined;
  const mask = found.netmask.split('.').map(Number);
  return found.address
    .split('.')
    .map((octet, index) => Number(octet) | (~(mask[index] ?? 255) & 255))
    .join('.');
}

/** Sends one datagram to a broadcast address; rejects when the kernel does not take it. */
export function broadcast(packet: Buffer, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    let open = true;
    const end = (error?: Error | null) => {
      if (!open) return;
      open = false;
      socket.close();
      if (error) reject(error);
      else resolve();
    };
    socket.once('error', end);
    socket.bind(0, () => {
      if (!open) return;
      socket.setBroadcast(true);
      socket.send(packet, port, address, end);
    });
  });
}
