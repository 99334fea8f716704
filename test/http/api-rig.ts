import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { type NewToken, newToken } from '../../src/access/tokens.ts';
import { WebAccounts } from '../../src/access/web-accounts.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { Gateway } from '../../src/gateway.ts';
import { testFolder } from '../support/folder.ts';

export const PASSWORD = 'A good password, 15+';

const base = `
config gateway 'gateway'
	option log_level 'debug'

config modem 'gsm0'
	option device 'sim'
	option send_interval '0'

config post_get 'post_get'
	option enabled '1'
	option username 'poster'
	option password 'its own secret'

config group
	option name 'oncall'
	list tel '+37060000001'
	list tel '+37060000002'
`;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  /** The body, where it is a JSON object. */
  readonly json: JsonObject;
}

let rigs = 0;

/** A whole gateway in this process, with a simulated modem and the web server. */
export class ApiRig {
  readonly log: string[] = [];
  readonly folder: string;
  readonly socket: string;
  /** ms by which the gateway's clock is ahead. */
  ahead = 0;
  #gateway: Gateway | undefined;
  url = '';

  private constructor(folder: string) {
    this.folder = folder;
    this.socket = join(tmpdir(), `smsgw-api-${process.pid}-${++rigs}.sock`);
  }

  /** `tokens`: name and further lines of each section. */
  static async start(t: Test, more = ''): Promise<ApiRig> {
    const rig = new ApiRig(testFolder(t));
    mkdirSync(`${rig.folder}/config`);
    rig.configure(more);
    await new WebAccounts(`${rig.folder}/config`, async () => undefined).setPassword('admin', PASSWORD);
    t.teardown(() => rig.stop());
    await rig.startGateway();
    return rig;
  }

  configure(more: string): void {
    writeFileSync(`${this.folder}/config/.sms_gateway.uci-test`, base + more);
    renameSync(`${this.folder}/config/.sms_gateway.uci-test`, `${this.folder}/config/sms_gateway`);
  }

  async startGateway(): Promise<void> {
    const { folder, socket } = this;
    const options = {
      ...{ configDirectory: `${folder}/config`, stateDirectory: `${folder}/state`, socket },
      ...{ http: { host: '127.0.0.1', port: 0 }, pagesDirectory: `${folder}/none` },
    };
    const clock: Clock = { ...systemClock, now: () => Date.now() + this.ahead };
    const sink = {
      level: 'debug' as const,
      write: (line: string) => {
        this.url = /serving (http:\S+)/.exec(line)?.[1] ?? this.url;
        this.log.push(line);
      },
    };
    this.#gateway = await Gateway.start(options, { sink, clock }, new AbortController().signal);
  }

  async stop(): Promise<void> {
    await this.#gateway?.stop();
    this.#gateway = undefined;
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const { hostname: host, port } = new URL(this.url);
    const sent = request({ host, port, method, path, agent: false, headers });
    sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    const [response] = await once(sent, 'response');
    const answered = await text(response);
    const isJson = /json/.test(response.headers['content-type'] ?? '') && answered !== '';
    const json = isJson ? JSON.parse(answered) : {};
    return { status: response.statusCode, headers: response.headers, body: answered, json };
  }

  /** What the simulated modem has sent, once it is so many. */
  async sent(count: number): Promise<readonly (readonly [to: string, text: string])[]> {
    for (;;) {
      const { messages } = await this.call('sms_gateway.simulator', 'sent', {});
      if (Array.isArray(messages) && messages.length >= count) {
        return messages.map((message) => [String(message['to']), String(message['text'])] as const);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async call(object: string, method: string, args: JsonObject): Promise<JsonObject> {
    const peer = connect(this.socket);
    try {
      peer.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'call', params: [object, method, args] })}\n`);
      let line = '';
      for await (const chunk of peer.setEncoding('utf8')) {
        line += chunk;
        if (line.endsWith('\n')) break;
      }
      return JSON.parse(line).result;
    } finally {
      peer.destroy();
    }
  }
}

/** A token, and its section with further lines. */
export function tokenSection(name: string, ...lines: readonly string[]): NewToken & { readonly section: string } {
  const made = newToken();
  const options = [`option name '${name}'`, `option hash '${made.hash}'`, ...lines];
  return { ...made, section: `\nconfig token\n${options.map((line) => `\t${line}\n`).join('')}` };
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
export const basic = (username: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
});
