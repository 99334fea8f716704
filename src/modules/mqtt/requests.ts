import { BackOff } from '../../base/back-off.ts';
import { sleep } from '../../base/clock.ts';
import { type ErrorCode, GatewayError, toGatewayError } from '../../base/errors.ts';
import { FaultLog, RefusalLog } from '../../base/fault-log.ts';
import { defined, type JsonObject } from '../../base/json.ts';
import type { MqttConfig } from '../../config/config.ts';
import { type Outcome, outcomeFields, submitToAll } from '../../store/group-send.ts';
import type { SubmitRequest } from '../../store/outbox/outbox.ts';
import type { ModuleContext } from '../host/contract.ts';
import type { Broker, Incoming } from './broker.ts';
import { Redeliveries } from './redeliveries.ts';
import { readRequest, referenceIn } from './request.ts';

/** Not the fault of the request: it stays with the broker until it can be stored. */
const passing: ReadonlySet<ErrorCode> = new Set(['queue_full', 'store_full', 'store_unavailable', 'stopping']);
/** Pauses between tries to store a request, ms. */
const RETRIES = { first: 1_000, longest: 30_000 };
const WORK = 'requests';
/** Characters of a response topic. */
const MAX_TOPIC = 1_000;

export interface RequestTopics {
  readonly send: string;
  readonly answer: string | undefined;
  /** Everything that the gateway publishes itself. */
  readonly published: ReadonlySet<string>;
}

/** Takes send requests, stores them one after the other, acknowledges and answers them. */
export class Requests {
  readonly counters = { requests: 0, refused: 0, repeated: 0 };
  readonly #context: ModuleContext<MqttConfig>;
  readonly #topics: RequestTopics;
  readonly #redeliveries: Redeliveries;
  readonly #faults: FaultLog;
  readonly #refusals: RefusalLog;

  constructor(context: ModuleContext<MqttConfig>, topics: RequestTopics) {
    this.#context = context;
    this.#topics = topics;
    this.#redeliveries = new Redeliveries(context);
    this.#faults = new FaultLog(context.log);
    this.#refusals = new RefusalLog(context.log, context.clock);
  }

  /** The last line about what was refused. */
  stop(): void {
    this.#refusals.stop();
  }

  /** What is to be subscribed. */
  get filters(): readonly string[] {
    return [this.#topics.send, `${this.#topics.send}/+`];
  }

  /** Works until the connection ends, and then rejects with the reason. */
  async run(broker: Broker): Promise<never> {
    await this.#insist(broker, () => this.#redeliveries.begin(broker.resumed));
    for (;;) {
      const incoming = await broker.next();
      const answer = this.#isRequest(incoming.topic) ? await this.#serve(incoming, broker) : undefined;
      if (incoming.packetId !== undefined) broker.acknowledge(incoming.packetId);
      // In their order, but the next request does not wait for it.
      if (answer !== undefined) void this.#answer(answer, incoming, broker);
    }
  }

  #isRequest(topic: string): boolean {
    const { send, published } = this.#topics;
    if (published.has(topic)) return false;
    if (topic === send || topic.startsWith(`${send}/`)) return true;
    this.#refusals.refused(
      'topic',
      `what comes on ${JSON.stringify(topic.slice(0, 100))} is no request and is dropped`,
    );
    return false;
  }

  /** The answer. Resolves when the request is stored or refused for good; throws when the connection has ended. */
  async #serve(incoming: Incoming, broker: Broker): Promise<JsonObject> {
    try {
      return await this.#submit(incoming, broker);
    } catch (error) {
      if (broker.ended.aborted) throw error;
      const { code, message } = toGatewayError(error);
      this.counters.refused += 1;
      const where = JSON.stringify(incoming.topic.slice(0, 100));
      this.#refusals.refused('request', `a request on ${where} is refused: ${message}`);
      return defined({ error: message, code, client_ref: referenceIn(incoming.payload) });
    }
  }

  async #submit(incoming: Incoming, broker: Broker): Promise<JsonObject> {
    const { shared, modems, outbox, name } = this.#context;
    if (incoming.retain) {
      throw new GatewayError('invalid_request', 'it is retained, and would be sent again at each connection');
    }
    const below = incoming.topic.slice(this.#topics.send.length + 1);
    const { numbers, clientRef, message } = readRequest(incoming.payload, below === '' ? undefined : below, {
      groups: shared.groups,
      hasModem: (modem) => modems.find(modem) !== undefined,
    });
    const reference = clientRef ?? this.#redeliveries.referenceOf(incoming);
    // Each of several has a reference of its own, so that a repeated request finds every first message.
    const requestFor = (number: SubmitRequest['number']): SubmitRequest => ({
      ...{ ...message, number, source: name, by: 'mqtt' },
      clientRef: numbers.length > 1 ? `${reference}/${number}` : reference,
    });
    const outcomes = await this.#insist(broker, async () => {
      const outcomes = await submitToAll(outbox, numbers, requestFor, {
        characters: incoming.payload.length,
        signal: broker.ended,
      });
      for (const outcome of outcomes) if ('error' in outcome && passing.has(outcome.error.code)) throw outcome.error;
      return outcomes;
    });
    const result = answerOf(outcomes, clientRef);
    if (result['duplicate'] === true) this.counters.repeated += 1;
    else this.counters.requests += 1;
    return result;
  }

  /** Does it until nothing stands in its way. Throws what is its own fault, and the reason of the broker's end. */
  async #insist<T>(broker: Broker, work: () => Promise<T>): Promise<T> {
    const { clock, health } = this.#context;
    const backOff = new BackOff(RETRIES);
    for (;;) {
      broker.ended.throwIfAborted();
      try {
        const result = await work();
        health.succeeded(WORK);
        this.#faults.over(WORK, 'requests are taken again');
        return result;
      } catch (error) {
        if (!(error instanceof GatewayError) || !passing.has(error.code)) throw error;
        const text = `requests wait at the broker: ${error.message}`;
        health.failed(WORK, text);
        this.#faults.fault(WORK, text);
      }
      await sleep(clock, backOff.next(), broker.ended);
    }
  }

  /** Its acknowledgement shows that the broker has that of the request as well. Never rejects. */
  async #answer(answer: JsonObject, incoming: Incoming, broker: Broker): Promise<void> {
    const topic = this.#answerTopic(incoming);
    if (topic === undefined) return;
    const qos = this.#context.config.qos as 0 | 1 | 2;
    const { correlation } = incoming;
    try {
      await broker.publish({ topic, payload: JSON.stringify(answer), qos, ...(correlation && { correlation }) });
      if (qos > 0) this.#redeliveries.confirmed(incoming);
    } catch (error) {
      this.#context.log.debug(`the answer to a request is lost: ${toGatewayError(error).message}`);
    }
  }

  /** Where the requester wants it; never where it would be a request, or be taken for what the gateway itself reports. */
  #answerTopic({ responseTopic }: Incoming): string | undefined {
    const { answer, send, published } = this.#topics;
    if (responseTopic === undefined) return answer;
    const isTopic = responseTopic !== '' && responseTopic.length <= MAX_TOPIC && !/[+#\0]|^\$/.test(responseTopic);
    const comesBack = responseTopic === send || (responseTopic.startsWith(`${send}/`) && responseTopic !== answer);
    const isReport = [...published].some((topic) => responseTopic === topic || responseTopic.startsWith(`${topic}/`));
    return isTopic && !comesBack && !isReport ? responseTopic : answer;
  }
}

function answerOf(submitted: readonly Outcome[], clientRef: string | undefined): JsonObject {
  const outcomes = submitted.map(asQueued);
  const accepted = outcomes.flatMap((outcome) => ('message' in outcome ? [outcome.message] : []));
  const [first] = accepted;
  if (first === undefined) {
    for (const outcome of outcomes) if ('error' in outcome) throw outcome.error;
    throw new GatewayError('internal', 'nothing was sent');
  }
  const { id, parts, encoding } = first;
  return defined({
    ...{ id, state: first.state, parts, encoding },
    duplicate: accepted.every(({ repeated }) => repeated === true) || undefined,
    client_ref: clientRef,
    recipients: outcomes.length > 1 ? outcomes.map(outcomeFields) : undefined,
  });
}

/** A free modem may have it in hand already; to the requester that makes no difference. */
function asQueued(outcome: Outcome): Outcome {
  if ('error' in outcome || outcome.message.state !== 'sending') return outcome;
  return { ...outcome, message: { ...outcome.message, state: 'queued' } };
}
