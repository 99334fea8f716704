import { execFileSync, spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

const warnings = ['-std=c99', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Werror'];

/** Compiles the shim as `path`. */
export function buildShim(path: string, ...flags: readonly string[]): void {
  execFileSync('cc', [...warnings, ...flags, '-o', path, 'src/cgi/sms_cgi.c'], { stdio: 'inherit' });
}

export interface ShimRun {
  readonly env?: Readonly<Record<string, string>>;
  /** `open`: nothing comes, and no end. */
  readonly stdin?: string | Buffer;
  readonly argv0?: string;
}

export interface ShimResult {
  readonly head: string;
  /** What came after the header block, one character an octet. */
  readonly body: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs the shim as a web server does: with nothing in the environment but what `env` says. */
export async function runShim(path: string, { env = {}, stdin = '', argv0 }: ShimRun): Promise<ShimResult> {
  const child = spawn(path, { env, ...(argv0 === undefined ? {} : { argv0 }) });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.on('error', () => undefined); // it need not read its input
  if (stdin !== 'open') child.stdin.end(stdin);
  const [stdout, stderr, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), exited]);
  const text = stdout.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  return { head: text.slice(0, end), body: text.slice(end + 4), stderr: stderr.toString(), code };
}

/** A gateway that answers each connection with what a test says. */
export class ScriptedGateway {
  readonly calls: Buffer[] = [];
  respond: (socket: Socket) => void = (socket) => socket.end();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor() {
    this.#server = createServer((socket) => {
      const chunks: Buffer[] = [];
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        if (!chunk.includes('\n')) return;
        this.calls.push(Buffer.concat(chunks.splice(0)));
        this.respond(socket);
      });
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
