import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly type: string | undefined;
  /** One character an octet. */
  readonly body: string;
}

/** One request on a connection of its own. */
export async function fetchOnce(port: number, method: string, path: string, body = ''): Promise<HttpAnswer> {
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': Buffer.byteLength(body, 'latin1'),
  };
  const sent = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    agent: false,
    ...(method === 'POST' ? { headers } : {}),
  });
  sent.end(method === 'POST' ? Buffer.from(body, 'latin1') : undefined);
  const [response] = await once(sent, 'response');
  const content = await buffer(response);
  return { status: response.statusCode, type: response.headers['content-type'], body: content.toString('latin1') };
}

/** The answer to a request of octets, one character each; it ends with the connection. */
export async function rawRequest(port: number, request: string): Promise<{ status: string; body: string }> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  socket.write(request, 'latin1');
  const answer = await text(socket);
  const end = answer.indexOf('\r\n\r\n');
  return { status: answer.split(' ')[1] ?? '', body: answer.slice(end + 4) };
}

/** busybox httpd, serving the folder with `cgi-bin/` in it. Resolves when it takes connections. */
export async function startBusybox(folder: string, socket: string): Promise<{ port: number; process: ChildProcess }> {
  const port = await freePort();
  const process = spawn('busybox', ['httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', folder], {
    // Not the test's own: a server that outlived it would keep the test runner waiting.
    stdio: 'ignore',
    env: { PATH: '/usr/bin:/bin', SMS_GATEWAY_SOCKET: socket },
  });
  for (let tries = 0; ; tries++) {
    const probe = connect(port, '127.0.0.1');
    const connected = await once(probe, 'connect').then(
      () => true,
      () => false,
    );
    probe.destroy();
    if (connected) return { port, process };
    if (tries === 1_200 || process.exitCode !== null) throw new Error('busybox httpd does not answer');
    await wait(50);
  }
}
