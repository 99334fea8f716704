/** What stands around a gateway that is measured: the simulated modem behind a pseudo terminal, and a web server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as immediate, setTimeout as wait } from 'node:timers/promises';
import type { JsonObject } from '../src/base/json.ts';

/** For so many ms nothing is waited between two looks, so that short times are not measured in steps. */
const BUSY = 30;

/** Now, in ms of the system's monotonic clock, which all processes share. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Waits until `done` holds; fails after `limit` ms. */
export async function until(what: string, done: () => boolean | Promise<boolean>, limit = 60_000): Promise<void> {
  const begun = Date.now();
  const deadline = begun + limit;
  for (; !(await done()); await (Date.now() < begun + BUSY ? immediate() : wait(2))) {
    if (Date.now() > deadline) throw new Error(`waited ${limit / 1000} s for ${what}`);
  }
}

/** Ends a process, whatever it does. */
export async function end(child: ChildProcess | undefined, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** The simulator as a process of its own, on a pseudo terminal. */
export class Modem {
  readonly tty: string;
  readonly #children: ChildProcess[];
  readonly #control: Socket;
  readonly #answers: ((answer: JsonObject) => void)[] = [];

  private constructor(tty: string, children: ChildProcess[], control: Socket) {
    this.tty = tty;
    this.#children = children;
    this.#control = control;
    createInterface({ input: control }).on('line', (line) => this.#answers.shift()?.(JSON.parse(line)));
  }

  /** `latency`: ms for each answer, and `part` ms again for each part; as long when absent. */
  static async start(tty: string, latency: number, part = latency): Promise<Modem> {
    const listen = ['--listen', 'tcp:127.0.0.1:0', '--control', 'tcp:127.0.0.1:0'];
    const args = ['dist/simulator.js', ...listen, '--memory', '255', '--latency', `${latency}`, '--part', `${part}`];
    const simulator = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let [control, line] = ['', ''];
    for await (const text of createInterface({ input: simulator.stdout })) {
      control = /^control on .*:(\d+)$/.exec(text)?.[1] ?? control;
      line = /^listening on .*:(\d+)$/.exec(text)?.[1] ?? line;
      if (line !== '') break;
    }
    const socat = spawn('socat', [`PTY,link=${tty},raw,echo=0`, `TCP:127.0.0.1:${line},nodelay`], { stdio: 'inherit' });
    await until('the pseudo terminal', () => existsSync(tty));
    const socket = connect({ host: '127.0.0.1', port: Number(control), noDelay: true });
    await once(socket, 'connect');
    return new Modem(tty, [simulator, socat], socket);
  }

  order(order: JsonObject): Promise<JsonObject> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#control.write(`${JSON.stringify(order)}\n`);
    });
  }

  /** A message for the gateway arrives. */
  async receive(text: string): Promise<void> {
    const answer = await this.order({ receive: { from: '+37060000001', text } });
    if (answer.error !== undefined) throw new Error(`the simulator: ${JSON.stringify(answer)}`);
  }

  /** When the modem last announced something, as `monotonic` has it; 0 if it never did. */
  async spoke(): Promise<number> {
    const { spoke } = await this.order({ status: true });
    return Number(spoke);
  }

  /** How many messages the network has taken from the gateway so far. */
  async sent(): Promise<number> {
    const { counters } = await this.order({ status: true });
    return Number((counters as JsonObject | undefined)?.messages);
  }

  async stop(): Promise<void> {
    this.#control.destroy();
    for (const child of this.#children) await end(child);
  }
}

/** Takes what gateways forward, `?text=…`, and knows when each text came. */
export class Receiver {
  /** As `monotonic` has it. */
  readonly arrived = new Map<string, number>();
  readonly #server: Server;
  /** Called with each text. */
  onArrival: (text: string) => void = () => {};

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      const text = new URL(request.url ?? '', 'http://receiver').searchParams.get('text')?.trim() ?? '';
      if (!this.arrived.has(text)) this.arrived.set(text, monotonic());
      response.end('OK');
      this.onArrival(text);
    });
  }

  static async start(): Promise<Receiver> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const receiver = new Receiver(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  /** Resolves when the text has come. Who looks for it in a loop takes a core away from what is measured. */
  async text(text: string, limit = 60_000): Promise<void> {
    const come = new Promise<void>((resolve) => {
      this.onArrival = () => this.arrived.has(text) && resolve();
      this.onArrival(text);
    });
    const late = wait(limit, 'late' as const, { ref: false });
    if ((await Promise.race([come, late])) === 'late') throw new Error(`waited ${limit / 1000} s for ${text}`);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
