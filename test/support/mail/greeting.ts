import { once } from 'node:events';
import { connect } from 'node:net';

/** Whether a server on the loopback greets whoever connects to this port. */
export async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'data');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
