import { join } from 'node:path';
import type { Test } from 'tap';
import { Access } from '../../src/access/access.ts';
import { Bus } from '../../src/base/bus.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/log.ts';
import { type PhoneNumber, parsePhoneNumber } from '../../src/base/phone-number.ts';
import type { PostGetConfig } from '../../src/config/config.ts';
import type { CgiAnswer, CgiRequest } from '../../src/modules/host/contract.ts';
import { PostGet } from '../../src/modules/post_get/post_get.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import {
  addressOf,
  encodeDeliver,
  encodePdu,
  nameAddress,
  segment,
  timeStamp,
  toUserData,
} from '../../src/sms/index.ts';
import { Inbox } from '../../src/store/inbox/inbox.ts';
import { Journal } from '../../src/store/journal/journal.ts';
import { Notes } from '../../src/store/notes.ts';
import { Outbox } from '../../src/store/outbox/outbox.ts';
import type { PartToSend, Sender, SendOutcome } from '../../src/store/sender.ts';
import { System } from '../../src/system/system.ts';
import { newFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A modem at the edge: the test says how each part ends. */
export class ScriptedModem implements Sender {
  readonly name = 'gsm0';
  readonly ready = true;
  readonly epoch = 0;
  readonly parts: PartToSend[] = [];
  outcome: (part: PartToSend, signal: AbortSignal) => Promise<SendOutcome> | SendOutcome = () => this.accept();
  #mr = 0;

  accept(): SendOutcome {
    this.#mr = (this.#mr + 1) % 256;
    return { type: 'accepted', mr: this.#mr };
  }

  async send(part: PartToSend, signal: AbortSignal): Promise<SendOutcome> {
    this.parts.push(part);
    return this.outcome(part, signal);
  }
}

const config: PostGetConfig = {
  enabled: true,
  username: 'user1',
  password: 'user_pass',
  // Most tests send with the login that the manual has.
  factory_sends: true,
  date_format: 'ctime',
  strict_status: false,
  allow_from: [],
  send_timeout: 30,
  max_failures: 10,
  lockout: 300,
};

export const number = (text: string): PhoneNumber => {
  const parsed = parsePhoneNumber(text);
  if (parsed === undefined) throw new Error(`no number: ${text}`);
  return parsed;
};

const groups = [
  { section: 'friends', name: 'friends', tel: ['+37060000001', '+37060000002', '+37060000001'].map(number) },
  { section: 'nobody', name: 'nobody', tel: [] },
];

/** Post/Get on a real store, with a modem that a test controls. */
export class PostGetGateway {
  /** Of Post/Get alone; the store has the system's. */
  readonly clock = new ManualClock(Date.UTC(2024, 9, 26, 19, 5));
  readonly modem = new ScriptedModem();
  readonly log: string[] = [];
  readonly access = new Access();
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly #journal: Journal;
  readonly #notes: Notes;
  readonly #stop = new AbortController();
  readonly #logger = createLogger({ level: 'debug', write: (line) => void this.log.push(line) });
  #postGet: PostGet | undefined;

  private constructor(directory: string) {
    const common = { clock: systemClock, log: this.#logger };
    this.#journal = new Journal({ ...common, directory: join(directory, 'state') });
    this.#notes = new Notes(this.#journal);
    const policy = { capacity: 1000, evict: false, partTimeoutHours: 24 };
    this.inbox = new Inbox({ ...common, journal: this.#journal, policy });
    this.outbox = new Outbox({
      ...common,
      journal: this.#journal,
      random: () => 0,
      policy: {
        queueLimit: 6,
        validitySeconds: 3600,
        ambiguous: 'hold',
        keepDays: 1,
        keepCount: 100,
        transliterate: false,
        nationalTables: [],
      },
    });
  }

  static async open(t: Test, options: Partial<PostGetConfig> = {}, directory = newFolder(t)): Promise<PostGetGateway> {
    const gateway = new PostGetGateway(directory);
    t.teardown(() => gateway.#close());
    await gateway.#journal.open();
    gateway.inbox.start();
    gateway.outbox.start();
    gateway.outbox.attach(gateway.modem, { interval: 0, daily: 0 });
    await gateway.configure(options);
    return gateway;
  }

  /** Another Post/Get on the same store. */
  async configure(options: Partial<PostGetConfig>): Promise<void> {
    const { clock, inbox, outbox } = this;
    this.#postGet = new PostGet({
      ...{ name: 'post_get', clock, inbox, outbox, log: this.#logger, bus: new Bus<GatewayEvents>(this.#logger) },
      config: { ...config, ...options },
      shared: { groups, rules: [] },
      isFrom: () => false,
      isRuleMessage: () => false,
      wake: () => undefined,
      lasting: (Kind) => new Kind(clock),
      health: { failed: () => undefined, succeeded: () => undefined, triedAgain: () => undefined },
      modems: { list: () => [], find: () => undefined },
      system: new System(),
      access: this.access,
      notebook: (name) => this.#notes.book(name),
      signal: this.#stop.signal,
    });
    await this.#postGet.start();
  }

  get counters(): Readonly<Record<string, number>> {
    return this.#postGet?.counters ?? {};
  }

  get status(): unknown {
    return this.#postGet?.status();
  }

  cgi(request: Partial<CgiRequest>, signal: AbortSignal = new AbortController().signal): Promise<CgiAnswer> {
    if (this.#postGet === undefined) throw new Error('not configured');
    const defaults = {
      script: 'sms_list',
      method: 'GET',
      query: '',
      contentType: '',
      body: '',
      remoteAddress: '192.168.1.7',
    };
    return this.#postGet.cgi({ ...defaults, ...request }, signal);
  }

  /** A GET with the right login. */
  get(script: string, query = '', signal?: AbortSignal): Promise<CgiAnswer> {
    return this.cgi({ script, query: `username=user1&password=user_pass&${query}` }, signal);
  }

  async text(script: string, query = ''): Promise<string> {
    return (await this.get(script, query)).body;
  }

  async json(script: string, query = ''): Promise<unknown> {
    return JSON.parse(await this.text(script, `format=json&${query}`));
  }

  /** Lets an SMS arrive, all parts of it. */
  async receive(from: string, text: string, time = Date.UTC(2024, 9, 26, 19, 4, 11)): Promise<void> {
    const { dcs, parts } = segment(text, { reference: Math.floor(time / 1000) });
    const sender = /^[+0-9]/.test(from) ? addressOf(from) : nameAddress(from);
    const accepted = parts.map(({ udh, data }) => {
      const deliver = { from: sender, dcs, time: timeStamp(time), userData: toUserData(udh, data) };
      const pdu = encodePdu(undefined, encodeDeliver(deliver));
      return this.inbox.accept({ modem: 'gsm0', pdu, received: this.clock.now() });
    });
    await Promise.all(accepted);
  }

  /** Ends every wait of Post/Get, as the runtime does before it stops a module. */
  abort(): void {
    this.#stop.abort(new Error('stopping'));
  }

  async #close(): Promise<void> {
    this.abort();
    await this.#postGet?.stop();
    await this.outbox.close();
    await this.inbox.stop();
    await this.#journal.close();
  }
}
