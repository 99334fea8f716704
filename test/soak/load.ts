import { accepted } from '../modules/smpp/submit.ts';
import { PASSWORD } from './config.ts';
import type { Ledger, Sink } from './ledger.ts';
import { basic, type World } from './world.ts';

const CLIENTS = 6;
/** Messages that wait for the modem in the network, at most: a phone network has no more patience. */
const WAITING = 50;

type Way = (number: string, text: string) => Promise<boolean>;

/** Puts messages in by every way there is, out and in by turns. */
export class Load {
  /** How many were put in by each way. */
  readonly by = new Map<string, number>();
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #ways: Readonly<Record<string, Way>>;
  #count = 0;
  #smpp: Promise<unknown> = Promise.resolve();

  constructor(world: World, ledger: Ledger, random: () => number) {
    this.#world = world;
    this.#ledger = ledger;
    this.#random = random;
    this.#ways = {
      'Post/Get': async (number, text) => {
        const query = new URLSearchParams({
          username: 'user1',
          password: PASSWORD,
          number: number.replace('+', '00'),
          text,
        });
        const answer = await fetch(`${world.http}/cgi-bin/sms_send?${query}`);
        return (await answer.text()).startsWith('OK');
      },
      REST: async (number, text) => {
        const body = JSON.stringify({ number, text });
        const answer = await fetch(`${world.http}/api/v1/messages`, {
          method: 'POST',
          headers: { Authorization: basic },
          body,
        });
        await answer.text();
        return answer.status === 201;
      },
      RPC: async (number, text) => {
        await world.call('sms_gateway.message', 'send', { number, text });
        return true;
      },
      ubus: async (number, text) => world.ubusSend(number, text),
      SMPP: (number, text) => {
        const { smpp } = world;
        if (smpp === undefined) return Promise.resolve(false);
        const submitted = this.#smpp.then(() => accepted(smpp, { to: [1, 1, number.slice(1)], text }));
        this.#smpp = submitted.catch(() => undefined);
        return submitted.then(() => true);
      },
      MQTT: async (number, text) => {
        await world.mqtt?.publishAsync('sms_gateway/send', JSON.stringify({ number, text }), { qos: 1 });
        return true;
      },
      'Email to SMS': async (number, text) => {
        world.pop3.deliver(`From: a@example.org\r\nTo: sms@example.org\r\nSubject: ${number}\r\n\r\n${text}\r\n`);
        return true;
      },
    };
  }

  /** So many messages in all; `middle` is called when half of them are in. */
  async run(count: number, middle: () => void): Promise<void> {
    let left = count;
    const client = async () => {
      while (left-- > 0) {
        if (left === Math.floor(count / 2)) middle();
        await (this.#random() < 0.5 ? this.#out() : this.#in());
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  #name(kind: string): string {
    this.#count += 1;
    return `${kind}${String(this.#count).padStart(7, '0')}`;
  }

  #note(way: string): void {
    this.by.set(way, (this.by.get(way) ?? 0) + 1);
  }

  async #out(): Promise<void> {
    const ways = Object.entries(this.#ways).filter(([way]) => way !== 'MQTT' || this.#world.hasBroker);
    const [way, send] = ways[Math.floor(this.#random() * ways.length)] ?? [];
    if (way === undefined || send === undefined) return;
    const name = this.#name('o');
    // SMPP and mails of one part: a long one is another matter.
    const text = this.#random() < 0.15 && way !== 'SMPP' ? `${name} ${'all is well '.repeat(15)}` : name;
    this.#ledger.expect(name, 'network');
    const taken = await send(`+3706${name.slice(1)}`, text).catch((error: unknown) => {
      this.#ledger.faults.push(`${way} did not take ${name}: ${error}`);
      return true;
    });
    if (taken) this.#note(way);
    else this.#ledger.refused(name);
  }

  async #in(): Promise<void> {
    const { modem } = this.#world;
    while (modem.counters.waiting > WAITING) await new Promise((resolve) => setTimeout(resolve, 20));
    const dice = this.#random();
    if (dice < 0.1) {
      const name = this.#name('r');
      this.#ledger.expect(name, 'rule', 'inbox');
      modem.receive({ from: `+3708${name.slice(1)}`, text: `state ${name}` });
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
    modem.receive({ from: `+3707${name.slice(1)}`, text });
    this.#note('in');
  }
}
