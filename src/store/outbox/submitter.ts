import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { MemoryPool } from '../../base/memory-pool.ts';
import { parsePhoneNumber } from '../../base/phone-number.ts';
import { counted } from '../../base/printable.ts';
import { decodeDcs, fromHex, SmsError, segment, segmentData, toUserData } from '../../sms/index.ts';
import type { Journal } from '../journal/journal.ts';
import type { Content, MessageId, OutboxMessage } from '../message.ts';
import type { EncodedMessage } from '../sender.ts';
import type { Ceilings, Hold } from './ceilings.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { ClockSteps, Ledger } from './ledger.ts';
import type { OutboxOptions, OutboxPolicy, Replacement, SubmitRequest } from './options.ts';
import type { OutboxRecord, Submitted } from './records.ts';
import { holdersOf, type OutboxRow, refKeyOf } from './row.ts';
import { mayTake } from './shares.ts';
import { type OutboxTable, refIsFresh } from './table.ts';
import { outboxMessage } from './view.ts';

interface SubmitterOptions {
  readonly journal: Journal;
  readonly table: OutboxTable;
  readonly ledger: Ledger;
  readonly dispatcher: Dispatcher;
  readonly ceilings: Ceilings;
  readonly clock: Clock;
  readonly clockSteps: ClockSteps;
  readonly storing: MemoryPool;
  readonly policy: () => OutboxPolicy;
  readonly view: (row: OutboxRow) => Promise<OutboxMessage>;
  readonly stored: (row: OutboxRow, record: Submitted) => void;
  readonly accepted: OutboxOptions['onAccepted'];
}

/** Share of the journal's room for work that waiting messages may fill. */
const FOR_WAITING = 0.5;

/** Stores new messages, each request once. */
export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #storing = new Set<Promise<OutboxMessage>>();
  /** Messages that are being stored, by the keys under which a repeated request must find them. */
  readonly #byKey = new Map<string, Promise<OutboxMessage>>();
  #closed = false;

  constructor(options: SubmitterOptions) {
    this.#options = options;
  }

  /** Takes nothing more; resolves when nothing is being stored any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#storing);
  }

  async submit(request: SubmitRequest): Promise<OutboxMessage> {
    if (this.#closed) throw new GatewayError('stopping', 'the outbox is closing');
    const [byRef, byJoin] = [refKey(request), joinKey(request)];
    const earlier = this.#earlier(byRef, byJoin);
    if (earlier !== undefined) return { ...(await earlier), repeated: true };
    const storing = this.#storeInRoom(request);
    const keys = [byRef, byJoin].filter((key) => key !== undefined);
    for (const key of keys) this.#byKey.set(key, storing);
    this.#storing.add(storing);
    try {
      return await storing;
    } finally {
      this.#storing.delete(storing);
      for (const key of keys) this.#byKey.delete(key);
    }
  }

  /**
   * Takes room below the ceilings for a group send: for those of its messages that no earlier request has made. Throws
   * LimitReached. What is wrong with a message shows when it is submitted.
   */
  hold(requests: readonly SubmitRequest[]): Hold | undefined {
    const { ceilings, policy } = this.#options;
    const [first] = requests;
    if (first === undefined || requests.length === 1) return undefined;
    const news = requests.filter((request) => this.#earlier(refKey(request), joinKey(request)) === undefined);
    const parts = partsOf(first, policy());
    return news.length === 0 || parts === 0 ? undefined : ceilings.hold(first.source, parts * news.length);
  }

  /** Whether one message more of these holders of shares, from `holdersOf`, may wait. Throws queue_full. */
  checkRoom(holders: readonly string[], octets = 0): void {
    const { table, policy, journal } = this.#options;
    const { queueLimit } = policy();
    const { pending } = table;
    const own = holders.map((holder) => pending.byHolder(holder));
    const last = own.at(-1) ?? { messages: 0, octets: 0 };
    const waiting = pending.size + this.#storing.size;
    if (waiting >= queueLimit)
      throw new GatewayError('queue_full', `${counted(queueLimit, 'message waits', 'messages wait')} already`);
    const messages = own.map((load) => load.messages);
    if (!mayTake(queueLimit, waiting, messages, 1)) {
      throw new GatewayError(
        'queue_full',
        `${counted(last.messages, 'message')} of ${holders.at(-1)} ${last.messages === 1 ? 'waits' : 'wait'}: the rest is for others`,
      );
    }
    const room = journal.roomForWork * FOR_WAITING;
    const held = own.map((load) => load.octets);
    if (!mayTake(room, pending.octets, held, octets)) {
      throw new GatewayError(
        'queue_full',
        `messages of ${holders.at(-1)} take ${last.octets} octets, more do not fit now`,
      );
    }
  }

  /** The message that an earlier request of the same kind has made. */
  #earlier(byRef: string | undefined, byJoin: string | undefined): Promise<OutboxMessage> | undefined {
    const { table, clock, view } = this.#options;
    for (const key of [byRef, byJoin]) {
      const storing = key === undefined ? undefined : this.#byKey.get(key);
      if (storing !== undefined) return storing;
    }
    const first = byRef === undefined ? undefined : table.byRef(byRef);
    if (first !== undefined && refIsFresh(first, clock.now())) return view(first);
    const joined = byJoin === undefined ? undefined : table.byJoin(byJoin);
    return joined === undefined ? undefined : view(joined);
  }

  /** Its parts, its record and its line are there until it is stored: of many messages at once that is more than there is. */
  async #storeInRoom(request: SubmitRequest): Promise<OutboxMessage> {
    const { storing } = this.#options;
    const octets = costOfStoring(request.content);
    const lease = storing.take(octets) ?? (await storing.enter(octets));
    try {
      return await this.#store(request);
    } finally {
      lease.release();
    }
  }

  async #store(request: SubmitRequest): Promise<OutboxMessage> {
    const { journal, table, ledger, dispatcher, ceilings, clock, clockSteps, policy } = this.#options;
    const setting = clockSteps.check();
    if (setting !== undefined) await setting;
    this.checkRoom(holdersOf(request), octetsOf(request.content));
    const id = journal.nextId();
    const { record, message } = submission(request, id, policy(), clock.now());
    const takeBack = ceilings.take(record, request.hold);
    clockSteps.submitted(id);
    const { number } = record;
    const worker = dispatcher.claim(record);
    const records: OutboxRecord[] = [record];
    if (worker !== undefined) records.push(worker.attempt(id, 0));
    try {
      await ledger.write(records);
    } catch (error) {
      takeBack();
      dispatcher.stored(number, worker);
      throw error;
    }
    const row = table.pending.get(id);
    if (row === undefined) throw new GatewayError('internal', `message ${id} was stored and is not there`);
    this.#options.stored(row, record);
    dispatcher.stored(number, worker, row, message);
    const accepted = outboxMessage(record, row.snapshot(), worker !== undefined);
    this.#options.accepted?.(accepted, request.by);
    return accepted;
  }
}

/** What a message costs beside its text while it is stored: request, record, promises. Octets. */
const MESSAGE_COST = 4_096;
/** What each part costs: its octets, its header, the object around them. */
const PART_COST = 400;
/** Fewest characters of a part of a long message: UCS2 with a header. */
export const PART_CHARACTERS = 67;

/** Octets that storing one message takes: its parts, its record, and the line of the journal. */
function costOfStoring(content: Content): number {
  const octets = octetsOf(content);
  return MESSAGE_COST + octets * 6 + Math.ceil(octets / PART_CHARACTERS) * PART_COST;
}

/** About what the content takes in the journal. */
const octetsOf = (content: Content): number =>
  content.type === 'text' ? Buffer.byteLength(content.text) : content.data.length + (content.udh?.length ?? 0);

/** Longest validity that the network takes: 63 weeks, TS 23.040 9.2.3.12. */
const MAX_VALIDITY_S = 63 * 7 * 24 * 3600;

/** Longest reference or name that a submitter may give. */
const MAX_NAME = 255;

/** A request after its checks: its record, and its parts. */
interface Submission {
  readonly record: Submitted;
  readonly message: EncodedMessage;
}

/** Throws GatewayError invalid_number, invalid_text, text_too_long, invalid_argument. */
function submission(request: SubmitRequest, id: MessageId, policy: OutboxPolicy, now: number): Submission {
  check(request);
  const { number, content, source, share, modem, priority = 1, notBefore, report, clientRef, batch, tag } = request;
  const transliterate = request.transliterate ?? policy.transliterate;
  const message = encodeContent(content, id, { transliterate, nationalTables: policy.nationalTables });
  const validity = request.validity ?? policy.validitySeconds;
  const record: Submitted = {
    kind: 'submitted',
    id,
    number,
    content,
    encoding: message.encoding,
    parts: message.parts.length,
    time: now,
    expires: expiry(validity, Math.max(now, notBefore ?? 0)),
    priority,
    source,
    ...(share !== undefined && { share }),
    ...(report !== undefined && { report }),
    ...(modem !== undefined && { modem }),
    ...(notBefore !== undefined && { notBefore }),
    ...(batch !== undefined && { batch }),
    ...(clientRef !== undefined && { clientRef }),
    ...(tag !== undefined && { tag }),
    ...(request.joinKey !== undefined && { joinDigest: joinDigest(request.source, request.joinKey) }),
    transliterate,
    nationalTables: policy.nationalTables,
  };
  return { record, message };
}

/** How many parts the message takes; 0 when it cannot be encoded. */
function partsOf({ content, transliterate }: SubmitRequest, policy: OutboxPolicy): number {
  const options = { transliterate: transliterate ?? policy.transliterate, nationalTables: policy.nationalTables };
  try {
    return encodeContent(content, 0 as MessageId, options).parts.length;
  } catch (error) {
    if (error instanceof GatewayError) return 0;
    throw error;
  }
}

/** The submit record of a waiting message with new content. Throws as `submission`. */
export function replacement(
  old: Submitted,
  content: Content,
  { validity, notBefore, report, tag }: Replacement,
  now: number,
): Submitted {
  const message = encodeContent(content, old.id, old);
  const { report: reported, notBefore: scheduled, ...rest } = old;
  const from = notBefore ?? scheduled;
  const worth = old.expires - Math.max(old.time, scheduled ?? 0);
  const expires = Math.max(old.time, from ?? 0) + worth;
  const asks = report ?? reported;
  return {
    ...rest,
    content,
    encoding: message.encoding,
    parts: message.parts.length,
    expires: validity === undefined ? expires : expiry(validity, Math.max(now, from ?? 0)),
    ...(from !== undefined && { notBefore: from }),
    ...(asks !== undefined && { report: asks }),
    ...(tag !== undefined && { tag }),
  };
}

export const expiry = (seconds: number, from: number): number =>
  Math.round(from + Math.min(Math.max(1, seconds), MAX_VALIDITY_S) * 1000);

/** Keys under which a repeated request finds the first message. */
const refKey = ({ source, clientRef }: SubmitRequest): string | undefined =>
  clientRef === undefined ? undefined : refKeyOf(source, clientRef);

const joinKey = ({ source, joinKey }: SubmitRequest): string | undefined =>
  joinKey === undefined ? undefined : joinDigest(source, joinKey);

/** A join key may hold a whole request; the journal holds 22 characters of it. */
function joinDigest(source: string, key: string): string {
  return createHash('sha256').update(`${source}\n${key}`).digest('base64url').slice(0, 22);
}

function check({ number, source, share, modem, priority, validity, notBefore, clientRef, tag }: SubmitRequest): void {
  if (parsePhoneNumber(number) !== number) throw new GatewayError('invalid_number', 'wanted a phone number');
  for (const [name, text] of Object.entries({ source, share, modem, clientRef, tag })) {
    if (text !== undefined && text.length > MAX_NAME)
      refuse(name, `at most ${MAX_NAME} characters, got ${text.length}`);
  }
  if (priority !== undefined && ![0, 1, 2, 3].includes(priority)) refuse('priority', '0 to 3');
  if (validity !== undefined && !(validity > 0)) refuse('validity', 'seconds above 0');
  if (notBefore !== undefined && !Number.isSafeInteger(notBefore)) refuse('notBefore', 'a time');
}

function refuse(name: string, wanted: string): never {
  throw new GatewayError('invalid_argument', `${name}: wanted ${wanted}`);
}

/** More hexadecimal digits than this cannot fit in 255 parts, at one septet an octet. */
const MAX_HEX = 255 * 160 * 2;

interface EncodeOptions {
  readonly transliterate: boolean;
  readonly nationalTables: readonly number[];
}

/** Throws GatewayError invalid_text, text_too_long. */
function encodeContent(content: Content, id: MessageId, options: EncodeOptions): EncodedMessage {
  try {
    return content.type === 'text' ? encodeText(content, id, options) : encodeData(content, id);
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    throw new GatewayError(error.code === 'too_long' ? 'text_too_long' : 'invalid_text', error.message);
  }
}

/** The same parts as at the submit. */
export const encodeSubmitted = (record: Submitted): EncodedMessage => encodeContent(record.content, record.id, record);

// The message number serves as concatenation reference: no two messages close in time to one recipient share it.
function encodeText({ text, flash }: Extract<Content, { type: 'text' }>, id: MessageId, options: EncodeOptions) {
  if (text === '') throw new SmsError('invalid', 'the text is empty');
  return { ...segment(text, { ...options, reference: id, flash: flash === true }), pid: 0 };
}

function encodeData({ dcs, pid = 0, udh, data }: Extract<Content, { type: 'data' }>, id: MessageId): EncodedMessage {
  if (data.length > MAX_HEX) throw new SmsError('too_long', 'the message needs more than 255 parts');
  const header = fromHex(udh ?? '');
  const { elements } = toUserData(header, header);
  if (header.length > 0 && elements.length === 0) throw new SmsError('invalid', 'the user data header is malformed');
  const parts = segmentData(dcs, fromHex(data), { elements, reference: id });
  if (header.length > 0 && parts.length > 1) throw new SmsError('too_long', 'data with a header must fit in one part');
  const { alphabet } = decodeDcs(dcs);
  return { encoding: alphabet, dcs, pid, parts };
}
