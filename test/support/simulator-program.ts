import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { JsonObject } from '../../src/base/json.ts';
import type { NetworkCounters, SentPart } from '../../src/simulator/messages.ts';

/** `dist/simulator.js` as a process of its own: a modem with its SIM and network that outlives the daemon. */
export class SimulatorProgram {
  /** `tcp://…`, for the option `device`. */
  readonly device: string;
  readonly #process: ChildProcess;
  readonly #control: Socket;
  readonly #answers: ((answer: JsonObject) => void)[] = [];

  /** `options`: further ones of the program. Resolves when it listens. */
  static async start(...options: readonly string[]): Promise<SimulatorProgram> {
    const ports = ['--listen', 'tcp:127.0.0.1:0', '--control', 'tcp:127.0.0.1:0'];
    const process = spawn(globalThis.process.execPath, ['dist/simulator.js', ...ports, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const at: { listening?: string; control?: string } = {};
    for await (const line of createInterface({ input: process.stdout })) {
      const [, what, address] = /^(listening|control) on (\S+)$/.exec(line) ?? [];
      if (what === 'listening' || what === 'control') at[what] = address ?? '';
      if (at.listening === undefined || at.control === undefined) continue;
      const [host = '', port = ''] = at.control.split(':');
      const control = connect(Number(port), host);
      await once(control, 'connect');
      return new SimulatorProgram(process, `tcp://${at.listening}`, control);
    }
    throw new Error('the simulator has ended');
  }

  private constructor(process: ChildProcess, device: string, control: Socket) {
    this.#process = process;
    this.device = device;
    this.#control = control;
    createInterface({ input: control }).on('line', (line) => this.#answers.shift()?.(JSON.parse(line)));
  }

  /** One order, as its `--help` lists them. */
  order(order: JsonObject): Promise<JsonObject> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#control.write(`${JSON.stringify(order)}\n`);
    });
  }

  /** The last 10,000 parts that the network took. */
  async sentParts(): Promise<readonly SentPart[]> {
    return (await this.order({ sent_parts: true })).sent_parts as unknown as SentPart[];
  }

  async counters(): Promise<NetworkCounters> {
    return (await this.order({ status: true })).counters as unknown as NetworkCounters;
  }

  /** False when the network takes no more for now. */
  async receive(from: string, text: string): Promise<boolean> {
    return (await this.order({ receive: { from, text } })).ok === true;
  }

  stop(): void {
    this.#control.destroy();
    this.#process.kill('SIGKILL');
  }
}
