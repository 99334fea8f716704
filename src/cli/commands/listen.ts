import { setTimeout as pause } from 'node:timers/promises';
import { BackOff } from '../../base/back-off.ts';
import { didYouMean } from '../../base/closest.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import { LruMap } from '../../base/lru-map.ts';
import { matchesPattern, type PublicEvent } from '../../rpc/events.ts';
import type { GatewayEvent, RpcClient } from '../client.ts';
import { type Command, type CommandContext, UsageError } from '../command.ts';
import { cell, shownLine, tables } from '../layout.ts';

const events: Readonly<Record<PublicEvent, true>> = {
  'sms.received': true,
  'sms.sent': true,
  'sms.delivered': true,
  'sms.failed': true,
  'limit.reached': true,
  'modem.state': true,
  'module.state': true,
  'call.incoming': true,
  'ussd.received': true,
  'config.changed': true,
};
const eventNames = Object.keys(events);

/** The event that brought a message to its state; none for one that waits or is cancelled. */
const eventOfState: Readonly<Record<string, PublicEvent>> = {
  unread: 'sms.received',
  read: 'sms.received',
  sent: 'sms.sent',
  delivered: 'sms.delivered',
  undelivered: 'sms.failed',
  expired: 'sms.failed',
  failed: 'sms.failed',
  unknown: 'sms.failed',
};

/** States of a sent message that did not arrive, or perhaps not. */
export const failureStates = Object.keys(eventOfState).filter((state) => eventOfState[state] === 'sms.failed');

export const listen: Command = {
  name: 'listen',
  arguments: '[--since ID] [--reconnect] [PATTERN...]',
  help: 'Print events as they happen, until interrupted.',
  details: `Events are ${eventNames.slice(0, 5).join(', ')},
${eventNames.slice(5).join(', ')}.
A PATTERN may end with *; without one, every event is printed.
--since first prints from the store, in the order of ids, what came or changed after message ID: received messages,
and of each sent one its last outcome. With 0 that is everything. Where message ID is gone, those of higher ids count,
and outcomes of lower ones do not. What came before ID may come again: go by id and state. Its lines have the time of
the message, those of events that happen now the time of this machine.
--reconnect waits for a gateway that is restarted, and then prints what was missed in the same way.`,
  options: {
    since: { value: 'ID', help: 'First what happened after this message; 0 for all that the store has.' },
    reconnect: { help: 'When the gateway ends, wait for it and go on.' },
  },
  count: [0, 16],
  async run(input, context) {
    const { words } = input;
    for (const word of words) {
      const isKnown = word.endsWith('*')
        ? eventNames.some((name) => name.startsWith(word.slice(0, -1)))
        : eventNames.some((name) => name === word);
      if (!isKnown) throw new UsageError(`no event ${JSON.stringify(word)}${didYouMean(word, eventNames)}`);
    }
    const listener = new Listener(words.length === 0 ? ['*'] : words, context);
    const since = input.integer('since');
    if (!input.flag('reconnect')) {
      await listener.listen(since);
      throw new GatewayError('connection_failed', 'the gateway closed the connection');
    }
    await listener.listenForEver(since);
    return 0;
  },
};

/** Messages of which the last printed state is known, so that a catch-up does not print them again. */
const REMEMBERED = 10_000;
/** Events that wait while the store is read. With more of them it is begun again. */
const MAX_WAITING = 10_000;
/** What happened so long before the connection was lost may not have come through it, ms. */
const MARGIN = 5_000;
/** Pauses between tries to connect, ms. */
const RETRIES = { first: 500, longest: 15_000, jitter: 0.2 };

/** How the event of a message is printed. */
interface Shown {
  /** Also where the same state was printed before. */
  readonly again: boolean;
  /** ISO 8601. */
  readonly at: Json | undefined;
}

class Listener {
  readonly #patterns: readonly string[];
  readonly #context: CommandContext;
  readonly #printed = new LruMap<number, string>(REMEMBERED);
  /** Highest id that was printed, or was there at the beginning. */
  #last = 0;
  /** Until when nothing was missed, ms since the epoch; 0 before the store was read. */
  #complete = 0;

  constructor(patterns: readonly string[], context: CommandContext) {
    this.#patterns = patterns;
    this.#context = context;
  }

  /** Prints events until the connection ends; before them what the store has after `since`, or what was missed. */
  async listen(since: number | undefined): Promise<void> {
    const client = await this.#context.connect();
    try {
      await client.subscribe(this.#patterns);
      await this.#follow(client, since);
    } finally {
      client.close();
    }
  }

  /** Connects again whenever the connection ends. Rejects only with what no wait mends. */
  async listenForEver(since: number | undefined): Promise<void> {
    const backOff = new BackOff(RETRIES);
    for (;;) {
      const connected = this.#complete;
      try {
        await this.listen(since);
        this.#context.remark('the gateway closed the connection; waiting for it');
      } catch (error) {
        if (!(error instanceof GatewayError && error.mapping.retry)) throw error;
        if (backOff.failures === 0) this.#context.remark(`${describeError(error)}; waiting for it`);
      }
      if (this.#complete !== connected) backOff.reset();
      await pause(backOff.next());
    }
  }

  /** Reads the store, then prints the events that came meanwhile, then each as it comes. */
  async #follow(client: RpcClient, since: number | undefined): Promise<void> {
    const waiting: GatewayEvent[] = [];
    let caughtUp = false;
    const pump = async () => {
      for await (const event of client.events()) {
        if (caughtUp) this.#live(event, true);
        else if (waiting.push(event) > MAX_WAITING) {
          throw new GatewayError('too_many', `more than ${MAX_WAITING} events came while the store was read`);
        }
      }
    };
    const pumping = pump();
    // It may end while the store is read, before anybody waits for it.
    pumping.catch(() => undefined);
    const reader = await this.#context.connect();
    try {
      await this.#begin(reader, since);
    } finally {
      reader.close();
    }
    for (const event of waiting) this.#live(event, false);
    caughtUp = true;
    this.#complete = Date.now();
    await pumping;
  }

  async #begin(reader: RpcClient, since: number | undefined): Promise<void> {
    if (this.#complete > 0) {
      const missed = new Date(this.#complete - MARGIN).toISOString();
      await this.#catchUp(reader, { cursor: String(this.#last) }, { changed_since: missed });
    } else if (since === undefined) this.#last = await newestId(reader);
    else {
      const message = await find(since, reader);
      this.#last = since;
      // A received message does not change.
      if (message?.['box'] === 'inbox') this.#printed.set(since, 'sms.received');
      const changed = message && { changed_since: message['received'] ?? message['time'] };
      await this.#catchUp(reader, { cursor: String(since) }, ...(changed === undefined ? [] : [changed]));
    }
  }

  /** `again`: also one whose state was printed before, as that of a message that is sent again. */
  #live({ name, payload }: GatewayEvent, again: boolean): void {
    const { id } = payload;
    if (name.startsWith('sms.') && typeof id === 'number') {
      this.#message(name, id, payload, { again, at: new Date().toISOString() });
      if (again) this.#complete = Date.now();
    } else this.#print(name, payload, new Date().toISOString());
  }

  #message(name: string, id: number, payload: JsonObject, { again, at }: Shown): void {
    this.#last = Math.max(this.#last, id);
    const mark = name === 'sms.received' ? name : cell(payload['state']);
    if (!again && this.#printed.get(id) === mark) return;
    this.#printed.set(id, mark);
    this.#print(name, payload, at);
  }

  #print(name: string, payload: JsonObject, at: Json | undefined): void {
    this.#context.show({ event: name, payload }, (event, time) => eventLine(event, time(at)));
  }

  /** Prints the messages of the store that one of the queries finds. */
  async #catchUp(reader: RpcClient, ...queries: readonly JsonObject[]): Promise<void> {
    const found = new Map<number, JsonObject>();
    for (const query of queries) {
      let cursor: Json | undefined = query['cursor'];
      do {
        const page = await reader.call('sms_gateway.message', 'list', { ...query, cursor });
        for (const message of tables(page['messages'])) found.set(Number(message['id']), message);
        cursor = page['cursor'];
      } while (cursor !== undefined);
    }
    for (const [id, message] of [...found].sort(([a], [b]) => a - b)) {
      const name = eventOfState[String(message['state'])];
      if (name !== undefined && this.#patterns.some((pattern) => matchesPattern(pattern, name))) {
        this.#message(name, id, message, { again: false, at: message['time'] });
      }
      this.#last = Math.max(this.#last, id);
    }
  }
}

/** Undefined when it is gone. */
async function find(id: number, reader: RpcClient): Promise<JsonObject | undefined> {
  if (id === 0) return undefined;
  try {
    return await reader.call('sms_gateway.message', 'status', { id });
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'message_not_found') return undefined;
    throw error;
  }
}

async function newestId(reader: RpcClient): Promise<number> {
  const { messages } = await reader.call('sms_gateway.message', 'list', { order: 'newest', limit: 1 });
  return Number(tables(messages)[0]?.['id'] ?? 0);
}

function eventLine({ event, payload }: JsonObject, time: string): string {
  const fields = isJsonObject(payload) ? payload : {};
  const { number, text, id, state, name, modem, error, sections } = fields;
  const shown = text === undefined ? undefined : shownLine(fields);
  // A message by its number, all else by the name of what it happens to.
  const whose = id === undefined ? [name ?? modem, number] : [`#${id}`, number];
  const what = [...whose, state, sections, error ?? shown];
  return [time, cell(event), ...what.map(cell)].filter((word) => word !== '').join('  ');
}
