import { poll } from './poll.ts';
import { checkSession } from './rpc.ts';

/** Waits before the next try to connect, ms: doubling up to the second. */
const FIRST_RETRY = 2_000;
const LAST_RETRY = 60_000;

let retry = FIRST_RETRY;
let lost = false;
let ended = false;

/**
 * Listens to the gateway's events and makes the polls run at once when something happens. Views need not know: without
 * the socket, behind a proxy for instance, they poll as they do in LuCI.
 */
export function listen(): void {
  if (ended) return;
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/rpc`);
  socket.addEventListener('open', () => {
    if (lost) void checkSession();
    [retry, lost] = [FIRST_RETRY, false];
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: ['*'] }));
    poll.nudge();
  });
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data));
    if (message.method !== 'event') return;
    poll.nudge();
    const [name, payload] = message.params;
    document.dispatchEvent(new CustomEvent('sms-gateway-event', { detail: { name, payload } }));
  });
  socket.addEventListener('close', () => {
    // A page without polls would not notice that its session is over, or that the server is gone.
    lost = true;
    void checkSession();
    setTimeout(listen, retry);
    retry = Math.min(retry * 2, LAST_RETRY);
  });
}

export function stopListening(): void {
  ended = true;
}
