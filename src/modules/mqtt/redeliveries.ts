import { createHash, randomBytes } from 'node:crypto';
import { LruMap } from '../../base/lru-map.ts';
import type { MessageId } from '../../store/message.ts';
import type { ModuleContext } from '../host/contract.ts';
import type { Incoming } from './broker.ts';

/** A broker repeats what was not acknowledged when a connection ended; no more than this is under way at a time. */
const MAX_REQUESTS = 200;
const SESSION = 'session';
/** As long as a reference counts, ms. */
const DAY_MS = 86_400_000;
const PAGE = 1_000;

type Surroundings = Pick<ModuleContext<unknown>, 'outbox' | 'clock' | 'name' | 'notebook' | 'signal'>;

interface Handled {
  readonly digest: string;
  readonly reference: string;
  /** The last delivery; absent when that was before a restart. */
  readonly by?: Incoming;
}

/**
 * Gives a request without a `client_ref` a reference, the same one when the broker delivers it again. That is a request
 * of the same session with the same packet identifier, topic and payload, with the DUP flag (MQTT 5.0 3.3.1.1), of which the
 * broker has not shown that it got the acknowledgement. Without the flag it is another request: brokers use identifiers
 * again soon. The reference goes into the outbox with the message, and is found there after a restart:
 * `mqtt:SESSION:PACKET:DIGEST:NUMBER`.
 */
export class Redeliveries {
  readonly #context: Surroundings;
  readonly #handled = new LruMap<number, Handled>(MAX_REQUESTS);
  #session: string | undefined;
  #count = 0;

  constructor(context: Surroundings) {
    this.#context = context;
  }

  /** A connection begins; `resumed` when the broker knows the session. Throws GatewayError store_*. */
  async begin(resumed: boolean): Promise<void> {
    const { name, notebook } = this.#context;
    const known = this.#session ?? notebook(name).get(SESSION);
    if (resumed && known !== undefined) {
      if (this.#session === undefined) await this.#load(known);
      this.#session = known;
    } else {
      // Nothing of an earlier session is delivered again.
      const session = randomBytes(4).toString('hex');
      await notebook(name).write({ [SESSION]: session });
      this.#handled.clear();
      this.#session = session;
    }
  }

  /** With QoS 0 a new one each time: the broker repeats nothing, but the gateway does, where only some messages found room. */
  referenceOf(incoming: Incoming): string {
    const { packetId, topic, payload, dup } = incoming;
    const digest = createHash('sha256').update(`${topic}\n`).update(payload).digest('base64url').slice(0, 16);
    if (packetId === undefined) return `mqtt:${this.#session}:0:${digest}:${this.#number()}`;
    const before = this.#handled.get(packetId);
    const isAgain = dup && before?.digest === digest;
    const reference = isAgain ? before.reference : `mqtt:${this.#session}:${packetId}:${digest}:${this.#number()}`;
    this.#handled.set(packetId, { digest, reference, by: incoming });
    return reference;
  }

  /** The broker has the acknowledgement: the next request with that identifier is another one. */
  confirmed(incoming: Incoming): void {
    const { packetId } = incoming;
    if (packetId !== undefined && this.#handled.get(packetId)?.by === incoming) this.#handled.delete(packetId);
  }

  #number(): string {
    this.#count += 1;
    return `${this.#context.clock.now().toString(36)}.${this.#count}`;
  }

  /** Finds the references of the session in the outbox. */
  async #load(session: string): Promise<void> {
    const { outbox, clock, name, signal } = this.#context;
    const found: [number, Handled][] = [];
    let after: MessageId | undefined;
    do {
      const since = clock.now() - DAY_MS;
      const page = await outbox.list({ since, limit: PAGE, ...(after !== undefined && { after }) });
      signal.throwIfAborted();
      for (const { source, clientRef } of page.messages) {
        const parts = source === name ? partsOf(clientRef ?? '') : undefined;
        if (parts?.session !== session) continue;
        found.push([parts.packetId, parts]);
      }
      after = page.more ? page.messages.at(-1)?.id : undefined;
    } while (after !== undefined);
    // The last one with an identifier is the one that may come again.
    for (const [packetId, { digest, reference }] of found.slice(-MAX_REQUESTS)) {
      this.#handled.set(packetId, { digest, reference });
    }
  }
}

const FORM = /^(mqtt:([0-9a-f]+):(\d+):([\w-]+):[0-9a-z.]+)(?:\/.*)?$/;

function partsOf(clientRef: string) {
  const [, reference, session, packetId, digest] = FORM.exec(clientRef) ?? [];
  if (reference === undefined || session === undefined || digest === undefined) return undefined;
  return { reference, session, packetId: Number(packetId), digest };
}

/** Whether the reference is one of this file, which means nothing to others. */
export const isDerived = (clientRef: string): boolean => FORM.test(clientRef);
