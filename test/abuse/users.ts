import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { SmppClient } from '../modules/smpp/client.ts';
import { c, short, u8 } from '../modules/smpp/octets.ts';
import type { Daemon } from '../support/daemon.ts';

/** What a user of good manners tried, and how long it took. */
export interface Tried {
  readonly what: string;
  readonly ms: number;
  /** Why it failed; absent when it was served. */
  readonly failure?: string;
}

/** ms after which a user gives up. */
const PATIENCE = 10_000;
/** ms between two things that a user does. */
const PAUSE = 150;

export interface Door {
  readonly http: string;
  readonly smpp: number;
  readonly login: Readonly<Record<'username' | 'password', string>>;
}

/**
 * Users who were there before: one of the URLs, each time by a new connection, one of the unix socket, and a bound SMPP
 * client. They keep what the gateway has accepted, to ask for it afterwards.
 */
export class Users {
  readonly accepted: string[] = [];
  readonly tried: Tried[] = [];
  readonly #daemon: Daemon;
  readonly #door: Door;
  readonly #smpp: SmppClient;
  readonly #stop = new AbortController();
  readonly #working: Promise<void>;
  readonly #name: string;
  #number = 0;

  /** `name` makes their messages known from others. */
  static async come(daemon: Daemon, door: Door, name: string): Promise<Users> {
    const smpp = await SmppClient.bound(door.smpp, 'bind_transmitter', { id: 'user', password: 'right' });
    return new Users(daemon, door, smpp, name);
  }

  private constructor(daemon: Daemon, door: Door, smpp: SmppClient, name: string) {
    this.#name = name;
    this.#daemon = daemon;
    this.#door = door;
    this.#smpp = smpp;
    const turns: readonly (() => Promise<void>)[] = [
      () => this.#try('sms_send', () => this.#send()),
      () => this.#try('sms_list', () => this.#list()),
      () => this.#try('status', () => this.#status()),
      () => this.#try('submit_sm', () => this.#submit()),
    ];
    this.#working = Promise.all(turns.map((turn) => this.#again(turn))).then(() => undefined);
  }

  async leave(): Promise<void> {
    this.#stop.abort();
    await this.#working;
    this.#smpp.destroy();
  }

  async #again(turn: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await turn();
      await wait(PAUSE, undefined, { signal }).catch(() => undefined);
    }
  }

  async #try(what: string, work: () => Promise<void>): Promise<void> {
    const begun = performance.now();
    const ms = () => performance.now() - begun;
    try {
      await Promise.race([
        work(),
        wait(PATIENCE, undefined, { ref: false }).then(() => Promise.reject(new Error(`no answer in ${PATIENCE} ms`))),
      ]);
      this.tried.push({ what, ms: ms() });
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      this.tried.push({ what, ms: Math.max(ms(), PATIENCE), failure });
    }
  }

  async #send(): Promise<void> {
    const text = this.#text();
    const answer = await this.#get('sms_send', { number: this.#recipient(), text });
    if (answer !== 'OK\n') throw new Error(`sms_send: ${answer.slice(0, 60)}`);
    this.accepted.push(text);
  }

  async #list(): Promise<void> {
    const answer = await this.#get('sms_list', { state: 'unread' });
    if (!/^(Index: |$)/.test(answer)) throw new Error(`sms_list: ${answer.slice(0, 60)}`);
  }

  async #status(): Promise<void> {
    await this.#daemon.call('sms_gateway', 'status');
  }

  async #submit(): Promise<void> {
    const text = this.#text();
    const to = [u8(1, 1), c(this.#recipient().slice(1))];
    const body = [c(''), u8(0, 0), c(''), ...to, u8(0, 0, 0), c(''), c(''), u8(0, 0, 0, 0), short(text)];
    const { status } = await this.#smpp.request('submit_sm', body);
    if (status !== 0) throw new Error(`submit_sm: status ${status}`);
    this.accepted.push(text);
  }

  /** Another one each time: one number gets so many an hour. */
  #recipient(): string {
    return `+3706${String(++this.#number % 10_000_000).padStart(7, '0')}`;
  }

  #text(): string {
    return `${this.#name} ${++this.#number}`;
  }

  /** By a connection of its own. */
  #get(script: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const { http, login } = this.#door;
    const url = `${http}/cgi-bin/${script}?${new URLSearchParams({ ...login, ...parameters })}`;
    return new Promise((resolve, reject) => {
      const sent = request(url, { agent: false, timeout: PATIENCE }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error(`no answer in ${PATIENCE} ms`)));
      sent.end();
    });
  }
}
