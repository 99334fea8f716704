import { concatenationOf, decodeDcs, groupKey, joinParts, type Submit, toHex } from '../sms/index.ts';
import type { SentMessage, SentPart } from './messages.ts';

const MAX_MESSAGES = 1_000;
const MAX_PARTS = 10_000;
/** Long messages that are kept in mind; the oldest is given up first. */
const MAX_GROUPS = 200;

interface Taken {
  readonly submit: Submit;
  readonly tpdu: string;
}

/** What the network took, the last of it, with the parts of long messages joined as the recipient's phone does. */
export class SentLog {
  readonly #parts: SentPart[] = [];
  readonly #messages: SentMessage[] = [];
  readonly #incomplete = new Map<string, (Taken | undefined)[]>();
  /** The last message of each key. */
  readonly #complete = new Map<string, readonly Taken[]>();
  partCount = 0;
  messageCount = 0;
  duplicates = 0;

  get parts(): readonly SentPart[] {
    return [...this.#parts];
  }

  get messages(): readonly SentMessage[] {
    return [...this.#messages];
  }

  /** The part as it is listed, and the message that it completed, if it did. */
  add(submit: Submit, tpdu: string, time: number): { readonly part: SentPart; readonly message?: SentMessage } {
    const { sequence = 1, total = 1 } = concatenationOf(submit.userData) ?? {};
    const part: SentPart = { to: submit.to.value, mr: submit.mr, time, tpdu, sequence, total };
    this.partCount++;
    keep(this.#parts, part, MAX_PARTS);
    const whole = this.#join(submit, tpdu);
    if (whole === undefined) return { part };
    const message = toMessage(whole, time);
    this.messageCount++;
    keep(this.#messages, message, MAX_MESSAGES);
    return { part, message };
  }

  #join(submit: Submit, tpdu: string): readonly Taken[] | undefined {
    const concatenation = concatenationOf(submit.userData);
    if (concatenation === undefined) return [{ submit, tpdu }];
    const { total, sequence } = concatenation;
    const key = `${submit.to.value} ${groupKey(concatenation)}`;
    const places = this.#placesFor(key, total, sequence, tpdu);
    const place = places[sequence - 1];
    if (place === undefined) places[sequence - 1] = { submit, tpdu };
    else this.duplicates++;
    const there = places.filter((taken) => taken !== undefined);
    remember(this.#incomplete, key, places);
    if (there.length < total) return undefined;
    this.#incomplete.delete(key);
    remember(this.#complete, key, there);
    return there;
  }

  /** Where the part belongs: to the parts that came before, unless it shows that they are of another message. */
  #placesFor(key: string, total: number, sequence: number, tpdu: string): (Taken | undefined)[] {
    const places = this.#incomplete.get(key);
    const complete = this.#complete.get(key);
    const fresh = new Array<Taken | undefined>(total).fill(undefined);
    if (places === undefined) return fresh;
    const same = places[sequence - 1];
    if (same !== undefined) return isRepeat(tpdu, same) ? places : fresh;
    // Parts that only repeat a message which is whole already do not begin the next one with its reference.
    const repeats = places.every((taken, at) => taken === undefined || isRepeat(taken.tpdu, complete?.[at]));
    if (!repeats || isRepeat(tpdu, complete?.[sequence - 1])) return places;
    this.duplicates += places.filter((taken) => taken !== undefined).length;
    return fresh;
  }
}

/** Whether two TPDUs differ in nothing but TP-MR, their second octet. */
function isRepeat(tpdu: string, other: Taken | undefined): boolean {
  const content = (hex: string) => hex.slice(0, 2) + hex.slice(4);
  return other !== undefined && content(tpdu) === content(other.tpdu);
}

function toMessage(parts: readonly Taken[], time: number): SentMessage {
  const [first] = parts;
  const dcs = first?.submit.dcs ?? 0;
  const binary = decodeDcs(dcs).alphabet === '8bit';
  return {
    to: first?.submit.to.value ?? '',
    text: joinParts(parts.map(({ submit }) => ({ dcs: submit.dcs, userData: submit.userData }))),
    ...(binary && { data: parts.map(({ submit }) => toHex(submit.userData.data)).join('') }),
    dcs,
    parts: parts.length,
    mr: parts.map(({ submit }) => submit.mr),
    time,
    report: parts.some(({ submit }) => submit.statusReportRequest),
    tpdus: parts.map(({ tpdu }) => tpdu),
  };
}

function keep<T>(list: T[], item: T, limit: number): void {
  list.push(item);
  if (list.length > limit) list.shift();
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_GROUPS && oldest !== undefined) map.delete(oldest);
}
