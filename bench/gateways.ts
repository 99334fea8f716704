/** The gateways that are measured: ours, and those that others wrote, as Debian packs them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Daemon, noLimits } from '../test/support/daemon.ts';
import { freePorts } from '../test/support/free-port.ts';
import { end, until } from './world.ts';

/** Where a gateway works. */
export interface Place {
  /** A folder of its own. */
  readonly folder: string;
  /** Terminals of its modems; those that others wrote get one. */
  readonly ttys: readonly string[];
  /** Port of the web server that gets what arrives, at /received?text=… */
  readonly web: number;
}

export interface Gateway {
  /** Messages that it can be given in one run without taking minutes. */
  readonly pace: { readonly out: number; readonly in: number };
  readonly pids: readonly number[];
  /** Resolves when it works with its modem. */
  start(): Promise<void>;
  /** Hands these texts over to be sent; resolves when it has them. */
  submit(texts: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

const NUMBER = '37060000001';
/** How the package starts ours. */
const program = readFileSync('files/usr/sbin/sms_gateway', 'utf8');
/** Flags of Node for ours: those of the package, or what NODE_FLAGS names. */
const nodeFlags = process.env['NODE_FLAGS']?.split(' ') ?? program.match(/--[a-z0-9-]+(?:=\d+)?/g) ?? [];
const env = Object.fromEntries([...program.matchAll(/\b([A-Z_]+)=(\d+)/g)].map(([, name, value]) => [name, value]));

const FORWARDING = (web: number) => `
config forwarding_to_http 'forwarding_to_http'
	option enabled '1'
	option url 'http://127.0.0.1:${web}/received'
	option number_name 'from'
	option message_name 'text'
`;

/** Post/Get and forwarding to HTTP; `extra` is further config, `flags` are further flags of Node. */
export class Ours implements Gateway {
  readonly pace = { out: 500, in: 500 };
  readonly daemon: Daemon;
  readonly #modems: readonly string[];
  #peer: Socket | undefined;
  #answered: (failure: string | undefined) => void = () => {};

  constructor({ folder, ttys, web }: Place, extra = '', forward = true, flags: readonly string[] = []) {
    this.#modems = ttys.map((_, n) => `gsm${n}`);
    const modems = ttys.map((tty, n) => {
      // A terminal of the system, or the address of a serial port server.
      return `config modem 'gsm${n}'\n\toption device '${tty}'\n\toption send_interval '0'\n\toption reports '0'\n`;
    });
    const config = [
      extra === '' ? `config gateway 'gateway'\n${noLimits}` : extra,
      ...modems,
      "config post_get 'post_get'\n\toption enabled '1'\n",
      forward ? FORWARDING(web) : '',
    ];
    this.daemon = new Daemon({ folder, config: config.join('\n'), nodeFlags: [...nodeFlags, ...flags], env });
  }

  get pids(): readonly number[] {
    return this.daemon.pid === undefined ? [] : [this.daemon.pid];
  }

  async start(): Promise<void> {
    await this.daemon.start();
    await this.ready();
    const peer = connect(this.daemon.socket);
    this.#peer = peer;
    createInterface({ input: peer }).on('line', (line) => this.#answered(line.includes('"error"') ? line : undefined));
  }

  /** Resolves when all modems are ready. */
  async ready(): Promise<void> {
    for (const modem of this.#modems) {
      await this.daemon.until('sms_gateway.modem', 'status', { modem }, ({ state }) => state === 'ready', 120_000);
    }
  }

  /** Up to 50 under way at once. */
  submit(texts: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      let [asked, answered] = [0, 0];
      const ask = () => {
        const text = texts[asked];
        if (text === undefined) return;
        const call = ['sms_gateway.message', 'send', { number: `+${NUMBER}`, text }];
        this.#peer?.write(`${JSON.stringify({ jsonrpc: '2.0', id: ++asked, method: 'call', params: call })}\n`);
      };
      this.#answered = (failure) => {
        if (failure !== undefined) return reject(new Error(failure));
        if (++answered === texts.length) resolve();
        else ask();
      };
      for (let n = 0; n < 50; n++) ask();
    });
  }

  async stop(): Promise<void> {
    this.#peer?.destroy();
    await this.daemon.stop('SIGTERM');
  }
}

/** Programs that are started as they are and ended with the run. */
abstract class Programs implements Gateway {
  abstract readonly pace: { readonly out: number; readonly in: number };
  protected readonly place: Place;
  readonly #children: ChildProcess[] = [];

  constructor(place: Place) {
    this.place = place;
    this.prepare();
  }

  get pids(): readonly number[] {
    return this.#children.flatMap(({ pid }) => pid ?? []);
  }

  async stop(): Promise<void> {
    for (const child of this.#children.splice(0).reverse()) await end(child);
  }

  abstract start(): Promise<void>;
  abstract submit(texts: readonly string[]): Promise<void>;
  protected abstract prepare(): void;

  protected file(name: string, content: string, mode = 0o644): string {
    const path = `${this.place.folder}/${name}`;
    writeFileSync(path, content, { mode });
    return path;
  }

  protected folders(...names: readonly string[]): void {
    for (const name of names) mkdirSync(`${this.place.folder}/${name}`);
  }

  /** The program then sees the whole file or nothing. */
  protected put(folder: string, name: string, content: string): void {
    renameSync(this.file(name, content), `${this.place.folder}/${folder}/${name}`);
  }

  protected run(program: string, ...args: readonly string[]): void {
    this.#children.push(spawn(program, args, { stdio: 'ignore' }));
  }
}

export class Smstools extends Programs {
  readonly pace = { out: 12, in: 12 };
  #files = 0;

  protected prepare(): void {
    const { folder, ttys, web } = this.place;
    const folders = ['outgoing', 'checked', 'failed', 'incoming', 'sent', 'report'];
    this.folders(...folders);
    const handler = this.file(
      'handler',
      `#!/bin/sh
[ "$1" = RECEIVED ] && exec curl -s -o /dev/null "http://127.0.0.1:${web}/received?text=$(tail -n 1 "$2")"
`,
      0o755,
    );
    this.file(
      'smsd.conf',
      `devices = GSM1
${folders.map((name) => `${name} = ${folder}/${name}`).join('\n')}
logfile = ${folder}/smsd.log
pidfile = ${folder}/smsd.pid
infofile = ${folder}/smsd.running
eventhandler = ${handler}
delaytime = 1
errorsleeptime = 1
receive_before_send = no
[GSM1]
device = ${ttys[0]}
incoming = yes
baudrate = 115200
rtscts = no
check_network = 1
pin = ignore
init = AT+CMEE=1
init2 = AT+CNMI=2,1,0,0,0
memory_start = 1
keep_open = yes
`,
    );
  }

  async start(): Promise<void> {
    this.run('smsd', '-c', `${this.place.folder}/smsd.conf`, '-t');
  }

  async submit(texts: readonly string[]): Promise<void> {
    for (const text of texts) this.put('outgoing', `message${this.#files++}`, `To: ${NUMBER}\n\n${text}`);
  }
}

export class GammuSmsd extends Programs {
  readonly pace = { out: 10, in: 20 };
  #files = 0;

  protected prepare(): void {
    const { folder, ttys, web } = this.place;
    this.folders('in', 'out', 'sent', 'err');
    const handler = this.file(
      'handler',
      `#!/bin/sh
exec curl -s -o /dev/null "http://127.0.0.1:${web}/received?text=$SMS_1_TEXT"
`,
      0o755,
    );
    this.file(
      'smsdrc',
      `[gammu]
device = ${ttys[0]}
connection = at115200
synchronizetime = no
[smsd]
service = files
logfile = ${folder}/log
inboxpath = ${folder}/in/
outboxpath = ${folder}/out/
sentsmspath = ${folder}/sent/
errorsmspath = ${folder}/err/
runonreceive = ${handler}
commtimeout = 1
receivefrequency = 1
statusfrequency = 0
loopsleep = 1
checksecurity = 0
checkbattery = 0
checksignal = 0
checknetwork = 0
`,
    );
  }

  async start(): Promise<void> {
    this.run('gammu-smsd', '-c', `${this.place.folder}/smsdrc`);
  }

  async submit(texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      const serial = String(this.#files++).padStart(2, '0');
      this.put('out', `OUTA20260101_120000_${serial}_+${NUMBER}_bench.txt`, text);
    }
  }
}

/** Bearerbox with its AT driver, and smsbox in front. */
export class Kannel extends Programs {
  readonly pace = { out: 5, in: 500 };
  #ports: readonly number[] = [];

  protected prepare(): void {}

  async start(): Promise<void> {
    const { folder, ttys, web } = this.place;
    this.#ports = await freePorts(3);
    const [admin, boxes, sendsms] = this.#ports;
    const config = this.file(
      'kannel.conf',
      `group = core
admin-port = ${admin}
admin-password = secret
smsbox-port = ${boxes}
box-allow-ip = "127.0.0.1"
log-file = "${folder}/bearerbox.log"
log-level = 4

group = smsc
smsc = at
smsc-id = modem
modemtype = generic
device = ${ttys[0]}
speed = 115200
my-number = 37060000000
connect-allow-ip = 127.0.0.1

group = modems
id = generic
name = "Generic Modem"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = ${sendsms}
log-file = "${folder}/smsbox.log"
log-level = 4

group = sendsms-user
username = user
password = pass

group = sms-service
keyword = default
catch-all = true
max-messages = 0
omit-empty = true
get-url = "http://127.0.0.1:${web}/received?text=%a"
`,
    );
    this.run('/usr/sbin/bearerbox', config);
    await until('bearerbox', async () => /modem.*\(online/.test(await this.#get(admin, '/status.txt?password=secret')));
    this.run('/usr/sbin/smsbox', config);
    await until('smsbox', async () => /smsbox.*on-line/.test(await this.#get(admin, '/status.txt?password=secret')));
  }

  async submit(texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      const query = new URLSearchParams({ username: 'user', password: 'pass', to: NUMBER, from: 'Tank', text });
      const answer = await this.#get(this.#ports[2], `/cgi-bin/sendsms?${query}`);
      if (!/Accepted/.test(answer)) throw new Error(`Kannel: ${answer}`);
    }
  }

  async #get(port: number | undefined, path: string): Promise<string> {
    try {
      return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    } catch {
      return '';
    }
  }
}

/** By the names that the command line takes. */
export const gateways = {
  ours: (place: Place) => new Ours(place),
  smstools3: (place: Place) => new Smstools(place),
  'gammu-smsd': (place: Place) => new GammuSmsd(place),
  kannel: (place: Place) => new Kannel(place),
} as const satisfies Record<string, (place: Place) => Gateway>;
export type GatewayName = keyof typeof gateways;

/** What has to be installed for each. */
export const programs: Readonly<Record<GatewayName, readonly string[]>> = {
  ours: ['socat'],
  smstools3: ['socat', 'smsd', 'curl'],
  'gammu-smsd': ['socat', 'gammu-smsd', 'curl'],
  kannel: ['socat', '/usr/sbin/bearerbox', '/usr/sbin/smsbox'],
};
