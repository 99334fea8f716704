import { Agent, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { accepted } from '../modules/smpp/submit.ts';
import { PASSWORD } from './config.ts';
import type { Ledger, Sink } from './ledger.ts';
import { basic, type World } from './world.ts';

/** Requests under way at once, each by any way. */
const CLIENTS = 48;
/** Messages that are not at all their places yet, at most: then the next waits. */
const OPEN = 400;
/** Connections of the clients of the web server, and requests under way of the one by SMPP. */
const CONNECTIONS = 8;
const SMPP_WINDOW = 8;
const MAIL_SHARE = 1 / 14;

type Way = (number: string, text: string) => Promise<boolean>;

/** Puts messages in by every way there is, out and in by turns. */
export class Load {
  /** How many were put in by each way. */
  readonly by = new Map<string, number>();
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #ways: readonly (readonly [string, Way])[];
  readonly #names: () => number;
  #agent = new Agent();
  #smpp = 0;
  readonly #smppWaiting: (() => void)[] = [];

  /** `names`: the next number for a name. */
  constructor(world: World, ledger: Ledger, random: () => number, names: () => number) {
    this.#world = world;
    this.#ledger = ledger;
    this.#random = random;
    this.#names = names;
    const ways: Readonly<Record<string, Way>> = {
      'Post/Get': async (number, text) => {
        const fields = { username: 'user1', password: PASSWORD, number: number.replace('+', '00'), text };
        const answer = await this.#http('GET', `/cgi-bin/sms_send?${new URLSearchParams(fields)}`);
        return answer.text.startsWith('OK');
      },
      REST: async (number, text) => {
        const answer = await this.#http('POST', '/api/v1/messages', JSON.stringify({ number, text }));
        return answer.status === 201;
      },
      RPC: async (number, text) => {
        await world.call('sms_gateway.message', 'send', { number, text });
        return true;
      },
      ubus: async (number, text) => world.ubusSend(number, text),
      SMPP: (number, text) => this.#submit(number, text),
      ...(world.hasBroker && {
        MQTT: async (number: string, text: string) => {
          await world.mqtt?.publishAsync('sms_gateway/send', JSON.stringify({ number, text }), { qos: 1 });
          return true;
        },
      }),
    };
    this.#ways = Object.entries(ways);
  }

  /** Of so many messages those that come by email, into the mailbox. Resolves to how many. */
  mail(count: number): number {
    const mails = Math.round(count * MAIL_SHARE);
    for (let mail = 0; mail < mails; mail++) {
      const { name, number, text } = this.#outgoing();
      this.#ledger.expect(name, 'network');
      this.#world.pop3.deliver(`From: a@example.org\r\nTo: sms@example.org\r\nSubject: ${number}\r\n\r\n${text}\r\n`);
      this.#note('Email to SMS');
    }
    return mails;
  }

  /** So many messages by the other ways. */
  async run(count: number): Promise<void> {
    // Those of a time before were perhaps closed at the other end.
    this.#agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    let left = count;
    const client = async () => {
      while (left-- > 0) {
        await this.#ledger.downTo(OPEN);
        await (this.#random() < (0.5 - MAIL_SHARE) / (1 - MAIL_SHARE) ? this.#out() : this.#in());
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    this.#agent.destroy();
  }

  #name(kind: string): string {
    return `${kind}${String(this.#names()).padStart(7, '0')}`;
  }

  #note(way: string): void {
    this.by.set(way, (this.by.get(way) ?? 0) + 1);
  }

  #outgoing(): { readonly name: string; readonly number: string; readonly text: string } {
    const name = this.#name('o');
    const text = this.#random() < 0.15 ? `${name} ${'all is well '.repeat(15)}` : name;
    return { name, number: `+3706${name.slice(1)}`, text };
  }

  async #out(): Promise<void> {
    const [way, send] = this.#ways[Math.floor(this.#random() * this.#ways.length)] ?? [];
    if (way === undefined || send === undefined) return;
    const { name, number, text } = this.#outgoing();
    this.#ledger.expect(name, 'network');
    // By SMPP of one part: a long one is another matter.
    const taken = await send(number, way === 'SMPP' ? name : text).catch((error: unknown) => {
      this.#ledger.faults.push(`${way} did not take ${name}: ${error}`);
      return true;
    });
    if (taken) this.#note(way);
    else this.#ledger.refused(name);
  }

  async #in(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.1) {
      const name = this.#name('r');
      this.#ledger.expect(name, 'rule', 'inbox');
      this.#world.receive({ from: `+3708${name.slice(1)}`, text: `state ${name}` });
      this.#note('in, rule');
      return;
    }
    const name = this.#name('i');
    const sinks: Sink[] = ['inbox', 'http', 'mail', 'sms', 'webhook', 'smpp', 'reply'];
    if (this.#world.hasBroker) sinks.push('mqtt');
    const alarm = dice < 0.13;
    if (alarm) sinks.push('hook');
    this.#ledger.expect(name, ...sinks);
    const text = alarm ? `alarm ${name}` : dice < 0.25 ? `${name} ${'the water is high '.repeat(12)}` : name;
    this.#world.receive({ from: `+3707${name.slice(1)}`, text });
    this.#note('in');
  }

  async #http(
    method: string,
    path: string,
    body?: string,
  ): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        Authorization: basic,
        ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
      };
      const sent = request(`${this.#world.http}${path}`, { method, headers, agent: this.#agent }, (answer) => {
        textOf(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject);
      });
      sent.on('error', (error) => {
        // The server has closed a kept connection as idle at the moment of the request, which it has not seen then.
        if (sent.reusedSocket) this.#http(method, path, body).then(resolve, reject);
        else reject(error);
      });
      sent.end(body);
    });
  }

  async #submit(number: string, text: string): Promise<boolean> {
    if (this.#smpp >= SMPP_WINDOW) await new Promise<void>((resolve) => this.#smppWaiting.push(resolve));
    else this.#smpp += 1;
    try {
      const { smpp } = this.#world;
      if (smpp === undefined) return false;
      await accepted(smpp, { to: [1, 1, number.slice(1)], text });
      return true;
    } finally {
      const next = this.#smppWaiting.shift();
      if (next === undefined) this.#smpp -= 1;
      else next();
    }
  }
}
