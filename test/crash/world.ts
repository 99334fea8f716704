import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { JsonObject } from '../../src/json.ts';
import type { SentPart } from '../../src/modem/simulator/messages.ts';

/** What lives on while the daemon is killed: the modem with its SIM and network, and the web server it forwards to. */
export class World {
  /** `tcp://…`, for the option `device`. */
  device = '';
  /** Host and port of the web server. */
  receiver = '';
  /** Of each forwarded text, the ids that it came with. */
  readonly forwarded = new Map<string, Set<string>>();
  #simulator: ChildProcess | undefined;
  #control: Socket | undefined;
  #server: Server | undefined;
  readonly #answers: ((answer: JsonObject) => void)[] = [];

  static async open(): Promise<World> {
    const world = new World();
    await world.#startSimulator();
    await world.#startReceiver();
    return world;
  }

  async sentParts(): Promise<readonly SentPart[]> {
    return (await this.#order({ sent_parts: true })).sent_parts as unknown as SentPart[];
  }

  /** Whether everything that was sent to the modem has reached it and been fetched. */
  async drained(): Promise<boolean> {
    const { counters } = await this.#order({ status: true });
    return (counters as JsonObject).waiting === 0;
  }

  /** False when the network takes no more for now. */
  async receive(from: string, message: string): Promise<boolean> {
    return (await this.#order({ receive: { from, text: message } })).ok === true;
  }

  close(): void {
    this.#control?.destroy();
    this.#simulator?.kill('SIGKILL');
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #order(order: JsonObject): Promise<JsonObject> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#control?.write(`${JSON.stringify(order)}\n`);
    });
  }

  async #startSimulator(): Promise<void> {
    const options = ['--listen', 'tcp:127.0.0.1:0', '--control', 'tcp:127.0.0.1:0', '--memory', '40'];
    const simulator = spawn(process.execPath, ['dist/simulator.js', ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#simulator = simulator;
    let control = '';
    for await (const line of createInterface({ input: simulator.stdout })) {
      const [, what, address = ''] = /^(listening|control) on (\S+)$/.exec(line) ?? [];
      if (what === 'listening') this.device = `tcp://${address}`;
      if (what === 'control') control = address;
      if (this.device !== '' && control !== '') break;
    }
    const [host = '', port = ''] = control.split(':');
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    createInterface({ input: socket }).on('line', (line) => this.#answers.shift()?.(JSON.parse(line)));
    this.#control = socket;
  }

  async #startReceiver(): Promise<void> {
    const server = createServer(async (request, response) => {
      const form = new URLSearchParams(await text(request));
      const message = form.get('text') ?? '';
      const ids = this.forwarded.get(message) ?? new Set();
      ids.add(form.get('id') ?? '');
      this.forwarded.set(message, ids);
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.receiver = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#server = server;
  }
}
