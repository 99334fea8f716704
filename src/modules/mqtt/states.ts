import { describeError } from '../../base/errors.ts';
import type { MqttConfig } from '../../config/config.ts';
import type { ModemFacts, ModuleContext } from '../host/contract.ts';
import type { Broker } from './broker.ts';
import { modemPayload, queuePayload } from './payloads.ts';
import type { Retained } from './retained.ts';

/** Between two publications of a state, ms: when the state itself is another, and when only signal or network are. */
const PAUSE = { state: 1_000, facts: 30_000 };

export interface StateTopics {
  readonly modem: string | undefined;
  readonly queue: string | undefined;
}

interface Line {
  /** The state as it is now. */
  readonly payload: () => string;
  published?: string;
  /** By the monotonic clock. */
  at: number;
  due: number;
  cancel?: () => void;
}

/** Publishes the states of modems and queue when they change, but not more often than somebody can look. */
export class States {
  readonly #context: ModuleContext<MqttConfig>;
  readonly #topics: StateTopics;
  readonly #retained: Retained;
  /** By topic. */
  readonly #lines = new Map<string, Line>();
  #broker: Broker | undefined;

  constructor(context: ModuleContext<MqttConfig>, topics: StateTopics, retained: Retained) {
    this.#context = context;
    this.#topics = topics;
    this.#retained = retained;
  }

  start(): void {
    const { bus, outbox } = this.#context;
    const { queue } = this.#topics;
    bus.on('modem.state', this, (facts) => this.#modem(facts, PAUSE.state));
    bus.on('modem.facts', this, (facts) => this.#modem(facts, PAUSE.facts));
    bus.on('config.changed', this, () => this.#modems());
    if (queue === undefined) return;
    this.#add(queue, () => JSON.stringify(queuePayload(outbox.counts())));
    bus.on('outbox.changed', this, () => this.#offer(queue, PAUSE.state));
  }

  stop(): void {
    this.#context.bus.off(this);
    this.detach();
  }

  /** Of everything that has a state now. */
  get topics(): readonly string[] {
    const { modem, queue } = this.#topics;
    return [...(queue === undefined ? [] : [queue]), ...(modem === undefined ? [] : this.#modemTopics(modem))];
  }

  /** A connection begins: everything is published once. */
  attach(broker: Broker): void {
    this.#broker = broker;
    this.#modems();
    for (const topic of this.#lines.keys()) this.#publish(topic);
  }

  detach(): void {
    this.#broker = undefined;
    for (const line of this.#lines.values()) {
      line.cancel?.();
      delete line.cancel;
      delete line.published;
      line.due = Number.POSITIVE_INFINITY;
    }
  }

  #modemTopics(base: string): readonly string[] {
    return this.#context.modems.list().map((modem) => modemTopic(base, modem.status().name));
  }

  /** Takes up modems that are new, and forgets those that the config has no more. */
  #modems(): void {
    const { modem: base } = this.#topics;
    if (base === undefined) return;
    const present = new Set<string>();
    for (const modem of this.#context.modems.list()) {
      const topic = modemTopic(base, modem.status().name);
      present.add(topic);
      this.#add(topic, () => JSON.stringify(modemPayload(modem.status())));
      this.#offer(topic, PAUSE.state);
    }
    for (const topic of [...this.#lines.keys()]) {
      if (topic.startsWith(`${base}/`) && !present.has(topic)) this.#forget(topic);
    }
  }

  #modem({ name }: ModemFacts, pause: number): void {
    const { modem: base } = this.#topics;
    if (base === undefined) return;
    const topic = modemTopic(base, name);
    const session = this.#context.modems.find(name);
    if (session === undefined) return;
    // A session that was replaced is another object.
    this.#add(topic, () => JSON.stringify(modemPayload(session.status())));
    this.#offer(topic, pause);
  }

  #add(topic: string, payload: () => string): void {
    const known = this.#lines.get(topic);
    const before = known ?? { at: Number.NEGATIVE_INFINITY, due: Number.POSITIVE_INFINITY };
    this.#lines.set(topic, Object.assign(before, { payload }));
  }

  #forget(topic: string): void {
    this.#lines.get(topic)?.cancel?.();
    this.#lines.delete(topic);
    // While there is no connection the next one does it.
    if (this.#broker !== undefined) void this.#retained.takeBack(this.#broker, topic);
  }

  /** Has the state published, if it is another one, as soon as the pause since the last time is over. */
  #offer(topic: string, pause: number): void {
    const { clock } = this.#context;
    const line = this.#lines.get(topic);
    if (line === undefined || this.#broker === undefined) return;
    const due = Math.max(clock.monotonic(), line.at + pause);
    if (due >= line.due) return;
    line.cancel?.();
    line.due = due;
    line.cancel = clock.after(due - clock.monotonic(), () => this.#publish(topic));
  }

  #publish(topic: string): void {
    const line = this.#lines.get(topic);
    const broker = this.#broker;
    if (line === undefined || broker === undefined) return;
    line.cancel?.();
    delete line.cancel;
    line.due = Number.POSITIVE_INFINITY;
    const payload = line.payload();
    if (payload === line.published) return;
    line.published = payload;
    line.at = this.#context.clock.monotonic();
    void this.#send(broker, topic, payload);
  }

  /** Never rejects: what is lost is published when the next connection begins. */
  async #send(broker: Broker, topic: string, payload: string): Promise<void> {
    try {
      await this.#retained.publish(broker, topic, payload);
    } catch (error) {
      this.#context.log.debug(`${topic} is not published: ${describeError(error)}`);
    }
  }
}

/** UCI names of sections need no escaping. */
export const modemTopic = (base: string, name: string): string => `${base}/${name}`;
