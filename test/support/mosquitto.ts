import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { freePort } from './free-port.ts';
import { until } from './outbox-rig.ts';
import { end, missingPrograms } from './programs.ts';

/** For the `skip` of a test. */
export const noMosquitto = missingPrograms(
  ['mosquitto', 'mosquitto_pub', 'mosquitto_sub'],
  'mosquitto mosquitto-clients',
);

const run = promisify(execFile);

let listeners = 0;

/** A real broker on a port of its own. Sessions and retained messages outlive a restart. */
export class Mosquitto {
  readonly port: number;
  readonly #file: string;
  #process: ChildProcess | undefined;
  log = '';

  /** `lines` of mosquitto.conf; anonymous clients may do all when absent. */
  static async start(
    t: Pick<Test, 'teardown'>,
    folder: string,
    lines: readonly string[] = ['allow_anonymous true'],
  ): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), folder, lines);
    t.teardown(() => broker.stop());
    await broker.start();
    return broker;
  }

  private constructor(port: number, folder: string, lines: readonly string[]) {
    this.port = port;
    this.#file = `${folder}/mosquitto.conf`;
    const settings = [
      ...['user root', `listener ${port} 127.0.0.1`, 'log_dest stderr', 'log_type all'],
      ...['persistence true', `persistence_location ${folder}/`, 'autosave_interval 1', 'autosave_on_changes true'],
    ];
    writeFileSync(this.#file, `${[...settings, ...lines].join('\n')}\n`);
  }

  async start(): Promise<void> {
    const child = spawn('mosquitto', ['-c', this.#file], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let running = false;
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.log += `${line}\n`;
      running ||= / running$/.test(line);
    });
    await until(() => running || child.exitCode !== null, 'mosquitto runs');
    if (!running) throw new Error(`mosquitto ended:\n${this.log}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await end(this.#process, signal);
  }

  /** Publishes by mosquitto_pub, QoS 1. */
  async publish(topic: string, payload: string, options: readonly string[] = []): Promise<void> {
    await run('mosquitto_pub', [
      ...['-h', '127.0.0.1', '-p', `${this.port}`, '-q', '1', '-t', topic, '-m', payload],
      ...options,
    ]);
  }

  /**
   * Listens by mosquitto_sub; resolves when the broker has taken the subscription. Under a name of its own it misses nothing
   * that comes while it does not listen.
   */
  async listen(t: Test, topic = '#', name?: string): Promise<Listener> {
    const client = name ?? `ear-${++listeners}`;
    const subscriptions = () => this.log.split(`Sending SUBACK to ${client}\n`).length;
    const before = subscriptions();
    const listener = new Listener(this.port, topic, ['-i', client, ...(name === undefined ? [] : ['-c'])]);
    t.teardown(() => listener.stop());
    await until(() => subscriptions() > before, 'mosquitto_sub has subscribed');
    return listener;
  }
}

export interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
}

export class Listener {
  readonly heard: Heard[] = [];
  readonly #process: ChildProcess;

  constructor(port: number, topic: string, options: readonly string[]) {
    const child = spawn(
      'mosquitto_sub',
      [...['-h', '127.0.0.1', '-p', `${port}`, '-q', '1', '-t', topic, '-F', '%t\t%r\t%p'], ...options],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [heardOn, retained, payload] = line.split('\t');
      if (heardOn === undefined || payload === undefined) return;
      this.heard.push({ topic: heardOn, payload, retained: retained === '1' });
    });
  }

  on(topic: string): readonly Heard[] {
    return this.heard.filter((each) => each.topic === topic);
  }

  last(topic: string): string | undefined {
    return this.on(topic).at(-1)?.payload;
  }

  async stop(): Promise<void> {
    await end(this.#process);
  }
}

/** A wire between a client and a broker that can lose what the client says, and be cut. */
export class Wire {
  readonly port: number;
  /** What the client says does not arrive. */
  deaf = false;
  readonly #sockets = new Set<Socket>();
  readonly #server;

  static async to(t: Test, port: number): Promise<Wire> {
    const wire = new Wire(await freePort(), port);
    t.teardown(() => wire.close());
    await once(wire.#server, 'listening');
    return wire;
  }

  private constructor(port: number, target: number) {
    this.port = port;
    this.#server = createServer((client) => {
      const broker = connect(target, '127.0.0.1');
      for (const socket of [client, broker]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          broker.destroy();
        });
      }
      client.on('data', (chunk) => {
        if (!this.deaf) broker.write(chunk);
      });
      broker.on('data', (chunk) => client.write(chunk));
    }).listen(port, '127.0.0.1');
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
