import { concatenationOf, decodeDcs, joinParts, type Submit, toHex } from '../../sms/index.ts';
import type { SentMessage, SentPart } from './messages.ts';

const MAX_MESSAGES = 1_000;
const MAX_PARTS = 10_000;
/** Long messages whose parts are awaited; the oldest is given up first. */
const MAX_INCOMPLETE = 200;

interface Taken {
  readonly submit: Submit;
  readonly tpdu: string;
}

/** What the network took, the last of it, with the parts of long messages joined as the recipient's phone does. */
export class SentLog {
  readonly #parts: SentPart[] = [];
  readonly #messages: SentMessage[] = [];
  readonly #incomplete = new Map<string, (Taken | undefined)[]>();
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
    const { reference, bits, total, sequence } = concatenation;
    const key = `${submit.to.value} ${bits} ${reference} ${total}`;
    const places = this.#incomplete.get(key) ?? new Array<Taken | undefined>(total).fill(undefined);
    if (places[sequence - 1] !== undefined) this.duplicates++;
    else places[sequence - 1] = { submit, tpdu };
    const there = places.filter((place) => place !== undefined);
    this.#incomplete.set(key, places);
    if (there.length === total) {
      this.#incomplete.delete(key);
      return there;
    }
    const [oldest] = this.#incomplete.keys();
    if (this.#incomplete.size > MAX_INCOMPLETE && oldest !== undefined) this.#incomplete.delete(oldest);
    return undefined;
  }
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
