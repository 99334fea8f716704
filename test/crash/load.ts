import { setTimeout as wait } from 'node:timers/promises';
import { toHex } from '../../src/sms/index.ts';
import type { Daemon } from '../support/daemon.ts';
import { get } from '../support/form.ts';
import { incomingPdus } from '../support/incoming.ts';
import { type Arrival, type Send, type Told, textOf } from './told.ts';
import type { World } from './world.ts';

/** Members of the group `crew`. */
export const CREW = ['+37065000001', '+37065000002', '+37065000003'];

const CLIENTS = 4;
/** Longest pause of a client between two steps, ms: together they keep the modem busy, and no busier. */
const PAUSE = 100;

/** Sends, receives, reads and deletes for as long as the daemon lives, and notes what it was told. */
export class Load {
  readonly #world: World;
  readonly #told: Told;
  readonly #random: () => number;
  /** Parts that the network still holds back. */
  #late: Uint8Array[] = [];

  constructor(world: World, told: Told, random: () => number) {
    this.#world = world;
    this.#told = told;
    this.#random = random;
  }

  /** Several clients at a time, until the signal aborts. The daemon may go at any moment. */
  async run(daemon: Daemon, signal: AbortSignal): Promise<void> {
    const client = async () => {
      while (!signal.aborted) {
        await this.#step(daemon).catch(() => undefined);
        await wait(this.#random() * PAUSE);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  /** Repeats the sends that nobody acknowledged, as far as they can be repeated, and brings what is still held back. */
  async finish(daemon: Daemon): Promise<void> {
    for (const send of this.#told.sends) {
      if (!send.acknowledged && send.clientRef !== undefined) await this.#submit(daemon, send);
    }
    for (const pdu of this.#late.splice(0)) await this.#bring(pdu);
  }

  /** Sends one message to a number of its own. */
  async send(daemon: Daemon): Promise<void> {
    const name = this.#told.nextName('out');
    await this.#submit(daemon, this.#note(name, [`+3706${name.slice(3)}`]));
  }

  #step(daemon: Daemon): Promise<unknown> {
    const dice = this.#random();
    if (dice < 0.3) return this.send(daemon);
    if (dice < 0.35) return this.#submit(daemon, this.#note(this.#told.nextName('out'), CREW));
    if (dice < 0.45) return this.#sendByUrl(daemon);
    if (dice < 0.5) return this.#sendAgain(daemon);
    if (dice < 0.65) return this.#arrive();
    if (dice < 0.8) return this.#arriveInDisorder();
    return this.#tidy(daemon);
  }

  #note(name: string, recipients: readonly string[], clientRef = this.#random() < 0.7): Send {
    const parts = this.#random() < 0.3 ? 2 + Math.floor(this.#random() * 2) : 1;
    const ref = clientRef ? `ref-${name}` : undefined;
    const send = { name, recipients, parts, clientRef: ref, acknowledged: false, ids: [] };
    this.#told.sends.push(send);
    return send;
  }

  async #submit(daemon: Daemon, send: Send): Promise<void> {
    const { name, recipients, parts, clientRef } = send;
    const { id, recipients: each } = await daemon.call('sms_gateway.message', 'send', {
      ...(recipients === CREW ? { group: 'crew' } : { number: recipients[0] ?? '' }),
      ...{ text: textOf(name, parts), report: parts === 1 },
      ...(clientRef !== undefined && { client_ref: clientRef }),
    });
    const ids = recipients === CREW ? (each as unknown as { id: number }[]).map((member) => member.id) : [Number(id)];
    this.#told.acknowledge(send, ids);
  }

  /** A client that has its answer asks again with the same reference: nothing is to be sent. */
  async #sendAgain(daemon: Daemon): Promise<void> {
    const { sends } = this.#told;
    const send = sends[Math.floor(this.#random() * sends.length)];
    if (send?.acknowledged && send.clientRef !== undefined) await this.#submit(daemon, send);
  }

  async #sendByUrl(daemon: Daemon): Promise<void> {
    const name = this.#told.nextName('out');
    const send = this.#note(name, this.#random() < 0.3 ? CREW : [`+3706${name.slice(3)}`], false);
    const { recipients, parts } = send;
    const to = recipients === CREW ? { group: 'crew' } : { number: `${recipients[0]}`.replace('+', '00') };
    const { body } = await get(daemon.http, 'sms_send', { ...to, text: textOf(name, parts) });
    send.acknowledged = body.startsWith('OK');
  }

  async #arrive(): Promise<void> {
    const arrival = this.#incoming(this.#random() < 0.3 ? 3 : 1);
    const taken = await this.#world.simulator.receive('+37069999999', arrival.text);
    if (taken) this.#told.arrivals.set(arrival.text, arrival);
  }

  /** Its parts in any order, now and then one of them much later; each from a number of its own. */
  async #arriveInDisorder(): Promise<void> {
    const arrival = this.#incoming(2 + Math.floor(this.#random() * 3));
    const n = Number(arrival.name.slice(2));
    const time = Math.floor(Date.now() / 1000) * 1000;
    const pdus = incomingPdus(`+3707${arrival.name.slice(2)}`, arrival.text, { time, reference: n & 0xff });
    const [first, ...others] = pdus.map((pdu) => ({ pdu, at: this.#random() })).toSorted((a, b) => a.at - b.at);
    if (first === undefined) return;
    this.#told.arrivals.set(arrival.text, arrival);
    if (this.#random() < 0.3) this.#late.push(first.pdu);
    else others.push(first);
    for (const { pdu } of others) await this.#bring(pdu);
    const [late] = this.#late.splice(0, this.#random() < 0.3 ? 1 : 0);
    if (late !== undefined) await this.#bring(late);
  }

  async #bring(pdu: Uint8Array): Promise<void> {
    await this.#world.simulator.order({ receive_pdu: toHex(pdu) });
  }

  #incoming(parts: number): Arrival {
    const name = this.#told.nextName('in');
    return { text: textOf(name, parts), name, parts, deleted: 'no' };
  }

  /** Looks at the oldest messages; reads one, and perhaps deletes it. */
  async #tidy(daemon: Daemon): Promise<void> {
    const { messages } = await daemon.call('sms_gateway.message', 'list', { box: 'inbox', limit: 10 });
    const list = messages as unknown as readonly { id: number; index: number; text: string }[];
    for (const { id, index, text } of list) this.#told.show(text, id, index);
    const message = list[Math.floor(this.#random() * list.length)];
    const arrival = this.#told.arrivals.get(message?.text ?? '');
    if (message === undefined || arrival === undefined) return;
    const byUrl = this.#random() < 0.3;
    const { id } = message;
    const number = String(message.index);
    if (byUrl) await get(daemon.http, 'sms_read', { number });
    else await daemon.call('sms_gateway.message', 'read', { id });
    if (this.#random() < 0.5) return;
    arrival.deleted = 'asked';
    if (!byUrl) await daemon.call('sms_gateway.message', 'delete', { id });
    else if ((await get(daemon.http, 'sms_delete', { number })).body !== 'OK\n') return;
    arrival.deleted = 'done';
  }
}
