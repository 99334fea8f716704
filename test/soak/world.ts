import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, constants, mkdirSync, openSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';
import { attributeId, messageType, textOf as ubusText } from '../../src/rpc/ubus/message.ts';
import { SimulatedModem } from '../../src/simulator/index.ts';
import { listen, serveLine } from '../../src/simulator/servers.ts';
import { messageOf, SmppClient } from '../modules/smpp/client.ts';
import { ids } from '../modules/smpp/octets.ts';
import { ScriptedUbusd } from '../rpc/scripted-ubusd.ts';
import { freePorts } from '../support/free-port.ts';
import { ScriptedPop3 } from '../support/mail/scripted-pop3.ts';
import { ScriptedSmtp } from '../support/mail/scripted-smtp.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { BOSS, configOf, DAILY, NIGHTLY, PASSWORD, strideAt } from './config.ts';
import { FastClock } from './fast-clock.ts';
import type { Order, Sample } from './gateway.ts';
import type { Ledger, Sink } from './ledger.ts';
import { RpcClient } from './rpc-client.ts';

const LOCAL = '127.0.0.1';
export const MODEMS = 4;
/** Connections to the socket, which the calls share. */
const CONNECTIONS = 4;
/** Places for messages in each modem. */
const MEMORY = 100;
/** The log of a broker that says all costs more than its work. What waits is stored when it ends, too. */
const BROKER = ['allow_anonymous true', 'log_type none', 'log_type information', 'autosave_interval 1000'];
/** A name as it stands in a text. */
const NAME = /\b[a-z]\d{7}\b/;

/** The gateway as a process, and everybody around it: network, servers, brokers and clients. */
export class World {
  readonly clock: FastClock;
  readonly modems: readonly SimulatedModem[];
  readonly pop3: ScriptedPop3;
  readonly smtp: ScriptedSmtp;
  readonly folder: string;
  /** Messages of the schedules that left, by their text. */
  readonly scheduled = new Map<string, number>();
  http = '';
  smpp: SmppClient | undefined;
  mqtt: MqttClient | undefined;
  /** Object number of `sms_gateway.message` at ubusd. */
  ubusObject: number | undefined;
  readonly #ledger: Ledger;
  readonly #ubusd: ScriptedUbusd;
  readonly #broker: Mosquitto | undefined;
  readonly #teardowns: (() => unknown)[] = [];
  readonly #ports: readonly number[];
  readonly #clients: readonly RpcClient[];
  #gateway: ChildProcess | undefined;
  #turn = 0;
  #stopped = false;
  log: string[] = [];

  static async open(folder: string, start: number, ledger: Ledger): Promise<World> {
    const pop3 = await ScriptedPop3.start();
    const smtp = await ScriptedSmtp.start();
    const teardowns: (() => unknown)[] = [() => pop3.stop(), () => smtp.stop()];
    const test = { teardown: (done: () => unknown) => void teardowns.push(done) };
    const broker = noMosquitto === false ? await Mosquitto.start(test, folder, BROKER) : undefined;
    const ports = await freePorts(1);
    const world = new World({ folder, start, ledger, pop3, smtp, broker, ports, teardowns });
    const lines = await Promise.all(world.modems.map((modem) => serveLine(modem, { host: LOCAL, port: 0 })));
    const [web, webAt] = await world.#serveWeb();
    teardowns.push(
      ...lines.map(
        ([line]) =>
          () =>
            line.close(),
      ),
      ...world.modems.map((modem) => () => modem.stop()),
      () => web.close(),
      () => web.closeAllConnections(),
    );
    world.#places = { modems: lines.map(([, { port }]) => `tcp://${LOCAL}:${port}`), web: `${LOCAL}:${webAt}` };
    mkdirSync(`${folder}/config`);
    world.#serveHook();
    world.configure(0);
    await world.#ubusd.listen();
    world.#serveUbus();
    await world.#start(start);
    return world;
  }

  #places: { readonly modems: readonly string[]; readonly web: string } = { modems: [], web: '' };

  private constructor(parts: {
    readonly folder: string;
    readonly start: number;
    readonly ledger: Ledger;
    readonly pop3: ScriptedPop3;
    readonly smtp: ScriptedSmtp;
    readonly broker: Mosquitto | undefined;
    readonly ports: readonly number[];
    readonly teardowns: (() => unknown)[];
  }) {
    this.folder = parts.folder;
    this.#ledger = parts.ledger;
    this.pop3 = parts.pop3;
    this.smtp = parts.smtp;
    this.#broker = parts.broker;
    this.#ports = parts.ports;
    this.#teardowns = parts.teardowns;
    this.clock = new FastClock(parts.start);
    this.modems = Array.from({ length: MODEMS }, () => {
      const modem = new SimulatedModem({ clock: this.clock, memory: MEMORY });
      modem.on('sent', ({ to, text }) => this.#sent(to, text));
      return modem;
    });
    this.smtp.onMail = ({ content }) => this.#arrived(content.slice(content.indexOf('\r\n\r\n')), 'mail');
    this.#clients = Array.from({ length: CONNECTIONS }, () => new RpcClient(`${this.folder}/rpc`));
    this.#ubusd = new ScriptedUbusd(`${this.folder}/ubus`);
  }

  get hasBroker(): boolean {
    return this.#broker !== undefined;
  }

  /** Writes the config as `uci commit` does; each `version` is another. */
  configure(version: number): void {
    const places = {
      ...this.#places,
      hook: `${this.folder}/hook`,
      pop3: this.pop3.port,
      smtp: this.smtp.port,
      smpp: this.#ports[0] ?? 0,
      mqtt: this.#broker?.port,
    };
    writeFileSync(`${this.folder}/config/.sms_gateway.new`, configOf(places, version), { mode: 0o600 });
    renameSync(`${this.folder}/config/.sms_gateway.new`, `${this.folder}/config/sms_gateway`);
  }

  /** Both clocks: the gateway's, and the network's after it. */
  async skip(ms: number): Promise<void> {
    const now = Number(await this.#order({ skip: ms }));
    await this.clock.skip(Math.max(0, now - this.clock.now()), strideAt);
  }

  /** Ends a skip early, in the middle of what the gateway has begun in it. */
  interrupt(): void {
    this.#gateway?.send({ interrupt: true } satisfies Order);
  }

  /** An SMS arrives over the air, at one modem after the other. */
  receive(message: { readonly from: string; readonly text: string }): void {
    this.#turn = (this.#turn + 1) % MODEMS;
    this.modems[this.#turn]?.receive(message);
  }

  /** SMS over the air, each part of a long one: those that left, and those that came. */
  get air(): { readonly out: number; readonly in: number } {
    const counters = this.modems.map((modem) => modem.counters);
    const sum = (key: 'parts' | 'delivered') => counters.reduce((all, each) => all + each[key], 0);
    return { out: sum('parts'), in: sum('delivered') };
  }

  async step(ms: number): Promise<void> {
    this.clock.step(ms);
    await this.#order({ step: ms });
  }

  async sample(): Promise<Sample> {
    return (await this.#order({ sample: true })) as unknown as Sample;
  }

  get journalSize(): number {
    return statSync(`${this.folder}/state/journal`).size;
  }

  async restartBroker(): Promise<void> {
    await this.#broker?.stop();
    await this.#broker?.start();
  }

  async restartUbusd(): Promise<void> {
    this.ubusObject = undefined;
    await this.#ubusd.restart();
  }

  ubusSend(number: string, text: string): boolean {
    if (this.ubusObject === undefined || !this.#ubusd.isConnected) return false;
    this.#ubusd.invoke(this.ubusObject, 'send', { number, text });
    return true;
  }

  /** A call over the socket, one connection after the other. */
  async call(object: string, method: string, args: JsonObject = {}): Promise<JsonObject> {
    this.#turn = (this.#turn + 1) % CONNECTIONS;
    const client = this.#clients[this.#turn];
    if (client === undefined) throw new Error('no connection');
    return client.call(object, method, args);
  }

  /** Calls back with each event of this name. */
  async listen(event: string, heard: () => void): Promise<void> {
    await this.#clients[0]?.listen(event, heard);
  }

  /** What broker and mailbox say is not kept: of a million messages it fills the memory. */
  forget(): void {
    if (this.#broker !== undefined) this.#broker.log = '';
    this.pop3.commands.length = 0;
  }

  async close(): Promise<void> {
    this.#stopped = true;
    for (const client of this.#clients) client.close();
    const gateway = this.#gateway;
    if (gateway !== undefined && gateway.exitCode === null) {
      const ended = once(gateway, 'exit');
      gateway.disconnect();
      await Promise.race([ended, wait(10_000)]);
      gateway.kill('SIGKILL');
    }
    this.smpp?.destroy();
    await this.mqtt?.endAsync(true);
    await this.#ubusd.stop();
    for (const done of this.#teardowns.reverse()) await done();
  }

  /** The clients of the gateway, once it serves them. */
  async connect(): Promise<void> {
    await this.#connectSmpp();
    if (this.#broker === undefined) return;
    const options = {
      clientId: 'ear',
      clean: false,
      properties: { sessionExpiryInterval: 86_400 },
      reconnectPeriod: 100,
    };
    const mqtt = await connectAsync(`mqtt://${LOCAL}:${this.#broker.port}`, { ...options, protocolVersion: 5 });
    mqtt.on('message', (_topic, payload) => {
      const received = JSON.parse(payload.toString());
      if (isJsonObject(received)) this.#arrived(String(received['text']), 'mqtt');
    });
    mqtt.on('error', () => undefined);
    await mqtt.subscribeAsync('sms_gateway/received', { qos: 1 });
    this.mqtt = mqtt;
  }

  async #connectSmpp(): Promise<void> {
    const client = await SmppClient.bound(this.#ports[0] ?? 0, 'bind_transceiver', {
      id: 'admin',
      password: 'admin01',
    });
    this.smpp = client;
    void (async () => {
      for (;;) {
        const request = await client.next(({ id }) => id === ids.deliver_sm, 2 ** 31 - 1).catch(() => undefined);
        if (request === undefined) break;
        this.#arrived(messageOf(request).text.toString('latin1'), 'smpp');
        client.answer(request);
      }
      if (this.#stopped) return;
      // The server closes when its own section changes.
      await wait(50);
      await this.#connectSmpp().catch(() => undefined);
    })();
  }

  async #start(start: number): Promise<void> {
    const program = fileURLToPath(new URL('gateway.ts', import.meta.url));
    const flags = ['--expose-gc', '--max-semi-space-size=1', '--v8-pool-size=1', '--no-sparkplug', '--import=tsx'];
    const child = fork(program, [this.folder, `${start}`], {
      execArgv: flags,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#gateway = child;
    const ready = new Promise<void>((resolve, reject) => {
      const onLine = (line: string) => {
        this.http = /serving (http:\S+)/.exec(line)?.[1] ?? this.http;
        if (/^info ready\b/.test(line)) resolve();
        if (!/^info (sms|module)/.test(line)) this.log = [...this.log.slice(-199), line];
      };
      for (const input of [child.stdout, child.stderr]) {
        if (input !== null) createInterface({ input }).on('line', onLine);
      }
      child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}:\n${this.log.join('\n')}`)));
    });
    await ready;
    child.on('exit', (code) => {
      if (!this.#stopped) this.#ledger.faults.push(`the gateway ended with ${code}`);
    });
  }

  async #order(order: Order): Promise<unknown> {
    const gateway = this.#gateway;
    if (gateway === undefined || gateway.exitCode !== null)
      throw new Error(`the gateway has ended:\n${this.log.join('\n')}`);
    const answer = once(gateway, 'message');
    gateway.send(order);
    return (await answer)[0];
  }

  async #serveWeb(): Promise<[Server, number]> {
    const server = createServer(async (request, response) => {
      const body = await text(request);
      const sink = request.url?.startsWith('/webhook') ? 'webhook' : 'http';
      this.#arrived(sink === 'webhook' ? body : (new URLSearchParams(body).get('text') ?? ''), sink);
      response.end();
    });
    const { port } = await listen(server, { host: LOCAL, port: 0 });
    return [server, port || (server.address() as AddressInfo).port];
  }

  /** Greets each connection and grants what it asks for. */
  #serveUbus(): void {
    let connections = 0;
    let objects = 0;
    this.#ubusd.onChange = () => {
      if (this.#ubusd.connections !== connections) {
        connections = this.#ubusd.connections;
        void this.#ubusd.greet();
      }
      for (const request of this.#ubusd.takeAll()) {
        if (request.type === messageType.status || request.type === messageType.data) continue;
        objects += 1;
        this.#ubusd.grant(request, request.type === messageType.addObject ? { object: objects } : {});
        if (ubusText(request, attributeId.objectPath) === 'sms_gateway.message') this.ubusObject = objects;
      }
    };
  }

  /** The hook writes a line into a pipe. */
  #serveHook(): void {
    const pipe = `${this.folder}/hooked`;
    execFileSync('mkfifo', [pipe]);
    writeFileSync(`${this.folder}/hook`, `#!/bin/sh\necho "$SMSGW_TEXT" >'${pipe}'\n`);
    chmodSync(`${this.folder}/hook`, 0o755);
    // Open for writing as well, or it ends with each hook.
    const input = new Socket({ fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK) });
    createInterface({ input }).on('line', (line) => this.#arrived(line, 'hook'));
    this.#teardowns.push(() => input.destroy());
  }

  #sent(to: string, text: string): void {
    if (text === DAILY || text === NIGHTLY) this.scheduled.set(text, (this.scheduled.get(text) ?? 0) + 1);
    else if (to === BOSS) this.#arrived(text, 'sms');
    // Answers go to numbers that stand for their messages.
    else if (/^\+3707\d{7}$/.test(to)) this.#ledger.arrived(`i${to.slice(5)}`, 'reply');
    else if (/^\+3708\d{7}$/.test(to)) this.#ledger.arrived(`r${to.slice(5)}`, 'rule');
    else this.#arrived(text, 'network');
  }

  #arrived(text: string, sink: Sink): void {
    const name = NAME.exec(text)?.[0];
    if (name === undefined) this.#ledger.faults.push(`${sink} got what nobody sent: ${text.slice(0, 80)}`);
    else this.#ledger.arrived(name, sink);
  }
}

export const basic = `Basic ${Buffer.from(`user1:${PASSWORD}`).toString('base64')}`;
