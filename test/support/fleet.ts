import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Server as LineServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Latency, SimulatedModem } from '../../src/simulator/index.ts';
import { serveLine } from '../../src/simulator/servers.ts';
import { Daemon, noLimits } from './daemon.ts';

/** Until a modem works, ms: many may start at once. */
const START_LIMIT = 180_000;

interface MemberOptions {
  readonly name: string;
  readonly folder: string;
  /** Where its SMPP server listens. */
  readonly port: number;
  readonly password: string;
  readonly latency: Partial<Latency>;
  /** Further lines of its section `smpp`. */
  readonly smpp?: string;
  /** Further lines of its section `gateway`. */
  readonly gateway?: string;
  readonly nodeFlags?: readonly string[];
}

/** A gateway of a fleet: a whole daemon, and a modem that outlives it. */
export class Member {
  readonly name: string;
  readonly modem: SimulatedModem;
  readonly daemon: Daemon;
  readonly port: number;
  readonly #line: LineServer;

  static async open(options: MemberOptions, ledger: Ledger): Promise<Member> {
    const modem = new SimulatedModem({
      latency: options.latency,
      memory: { SM: 50, ME: 50, SR: 255 },
      // A modem that stores reports: one that only passes them on loses those that come while nobody listens.
      deviations: { noDirectReports: true },
    });
    modem.on('sent', ({ text }) => ledger.sent(text, options.name));
    const [line, { host, port }] = await serveLine(modem, { host: '127.0.0.1', port: 0 });
    return new Member(options, modem, line, `tcp://${host}:${port}`);
  }

  private constructor(options: MemberOptions, modem: SimulatedModem, line: LineServer, device: string) {
    const { name, folder, port, password, smpp = '', gateway = '', nodeFlags = [] } = options;
    this.name = name;
    this.port = port;
    this.modem = modem;
    this.#line = line;
    const config = `config gateway 'gateway'
${noLimits}${gateway}
config modem 'gsm0'
	option device '${device}'
	option send_interval '0'

config smpp 'smpp'
	option enabled '1'
	option address '127.0.0.1'
	option port '${port}'
	option username 'kannel'
	option password '${password}'
	option response_timeout '60'
${smpp}`;
    this.daemon = new Daemon({ folder, config, nodeFlags });
  }

  /** Resolves when its modem works. */
  async start(): Promise<void> {
    await this.daemon.start();
    await this.daemon.until(
      'sms_gateway.modem',
      'status',
      { modem: 'gsm0' },
      ({ state }) => state === 'ready',
      START_LIMIT,
    );
  }

  async stop(): Promise<void> {
    await this.daemon.stop('SIGKILL');
    this.modem.stop();
    this.#line.close();
  }
}

/** What became of one message. */
interface Fate {
  /** ms of performance.now(), as all times here. */
  readonly asked: number;
  /** Each time that a modem sent it. */
  readonly sends: { readonly by: string; readonly time: number }[];
  /** Types of its reports (`%d` of Kannel): 1 delivered, 2 and above a failure, 16 refused. */
  readonly reports: { readonly type: number; readonly time: number }[];
}

/** Knows of each message when it was asked for, who sent it, and how it was reported; and what was received. */
export class Ledger {
  readonly fates: Map<string, Fate> = new Map();
  /** Of each text that arrived, the gateways that it came through. */
  readonly received: Map<string, string[]> = new Map();
  /** Messages that no one asked for, and reports of them. */
  readonly strangers: string[] = [];
  readonly #server: Server;

  static async open(): Promise<Ledger> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Ledger(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://ledger');
      const field = (name: string) => searchParams.get(name) ?? '';
      if (pathname === '/report') this.#reported(field('name'), Number(field('type')));
      else this.received.set(field('text'), [...(this.received.get(field('text')) ?? []), field('gateway')]);
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end('OK');
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The URL for the report of a message. */
  reportUrl(name: string): string {
    return `http://127.0.0.1:${this.port}/report?name=${name}&type=%d`;
  }

  asked(name: string): void {
    this.fates.set(name, { asked: performance.now(), sends: [], reports: [] });
  }

  sent(name: string, by: string): void {
    const fate = this.fates.get(name);
    if (fate === undefined) this.strangers.push(`${by} sent ${name}`);
    else fate.sends.push({ by, time: performance.now() });
  }

  #reported(name: string, type: number): void {
    const fate = this.fates.get(name);
    if (fate === undefined) this.strangers.push(`a report ${type} of ${name}`);
    else fate.reports.push({ type, time: performance.now() });
  }

  /** How many messages were sent. */
  get sentCount(): number {
    return [...this.fates.values()].filter(({ sends }) => sends.length > 0).length;
  }

  /** How many messages have a report. */
  get reportedCount(): number {
    return [...this.fates.values()].filter(({ reports }) => reports.length > 0).length;
  }

  /** Resolves when `done` holds; rejects after `limit` ms. */
  async until(what: string, done: () => boolean, limit: number): Promise<void> {
    for (const deadline = Date.now() + limit; !done(); await wait(20)) {
      if (Date.now() > deadline) {
        throw new Error(
          `waited ${limit / 1000} s until ${what}: ${this.sentCount} sent, ${this.reportedCount} reported`,
        );
      }
    }
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
