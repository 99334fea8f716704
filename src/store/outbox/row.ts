import type { PhoneNumber } from '../../base/phone-number.ts';
import type { RecordRef } from '../journal/journal.ts';
import { type Encoding, type MessageId, type OutboxState, outboxStates } from '../message.ts';
import {
  attemptedPart,
  isSent,
  type Part,
  progress,
  progressOf,
  queuedPart,
  reportedPart,
  sentPart,
  unsentPart,
} from './part.ts';
import type {
  Accepted,
  Attempted,
  Change,
  Ended,
  NotSent,
  Progressed,
  Reported,
  Retried,
  Submitted,
} from './records.ts';

/**
 * What memory holds of one message: what its records add up to, without its content. Changes come only through `apply`,
 * at the load and when a record has become durable, so a row is always what a restart would find.
 */
export class OutboxRow {
  readonly id: MessageId;
  readonly number: PhoneNumber;
  readonly priority: number;
  /** The modem that the submitter chose. */
  readonly pin: string | undefined;
  /** Where the submit record lies. */
  ref: RecordRef;
  time: number;
  expires: number;
  notBefore: number;
  /** Whether it asks for a delivery report; undefined leaves that to the modem's rules. */
  report: boolean | undefined;
  encoding: Encoding;
  parts: Part[];
  /** The modem that has, or perhaps has, parts of it. */
  via: string | undefined;
  state: OutboxState = 'queued';
  attempts = 0;
  failures = 0;
  changed: number;
  error: string | undefined;
  /** Key of its client reference. */
  refKey: string | undefined;
  joinKey: string | undefined;
  /** Deleted, and kept for its client reference only. */
  hidden = false;
  /** How often it has come to a settled state, and up to which of these outcomes the modules were asked. */
  outcomes = 0;
  asked = 0;

  constructor(record: Submitted, ref: RecordRef) {
    this.id = record.id;
    this.number = record.number;
    this.priority = record.priority;
    this.pin = record.modem;
    this.ref = ref;
    this.time = record.time;
    this.changed = record.time;
    this.refKey = record.ref === undefined ? undefined : refKeyOf(record.source, record.ref);
    this.joinKey = record.join;
    this.expires = record.expires;
    this.notBefore = record.notBefore ?? 0;
    this.report = record.report;
    this.encoding = record.encoding;
    this.parts = new Array<Part>(record.parts).fill(queuedPart);
  }

  get pending(): boolean {
    return !outboxStates[this.state].settled;
  }

  /** Whether a modem has, or perhaps has, a part of it. */
  get begun(): boolean {
    return this.parts.some((part) => part !== queuedPart);
  }

  /** The modem that must send the rest; undefined while any may. A receiver joins only parts of one sender. */
  get boundTo(): string | undefined {
    return this.parts.some(isSent) ? this.via : this.pin;
  }

  /** Since when it has been waiting, ms since the epoch. */
  get waitingSince(): number {
    return Math.max(this.time, this.notBefore);
  }

  /** First part from `from` on that no modem has accepted; -1 for none. */
  nextUnsent(from = 0): number {
    return this.parts.findIndex((part, i) => i >= from && !isSent(part));
  }

  /** Takes over a waiting message's new content. */
  replace(record: Submitted, ref: RecordRef): void {
    this.ref = ref;
    this.expires = record.expires;
    this.notBefore = record.notBefore ?? 0;
    this.report = record.report;
    this.encoding = record.encoding;
    this.parts = new Array<Part>(record.parts).fill(queuedPart);
  }

  apply(change: Exclude<Change, { k: 'd' }>): void {
    switch (change.k) {
      case 'a':
        this.#attempted(change);
        break;
      case 'o':
        this.#accepted(change);
        break;
      case 'n':
        this.#notSent(change);
        break;
      case 'r':
        this.#reported(change);
        break;
      case 'e':
        this.#ended(change);
        break;
      case 't':
        this.#retried(change);
        break;
      case 'p':
        this.#progressed(change);
        break;
    }
  }

  /** Everything that has happened since the submit; undefined for nothing. */
  progressed(): Progressed | undefined {
    if (this.state === 'queued' && this.attempts === 0 && this.changed === this.time && !this.hidden) return undefined;
    return this.snapshot();
  }

  snapshot(): Progressed {
    return {
      k: 'p',
      id: this.id,
      s: this.state,
      q: [...this.parts],
      a: this.attempts,
      f: this.failures,
      t: this.time,
      x: this.expires,
      c: this.changed,
      ...(this.notBefore !== 0 && { b: this.notBefore }),
      ...(this.via !== undefined && { v: this.via }),
      ...(this.error !== undefined && { e: this.error }),
      ...(this.hidden && { h: 1 as const }),
      ...(this.outcomes > 0 && { n: this.outcomes, d: this.asked }),
    };
  }

  #attempted({ p, m }: Attempted): void {
    this.#set(p, attemptedPart);
    this.via = m;
    this.attempts += 1;
    this.state = 'sending';
  }

  #accepted({ p, mr, at }: Accepted): void {
    this.#set(p, (part) => sentPart(part, mr));
    this.#weigh(at);
  }

  #notSent({ p, n, e, at }: NotSent): void {
    this.#set(p, unsentPart);
    this.failures += n;
    this.error = e;
    if (!this.begun) this.via = undefined;
    this.state = this.begun ? 'sending' : 'queued';
    this.changed = at;
  }

  #reported({ p, mr, to, at }: Reported): void {
    this.#set(p, (part) => reportedPart(part, to, mr));
    this.#weigh(at);
  }

  #ended({ s, e, at }: Ended): void {
    // What is doubtful stays so: a late status report may still tell.
    if (s !== 'unknown') this.#setAll((part) => (progressOf(part) === progress.attempted ? unsentPart(part) : part));
    this.state = s;
    this.error = e;
    this.changed = at;
  }

  #retried({ x, at }: Retried): void {
    const done: ReadonlySet<number> = new Set([progress.sent, progress.delivered]);
    this.#setAll((part) => (done.has(progressOf(part)) ? part : queuedPart));
    if (!this.begun) this.via = undefined;
    this.failures = 0;
    this.error = undefined;
    this.notBefore = 0;
    this.expires = x;
    this.state = this.begun ? 'sending' : 'queued';
    this.changed = at;
  }

  #progressed({ s, q, b, v, a, f, t, x, c, e, h, n, d }: Progressed): void {
    this.state = s;
    this.parts = [...q];
    this.notBefore = b ?? 0;
    this.via = v;
    this.attempts = a;
    this.failures = f;
    this.time = t;
    this.expires = x;
    this.changed = c;
    this.error = e;
    this.hidden = h === 1;
    this.outcomes = n ?? 0;
    this.asked = d ?? 0;
  }

  /** The state that follows from the parts, once all of them are with the network. */
  #weigh(at: number): void {
    const state = stateOf(this.parts);
    if (state === this.state) return;
    // A part that is late to be known as sent does not bring back to life what was given up.
    if (state === 'sending' && !this.pending) return;
    this.state = state;
    this.error = state === 'undelivered' || state === 'expired' ? 'the network could not deliver it' : undefined;
    this.changed = at;
  }

  #set(p: number, to: (part: Part) => Part): void {
    const part = this.parts[p];
    if (part !== undefined) this.parts[p] = to(part);
  }

  #setAll(to: (part: Part) => Part): void {
    this.parts = this.parts.map(to);
  }
}

function stateOf(parts: readonly Part[]): OutboxState {
  if (!parts.every(isSent)) return 'sending';
  const all = new Set(parts.map(progressOf));
  if (all.has(progress.undelivered)) return 'undelivered';
  if (all.has(progress.expired)) return 'expired';
  return all.has(progress.sent) ? 'sent' : 'delivered';
}

/** Two submitters may use the same references. */
export const refKeyOf = (source: string, ref: string): string => `${source}\n${ref}`;
