import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { SentPart } from '../../src/simulator/messages.ts';
import { SimulatorProgram } from '../support/simulator-program.ts';

/** Time that the modem takes for each answer, and again for each part, ms: parts are under way when the daemon is killed. */
const LATENCY = 2;

/** What lives on while the daemon is killed: the modem with its SIM and network, and the web server it forwards to. */
export class World {
  readonly simulator: SimulatorProgram;
  /** Host and port of the web server. */
  readonly receiver: string;
  /** Of each forwarded text, the ids that it came with. */
  readonly forwarded: Map<string, Set<string>>;
  /** Every part that the network took, in order. */
  readonly parts: SentPart[] = [];
  readonly #server: Server;

  static async open(): Promise<World> {
    const forwarded = new Map<string, Set<string>>();
    const server = createServer(async (request, response) => {
      const form = new URLSearchParams(await text(request));
      const message = form.get('text') ?? '';
      forwarded.set(message, (forwarded.get(message) ?? new Set()).add(form.get('id') ?? ''));
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const simulator = await SimulatorProgram.start('--memory', '40', '--latency', `${LATENCY}`);
    return new World(simulator, server, forwarded);
  }

  private constructor(simulator: SimulatorProgram, server: Server, forwarded: Map<string, Set<string>>) {
    this.simulator = simulator;
    this.#server = server;
    this.receiver = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.forwarded = forwarded;
  }

  /** Takes over, and gives, what the network took since the last time; the simulator remembers the last of it only. */
  async collect(): Promise<readonly SentPart[]> {
    const { sent, parts } = await this.#sent();
    const missing = parts - this.parts.length;
    if (missing > sent.length) throw new Error('more parts were sent than the simulator remembers');
    const taken = missing > 0 ? sent.slice(-missing) : [];
    this.parts.push(...taken);
    return taken;
  }

  /** What it remembers and how many there were, of one moment: more may be sent while it is asked. */
  async #sent() {
    for (;;) {
      const before = await this.simulator.counters();
      const sent = await this.simulator.sentParts();
      const { parts } = await this.simulator.counters();
      if (before.parts === parts) return { sent, parts };
    }
  }

  close(): void {
    this.simulator.stop();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
