import { describeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Notebook } from '../../store/notes.ts';
import type { Broker, Qos } from './broker.ts';
import { keepsNothing } from './failure.ts';

/** In front of the topic, as the key of its note. */
const KEY = 'retained ';

interface RetainedOptions {
  readonly notebook: Notebook;
  readonly log: Logger;
  readonly qos: Qos;
  /** Whether the states of this gateway are to be retained. */
  readonly retain: boolean;
}

/**
 * The states that the broker keeps for those who come later. Which topics have one is written down before it is
 * published, as the broker keeps it for ever: when the config wants it no more, perhaps after a restart, it is taken back
 * with an empty payload (MQTT 5.0 3.3.1.3).
 */
export class Retained {
  readonly #options: RetainedOptions;
  /** Topics that get a state, or have got one, and were not taken back. */
  readonly #used = new Set<string>();

  constructor(options: RetainedOptions) {
    this.#options = options;
  }

  /** Publishes a state. Throws as `Broker.publish`. */
  async publish(broker: Broker, topic: string, payload: string): Promise<void> {
    const { qos, retain } = this.#options;
    await this.expect(topic);
    await broker.publish({ topic, payload, qos, retain });
  }

  /** To be called before a connection whose last will has this topic. Never rejects. */
  async expect(topic: string): Promise<void> {
    const { notebook, log, retain } = this.#options;
    if (!retain) return;
    this.#used.add(topic);
    if (notebook.get(KEY + topic) !== undefined) return;
    await notebook.write({ [KEY + topic]: '' }).catch((error: unknown) => {
      log.debug(`${topic} will not be taken back: ${describeError(error)}`);
    });
  }

  /** Takes back the state of a topic. Never rejects: what is lost is taken back at the next connection. */
  async takeBack(broker: Broker, topic: string): Promise<void> {
    const { notebook, log, qos } = this.#options;
    this.#used.delete(topic);
    if (notebook.get(KEY + topic) === undefined) return;
    try {
      await broker.publish({ topic, payload: '', qos, retain: true });
    } catch (error) {
      log.debug(`${topic} is not taken back: ${describeError(error)}`);
      // Such a broker has nothing to forget, and ends each connection over which it is asked to.
      if (!keepsNothing(error)) return;
    }
    if (this.#used.has(topic)) return;
    await notebook.erase([KEY + topic]).catch(() => undefined);
    // It may have got a state meanwhile.
    if (this.#used.has(topic)) await this.expect(topic);
  }

  /** A connection begins: takes back what is kept from before under any topic but these, ahead of what is published next. */
  keepOnly(broker: Broker, topics: readonly string[]): void {
    const { notebook, retain } = this.#options;
    const wanted = new Set(retain ? topics : []);
    const kept = notebook.entries().flatMap(([key]) => (key.startsWith(KEY) ? [key.slice(KEY.length)] : []));
    // Nothing waits for the acknowledgements: the gateway can do its work without them.
    for (const topic of kept) if (!wanted.has(topic)) void this.takeBack(broker, topic);
  }
}
