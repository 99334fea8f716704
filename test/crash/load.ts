import type { Daemon } from '../support/daemon.ts';
import { get } from '../support/form.ts';
import type { World } from './world.ts';

/** One send, and what its sender was told. Each goes to a number of its own. */
export interface Send {
  readonly number: string;
  readonly parts: number;
  /** Repeated with the same reference until it is acknowledged; without one it is tried once. */
  readonly clientRef: string | undefined;
  acknowledged: boolean;
}

/** One message that was sent to the gateway. */
export interface Arrival {
  readonly text: string;
  /** A delete was asked for; `done` when it was acknowledged. */
  deleted: 'no' | 'asked' | 'done';
}

/** Sends, receives, reads and deletes for as long as the daemon lives, and remembers what it was told. */
export class Load {
  readonly sends: Send[] = [];
  readonly arrivals = new Map<string, Arrival>();
  readonly #world: World;
  readonly #random: () => number;
  readonly #byUrl: boolean;
  #numbers = 0;

  /** `byUrl`: sends by cgi-bin URL as well. They leave delivery reports to the modem, so a doubtful one waits a minute. */
  constructor(world: World, random: () => number, byUrl: boolean) {
    this.#world = world;
    this.#random = random;
    this.#byUrl = byUrl;
  }

  /** Several clients at a time, until one of their calls fails because the daemon is gone. */
  async run(daemon: Daemon, signal: AbortSignal): Promise<void> {
    const client = async () => {
      while (!signal.aborted) await this.#step(daemon).catch(() => undefined);
    };
    await Promise.all([client(), client(), client(), client()]);
  }

  /** Repeats the sends with a reference that nobody acknowledged: each is to arrive once all the same. */
  async repeat(daemon: Daemon): Promise<void> {
    for (const send of this.sends) {
      if (!send.acknowledged && send.clientRef !== undefined) await this.#submit(daemon, send);
    }
  }

  async #step(daemon: Daemon): Promise<void> {
    const dice = this.#random();
    if (dice < 0.4) return this.#send(daemon);
    if (dice < 0.5) return this.#byUrl ? this.#sendByUrl(daemon) : this.#send(daemon);
    if (dice < 0.8) return this.#arrive();
    return this.#tidy(daemon);
  }

  #next(): string {
    this.#numbers += 1;
    return String(this.#numbers).padStart(7, '0');
  }

  async #send(daemon: Daemon): Promise<void> {
    const n = this.#next();
    const long = this.#random() < 0.3;
    const clientRef = this.#random() < 0.7 ? `ref${n}` : undefined;
    const send = { number: `+3706${n}`, parts: long ? 2 : 1, clientRef, acknowledged: false };
    this.sends.push(send);
    await this.#submit(daemon, send);
  }

  async #submit(daemon: Daemon, send: Send): Promise<void> {
    const { number, parts, clientRef } = send;
    await daemon.call('sms_gateway.message', 'send', {
      ...{ number, text: parts === 1 ? 'out' : 'o'.repeat(200), report: false },
      ...(clientRef !== undefined && { client_ref: clientRef }),
    });
    send.acknowledged = true;
  }

  async #sendByUrl(daemon: Daemon): Promise<void> {
    const number = `+3706${this.#next()}`;
    const send: Send = { number, parts: 1, clientRef: undefined, acknowledged: false };
    this.sends.push(send);
    const { body } = await get(daemon.http, 'sms_send', { number: number.replace('+', '00'), text: 'by URL' });
    send.acknowledged = body.startsWith('OK');
  }

  async #arrive(): Promise<void> {
    const long = this.#random() < 0.3;
    const n = this.#next();
    // Each part is like no other: a part that repeats sender, second, reference and octets is taken for one come twice.
    const text = `in ${n}${long ? ` and ${n}`.repeat(20) : ''}`;
    if (await this.#world.receive('+37069999999', text)) this.arrivals.set(text, { text, deleted: 'no' });
  }

  async #tidy(daemon: Daemon): Promise<void> {
    const { messages } = await daemon.call('sms_gateway.message', 'list', { box: 'inbox', limit: 5 });
    const [message] = messages as unknown as readonly { id: number; text: string }[];
    if (message === undefined) return;
    const arrival = this.arrivals.get(message.text);
    await daemon.call('sms_gateway.message', 'read', { id: message.id });
    if (arrival === undefined || this.#random() < 0.5) return;
    arrival.deleted = 'asked';
    await daemon.call('sms_gateway.message', 'delete', { id: message.id });
    arrival.deleted = 'done';
  }
}
