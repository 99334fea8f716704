import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { JsonObject } from '../../src/base/json.ts';

let daemons = 0;

/** Options of section `gateway` for work that goes beyond the limits of SMS. */
export const noLimits = [
  ...['minute', 'hour', 'day'].flatMap((time) => [`option sms_per_${time} '0'`, `option recipient_per_${time} '0'`]),
  ...['post_get', 'pop3', 'forwarding_to_sms', 'auto_reply'].map((name) => `list function_limit '${name} 0 0 0'`),
]
  .map((line) => `\t${line}\n`)
  .join('');

/** A whole daemon, the bundle of `npm run build`, on a folder of its own. */
export class Daemon {
  readonly folder: string;
  readonly socket: string;
  http = '';
  /** What it wrote to stdout and stderr. */
  log = '';
  /** The part of the log that came by stderr. */
  complaints = '';
  #process: ChildProcess | undefined;
  readonly #options: DaemonOptions;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.folder = options.folder;
    // The path of a unix socket has at most 107 octets; those of test folders are longer.
    this.socket = join(tmpdir(), `smsgw-test-${process.pid}-${++daemons}.sock`);
    mkdirSync(`${this.folder}/config`, { recursive: true });
    this.configure(options.config);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Rejects, with the end of the log, when the process that runs now ends. */
  async untilEnd(): Promise<never> {
    const child = this.#process;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'close');
    throw new Error(`the daemon ended with ${child?.exitCode ?? child?.signalCode}:\n${this.log.slice(-4_000)}`);
  }

  /** Writes the config as `uci commit` does: a new file, renamed over the old one. */
  configure(config: string): void {
    writeFileSync(`${this.folder}/config/.sms_gateway.uci-test`, config);
    renameSync(`${this.folder}/config/.sms_gateway.uci-test`, `${this.folder}/config/sms_gateway`);
  }

  /** Resolves when the daemon has said that it is ready. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        ...(this.#options.nodeFlags ?? []),
        'dist/main.js',
        ...['--config-dir', `${this.folder}/config`],
        ...['--state-dir', this.#options.stateDirectory ?? `${this.folder}/state`],
        ...['--socket', this.socket],
        ...['--http', '127.0.0.1:0'],
        ...(this.#options.args ?? []),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.#options.env } },
    );
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready after 60 s:\n${this.log}`)), 60_000);
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`ended with ${code} before it was ready:\n${this.log}`));
      });
      const onLine = (line: string) => {
        this.log += `${line}\n`;
        this.http = /serving (https?:\S+)/.exec(line)?.[1] ?? this.http;
        if (!/^info ready\b/.test(line)) return;
        clearTimeout(timer);
        resolve();
      };
      for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', onLine);
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.complaints += `${line}\n`;
      });
    });
  }

  /** Ends the daemon and gives its exit code, or the signal that ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill(signal);
    const [code, by] = await ended;
    return code ?? by;
  }

  /** As when the log daemon is restarted: whoever writes on gets EPIPE. */
  closeLog(): void {
    for (const stream of [this.#process?.stdout, this.#process?.stderr]) stream?.destroy();
  }

  async call(object: string, method: string, args: JsonObject = {}): Promise<JsonObject> {
    const peer = connect(this.socket);
    try {
      const request = { jsonrpc: '2.0', id: 1, method: 'call', params: [object, method, args] };
      peer.write(`${JSON.stringify(request)}\n`);
      let text = '';
      for await (const chunk of peer.setEncoding('utf8')) {
        text += chunk;
        if (text.endsWith('\n')) break;
      }
      if (text === '') throw new Error('the daemon closed the socket without an answer');
      const answer = JSON.parse(text);
      if (answer.error !== undefined) throw Object.assign(new Error(answer.error.message), answer.error.data);
      return answer.result;
    } finally {
      peer.destroy();
    }
  }

  /** Calls until `done` holds of the result; fails after `limit` ms. */
  async until(
    object: string,
    method: string,
    args: JsonObject,
    done: (result: JsonObject) => boolean,
    limit = 60_000,
  ): Promise<JsonObject> {
    const end = Date.now() + limit;
    for (;;) {
      const result = await this.call(object, method, args);
      if (done(result)) return result;
      if (Date.now() > end) throw new Error(`${object} ${method} did not come to it: ${JSON.stringify(result)}`);
      await wait(25);
    }
  }
}

export interface DaemonOptions {
  readonly folder: string;
  readonly config: string;
  readonly stateDirectory?: string;
  readonly args?: readonly string[];
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}
