import { hash } from 'node:crypto';
import {
  type Concatenation,
  concatenationOf,
  type Deliver,
  decodeDcs,
  decodePdu,
  indicationText,
  isSilent,
  isSimDownload,
  joinData,
  joinParts,
  mmsText,
  octetText,
  PART_MISSING,
  portsOf,
  readDeliverHead,
  readMmsNotification,
  replaceType,
  SmsError,
  toHex,
  type UserData,
  udhOf,
  WAP_PUSH_PORT,
  waitingIndications,
} from '../../sms/index.ts';
import { type Encoding, type InboxMessage, UNDECODABLE } from '../message.ts';
import type { PartRecord } from './records.ts';
import type { MessageRow } from './rows.ts';

/** Stands as the sender of what could not be decoded. */
const UNKNOWN_SENDER = 'unknown';

/** One TPDU that a modem has stored. */
export interface IncomingPart {
  /** Name of the modem. */
  readonly modem: string;
  /** With the service centre's address in front, as `+CMGR` gives it. */
  readonly pdu: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly received: number;
  /** The PDU as the modem has decoded it; read from `pdu` when absent. */
  readonly deliver?: Deliver;
}

/** A PDU as the inbox sees it. */
export interface Incoming {
  /** Undefined when the PDU is no message to a person; it is kept, and shown as octets. */
  readonly deliver: Deliver | undefined;
  readonly sender: string;
  /** TP-SCTS, ms since the epoch. */
  readonly time: number | undefined;
  /** Only for a message of several parts. */
  readonly concatenation: Concatenation | undefined;
  /** Replace short message type, 0 for none. */
  readonly replaces: number;
}

/** Never throws: a PDU that cannot be decoded must not block the modem's storage. Of a damaged one all that is there counts. */
export function readIncoming(pdu: Uint8Array, decoded?: Deliver): Incoming {
  const deliver = decoded ?? decodeDeliver(pdu);
  if (deliver === undefined) {
    return { deliver, sender: UNKNOWN_SENDER, time: undefined, concatenation: undefined, replaces: 0 };
  }
  const concatenation = concatenationOf(deliver.userData);
  return {
    deliver,
    sender: senderOf(deliver.from),
    time: deliver.time?.ms,
    concatenation: concatenation !== undefined && concatenation.total > 1 ? concatenation : undefined,
    replaces: replaceType(deliver.pid) ?? 0,
  };
}

/** The same of a message of one part, with less work where only these are needed. */
export function readHead(pdu: Uint8Array): Pick<Incoming, 'sender' | 'time' | 'replaces'> {
  const head = readDeliverHead(pdu);
  if (head === undefined) return readIncoming(pdu);
  return { sender: senderOf(head.from), time: head.time, replaces: replaceType(head.pid) ?? 0 };
}

const senderOf = ({ value }: Deliver['from']) => (value === '' ? UNKNOWN_SENDER : value);

/**
 * Whether nobody is to see it: short message type 0 (TS 23.040 9.2.3.9), and a message-waiting indication to be
 * discarded (TS 23.038 4, group 1100) that carries no text and says that nothing waits.
 */
export function isForNobody({ deliver }: Incoming): boolean {
  if (deliver === undefined) return false;
  if (isSilent(deliver.pid)) return true;
  if (decodeDcs(deliver.dcs).waiting?.store !== false || deliver.userData.data.length > 0) return false;
  return waitingIndications(deliver.userData.elements, deliver.dcs, deliver.pid).every(({ active }) => !active);
}

function decodeDeliver(pdu: Uint8Array): Deliver | undefined {
  try {
    const { tpdu } = decodePdu(pdu, 'to-mobile', 'lenient');
    return tpdu.type === 'deliver' ? tpdu : undefined;
  } catch (error) {
    if (error instanceof SmsError) return undefined;
    throw error;
  }
}

/** A part as it was read on its way in. */
export interface Arrival {
  readonly incoming: Incoming;
  readonly print: string;
}

/** TP-MMS, TS 23.040 9.2.3.2: the network may clear it when it repeats a message. */
const MORE_MESSAGES = 0x04;
/** Of the hash, so 72 bits. */
const CHARACTERS = 12;

/**
 * Equal for one part that is read twice. Of the PDU all but the service centre's address counts, so sender, time stamp,
 * reference and sequence do; and the modem, for two SIMs may get the same text in the same second.
 */
export function fingerprint(modem: string, pdu: Uint8Array): string {
  const rest = pdu.subarray(1 + (pdu[0] ?? 0));
  // With nothing behind the address it is no PDU, and only the whole of it differs from others.
  const tpdu = rest.length > 0 ? rest : pdu;
  const octets = Buffer.allocUnsafe(3 * (modem.length + 1) + tpdu.length);
  const begin = octets.write(`${modem}\n`);
  octets.set(tpdu, begin);
  octets[begin] = (octets[begin] ?? 0) & ~MORE_MESSAGES;
  return hash('sha256', octets.subarray(0, begin + tpdu.length), 'base64url').slice(0, CHARACTERS);
}

/**
 * The parts seen last, so that a part which the modem did not delete is recognised, though its message was read
 * and deleted by a person meanwhile. Bounded by number, not by time: routers boot with any clock.
 */
export class Fingerprints {
  readonly #limit: number;
  /**
   * At most `limit` each. A full generation becomes the older one: to look for the single oldest of a large set costs
   * more than all else of a start with many messages.
   */
  #older = new Set<string>();
  #newer = new Set<string>();
  /** Parts of which no fingerprint was asked for yet: of those that a start finds only the last `limit` need theirs. */
  #later: PartRing | undefined;

  /** At least so many are remembered, at most twice as many. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  has(print: string): boolean {
    this.#takeLater();
    return this.#newer.has(print) || this.#older.has(print);
  }

  /** Seen now: becomes the newest. */
  add(print: string): void {
    this.#takeLater();
    this.#insert(print);
  }

  /** As `add`, with the fingerprint of a part that is made when it is needed. */
  addPart(part: Pick<PartRecord, 'modem' | 'pdu'>): void {
    this.#later ??= new PartRing(this.#limit);
    this.#later.add(part);
  }

  /** Makes the fingerprints that wait. */
  settle(): void {
    this.#takeLater();
  }

  /** How many the next gives. */
  get size(): number {
    this.#takeLater();
    return Math.min(this.#limit, this.#older.size + this.#newer.size);
  }

  /** The last `limit`, oldest first. */
  [Symbol.iterator](): Iterator<string> {
    this.#takeLater();
    return [...this.#older, ...this.#newer].slice(-this.#limit).values();
  }

  #insert(print: string): void {
    this.#older.delete(print);
    this.#newer.delete(print);
    this.#newer.add(print);
    if (this.#newer.size < this.#limit) return;
    this.#older = this.#newer;
    this.#newer = new Set();
  }

  #takeLater(): void {
    const parts = this.#later;
    if (parts === undefined) return;
    this.#later = undefined;
    for (const { modem, pdu } of parts) this.#insert(fingerprint(modem, pdu));
  }
}

/** The last parts of very many, in one piece of memory: each as an object would live long enough to be moved by the collector. */
class PartRing {
  readonly #limit: number;
  readonly #octets: Buffer;
  readonly #lengths: Uint16Array;
  readonly #modems: string[] = [];
  /** PDUs that are longer than any message, which the octets have no room for. */
  readonly #long = new Map<number, Uint8Array>();
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#octets = Buffer.alloc(limit * LONGEST);
    this.#lengths = new Uint16Array(limit);
  }

  add({ modem, pdu }: Pick<PartRecord, 'modem' | 'pdu'>): void {
    const at = this.#count % this.#limit;
    this.#count += 1;
    this.#modems[at] = modem;
    this.#lengths[at] = Math.min(pdu.length, LONGEST);
    this.#octets.set(pdu.subarray(0, LONGEST), at * LONGEST);
    if (pdu.length > LONGEST) this.#long.set(at, pdu);
    else if (this.#long.size > 0) this.#long.delete(at);
  }

  *[Symbol.iterator](): Iterator<Pick<PartRecord, 'modem' | 'pdu'>> {
    for (let number = Math.max(0, this.#count - this.#limit); number < this.#count; number++) {
      const at = number % this.#limit;
      const pdu = this.#octets.subarray(at * LONGEST, at * LONGEST + (this.#lengths[at] ?? 0));
      yield { modem: this.#modems[at] ?? '', pdu: this.#long.get(at) ?? pdu };
    }
  }
}

/** Octets of a PDU of the longest message, and some. */
const LONGEST = 192;

/** Elements that only say how parts belong together (TS 23.040 9.2.3.24.1 and .8): of no meaning once they are joined. */
const CONCATENATION_IDS: ReadonlySet<number> = new Set([0x00, 0x08]);

/** A part of a message, perhaps decoded already. */
export type KnownPart = Pick<PartRecord, 'pdu' | 'place'> & { readonly deliver?: Deliver | undefined };

type ShownRow = Omit<MessageRow, 'replaces' | 'dispatched' | 'passing' | 'refs'>;

/** The message of `row`, from its parts as the journal has them. */
export function composeMessage(row: ShownRow, records: readonly KnownPart[]): InboxMessage {
  const parts = Array.from({ length: row.total }, (_, at) => {
    const record = records.find(({ place }) => (place?.sequence ?? 1) === at + 1);
    return record && readIncoming(record.pdu, record.deliver).deliver;
  });
  const first = parts.find((part) => part !== undefined);
  return {
    box: 'inbox',
    id: row.id,
    index: row.index,
    modem: row.modem,
    number: row.number,
    ...(first?.from.type === 'alphanumeric' && { alphanumeric: true as const }),
    time: row.time,
    received: row.received,
    state: row.read ? 'read' : 'unread',
    parts: row.total,
    missing: row.missing,
    ...(first === undefined || isEmptied(first) ? undecodable(records) : content(first, parts)),
  };
}

type Content = Pick<InboxMessage, 'text' | 'data' | 'udh' | 'encoding' | 'messageClass' | 'notice'>;

/** Nothing but the sender is left of it: the octets may say more. */
const isEmptied = ({ time, userData }: Deliver) => time === undefined && userData.data.length === 0;

function undecodable(records: readonly KnownPart[]): Content {
  return { text: UNDECODABLE, data: records.map(({ pdu }) => toHex(pdu)).join(''), encoding: '8bit' };
}

function content(first: Deliver, parts: readonly (Deliver | undefined)[]): Content {
  const { alphabet, compressed, messageClass } = decodeDcs(first.dcs);
  // Compressed text is no text to us, and what is meant for the SIM must not be shown as such.
  const binary = alphabet === '8bit' || compressed || isSimDownload(first.pid, first.dcs);
  const encoding: Encoding = binary ? '8bit' : alphabet;
  const udh = headerOf(first.userData);
  const notice = binary ? mmsNotice(first, parts) : waitingNotice(parts);
  return {
    encoding,
    ...(notice ?? { text: binary ? dataText(first, parts) : joinParts(parts) }),
    ...(binary && { data: toHex(joinData(parts)) }),
    ...((binary || portsOf(first.userData) !== undefined) && udh !== '' && { udh }),
    ...(messageClass !== undefined && { messageClass }),
  };
}

/** TS 31.115: headers of command packets, for the SIM's applications. */
const isForSim = ({ elements }: UserData) => elements.some(({ id }) => id >= 0x70 && id <= 0x7f);

/** The text in 8-bit data, empty when it is not text. */
function dataText(first: Deliver, parts: readonly (Deliver | undefined)[]): string {
  const { alphabet, compressed } = decodeDcs(first.dcs);
  if (alphabet !== '8bit' || compressed || isSimDownload(first.pid, first.dcs)) return '';
  if (portsOf(first.userData) !== undefined || isForSim(first.userData)) return '';
  const text = octetText(joinData(parts));
  if (text === undefined || parts.every((part) => part !== undefined)) return text ?? '';
  return parts.map((part) => (part === undefined ? PART_MISSING : (octetText(part.userData.data) ?? ''))).join('');
}

function mmsNotice(
  first: Deliver,
  parts: readonly (Deliver | undefined)[],
): Pick<Content, 'text' | 'notice'> | undefined {
  if (portsOf(first.userData)?.destination !== WAP_PUSH_PORT || parts.includes(undefined)) return undefined;
  const notification = readMmsNotification(joinData(parts));
  return notification && { text: mmsText(notification), notice: 'mms' };
}

function waitingNotice(parts: readonly (Deliver | undefined)[]): Pick<Content, 'text' | 'notice'> | undefined {
  const indications = parts.flatMap((part) =>
    part === undefined ? [] : waitingIndications(part.userData.elements, part.dcs, part.pid),
  );
  if (indications.length === 0) return undefined;
  const lines = [...new Set(indications.map(indicationText)), joinParts(parts)];
  return { text: lines.filter((line) => line !== '').join('\n'), notice: 'waiting' };
}

function headerOf({ elements }: UserData): string {
  return toHex(udhOf({ elements: elements.filter(({ id }) => !CONCATENATION_IDS.has(id)) }));
}
