import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** Lines of one group, by the name of the setting. */
export type Group = Map<string, string>;

/** A configuration of Kannel: groups of settings, with empty lines between. */
export class KannelConfig {
  readonly #groups: Group[];

  static read(path: string): KannelConfig {
    const groups = readFileSync(path, 'utf8')
      .split(/\n\s*\n/)
      .map(
        (text) =>
          new Map([...text.matchAll(/^([a-z][a-z0-9-]*) = (.*)$/gm)].map(([, name = '', value = '']) => [name, value])),
      );
    return new KannelConfig(groups.filter((group) => group.size > 0));
  }

  private constructor(groups: Group[]) {
    this.#groups = groups;
  }

  get gateways(): readonly Group[] {
    return this.#groups.filter((group) => group.get('group') === 'smsc');
  }

  /** The only group of that name. */
  group(name: string): Group {
    const [group, ...more] = this.#groups.filter((each) => each.get('group') === name);
    if (group === undefined || more.length > 0) throw new Error(`${more.length} more groups ${name}`);
    return group;
  }

  /** Puts these in the place of the gateways that there are. */
  setGateways(gateways: readonly Group[]): void {
    const others = this.#groups.filter((group) => group.get('group') !== 'smsc');
    const [core, ...boxes] = others;
    if (core === undefined) throw new Error('no group core');
    this.#groups.splice(0, this.#groups.length, core, ...gateways, ...boxes);
  }

  toString(): string {
    return this.#groups.map((group) => [...group].map(([name, value]) => `${name} = ${value}\n`).join('')).join('\n');
  }
}

/** A connection of Kannel to a gateway. */
export interface Link {
  readonly id: string;
  readonly online: boolean;
  /** Messages that wait for this gateway. */
  readonly queued: number;
}

/** Longest wait for what Kannel does by itself, ms. */
const LIMIT = 180_000;

/** Bearerbox and smsbox, as Debian packs them, on a folder and with ports of their own. */
export class Kannel {
  readonly #folder: string;
  readonly #admin: number;
  readonly #sendsms: number;
  readonly #password: string;
  readonly #user: readonly [name: string, password: string];
  readonly #children = new Map<string, ChildProcess>();

  /** Writes the configuration into the folder, with paths and `ports` of its own: admin, smsbox, sendsms. */
  constructor(folder: string, config: KannelConfig, [admin = 0, boxes = 0, sendsms = 0]: readonly number[]) {
    const core = config.group('core');
    const box = config.group('smsbox');
    for (const [name, value] of Object.entries({ 'admin-port': admin, 'smsbox-port': boxes }))
      core.set(name, `${value}`);
    box.set('sendsms-port', `${sendsms}`);
    for (const [name, path] of [
      ['log-file', 'bearerbox.log'],
      ['access-log', 'access.log'],
      ['store-location', 'store'],
      ['dlr-spool', 'dlr'],
    ] as const) {
      core.set(name, `"${folder}/${path}"`);
    }
    box.set('log-file', `"${folder}/smsbox.log"`);
    for (const name of ['store', 'dlr']) mkdirSync(`${folder}/${name}`, { recursive: true });
    writeFileSync(`${folder}/kannel.conf`, `${config}`);
    const user = config.group('sendsms-user');
    this.#folder = folder;
    this.#admin = admin;
    this.#sendsms = sendsms;
    this.#password = core.get('admin-password') ?? '';
    this.#user = [user.get('username') ?? '', user.get('password') ?? ''];
  }

  /** Resolves when the HTTP interface works. */
  async start(): Promise<void> {
    await this.startRouter();
    this.#run('smsbox');
    await this.#until('smsbox is connected', async () => /smsbox.*on-line/.test(await this.#get('status.txt')));
  }

  /** Bearerbox, which is connected with the gateways. Resolves when it answers. */
  async startRouter(): Promise<void> {
    this.#run('bearerbox');
    await this.#until('bearerbox answers', async () => (await this.#get('status.txt')) !== '');
  }

  /** Bearerbox dies. Smsbox then ends by itself. */
  async killRouter(): Promise<void> {
    await this.#kill('bearerbox');
    await this.#kill('smsbox');
  }

  async stop(): Promise<void> {
    for (const name of [...this.#children.keys()].reverse()) await this.#kill(name);
  }

  get pids(): readonly number[] {
    return [...this.#children.values()].flatMap(({ pid }) => pid ?? []);
  }

  /** Resolves when all gateways of that name are bound, or all that there are. */
  async online(...ids: readonly string[]): Promise<void> {
    await this.#until('the gateways are bound', async () => {
      const links = await this.links();
      return links.length > 0 && links.every(({ id, online }) => online || (ids.length > 0 && !ids.includes(id)));
    });
  }

  async links(): Promise<readonly Link[]> {
    const xml = await this.#get('status.xml');
    return [...xml.matchAll(/<smsc>.*?<\/smsc>/gs)].map(([smsc]) => {
      const field = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(smsc)?.[1] ?? '';
      return { id: field('id'), online: field('status').startsWith('online'), queued: Number(field('queued')) };
    });
  }

  /** Sends a message, with a report to `dlrUrl`; `more` are further parameters. Rejects when Kannel does not take it. */
  async send(to: string, text: string, dlrUrl: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    const [username, password] = this.#user;
    // Delivered, failed, refused by the gateway.
    const query = new URLSearchParams({ username, password, to, text, 'dlr-mask': '19', 'dlr-url': dlrUrl, ...more });
    const response = await fetch(`http://127.0.0.1:${this.#sendsms}/cgi-bin/sendsms?${query}`);
    const answer = await response.text();
    if (!/Accepted|Queued/.test(answer)) throw new Error(`Kannel: ${answer}`);
  }

  /** The end of its log, for a failure. */
  log(): string {
    return readFileSync(`${this.#folder}/bearerbox.log`, 'utf8').split('\n').slice(-50).join('\n');
  }

  #run(name: 'bearerbox' | 'smsbox'): void {
    this.#children.set(name, spawn(`/usr/sbin/${name}`, [`${this.#folder}/kannel.conf`], { stdio: 'ignore' }));
  }

  async #kill(name: string): Promise<void> {
    const child = this.#children.get(name);
    this.#children.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async #get(path: string): Promise<string> {
    try {
      return await (await fetch(`http://127.0.0.1:${this.#admin}/${path}?password=${this.#password}`)).text();
    } catch {
      return '';
    }
  }

  async #until(what: string, done: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + LIMIT; !(await done()); await wait(50)) {
      if (Date.now() > deadline) throw new Error(`waited ${LIMIT / 1000} s until ${what}:\n${this.log()}`);
    }
  }
}
