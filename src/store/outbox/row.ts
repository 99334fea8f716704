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
import type { Attempted, Change, Ended, NotSent, Progressed, Retried, Submitted } from './records.ts';

/**
 * One message in memory: the sum of its records, without its content. Changes come only through `apply`,
 * at the load and when a record has become durable, so a row is always what a restart would find.
 */
export class OutboxRow {
  readonly id: MessageId;
  readonly number: PhoneNumber;
  readonly priority: number;
  readonly source: string;
  /** Whose shares of the queue it takes. */
  readonly holders: readonly string[];
  /** The modem that the submitter chose. */
  readonly pin: string | undefined;
  /** Where the submit record lies. */
  ref: RecordRef;
  /** What its submit record took of the journal when it was stored or loaded. */
  octets: number;
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
  joinDigest: string | undefined;
  /** Deleted, and kept for its client reference only. */
  hidden = false;
  /** How often it has come to a settled state, and up to which of these outcomes the modules were asked. */
  outcomes = 0;
  asked = 0;

  constructor(record: Submitted, ref: RecordRef) {
    this.id = record.id;
    this.number = record.number;
    this.priority = record.priority;
    this.source = record.source;
    this.holders = holdersOf(record);
    this.pin = record.modem;
    this.ref = ref;
    this.octets = ref.length;
    this.time = record.time;
    this.changed = record.time;
    this.refKey = record.clientRef === undefined ? undefined : refKeyOf(record.source, record.clientRef);
    this.joinDigest = record.joinDigest;
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
    this.octets = ref.length;
    this.expires = record.expires;
    this.notBefore = record.notBefore ?? 0;
    this.report = record.report;
    this.encoding = record.encoding;
    this.parts = new Array<Part>(record.parts).fill(queuedPart);
  }

  apply(change: Change): void {
    switch (change.kind) {
      case 'attempted':
        this.#attempted(change);
        break;
      case 'accepted':
        this.#set(change.part, (part) => sentPart(part, change.mr));
        this.#weigh(change.at);
        break;
      case 'not_sent':
        this.#notSent(change);
        break;
      case 'reported':
        this.#set(change.part, (part) => reportedPart(part, change.result, change.mr));
        this.#weigh(change.at);
        break;
      case 'ended':
        this.#ended(change);
        break;
      case 'retried':
        this.#retried(change);
        break;
      case 'progressed':
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
      kind: 'progressed',
      id: this.id,
      state: this.state,
      parts: [...this.parts],
      attempts: this.attempts,
      failures: this.failures,
      time: this.time,
      expires: this.expires,
      changed: this.changed,
      hidden: this.hidden,
      outcomes: this.outcomes,
      asked: this.asked,
      ...(this.notBefore !== 0 && { notBefore: this.notBefore }),
      ...(this.via !== undefined && { via: this.via }),
      ...(this.error !== undefined && { error: this.error }),
    };
  }

  #attempted({ part, modem }: Attempted): void {
    this.#set(part, attemptedPart);
    this.via = modem;
    this.attempts += 1;
    this.state = 'sending';
  }

  #notSent({ part, counts, reason, at }: NotSent): void {
    this.#set(part, unsentPart);
    if (counts) this.failures += 1;
    this.error = reason;
    if (!this.begun) this.via = undefined;
    this.state = this.begun ? 'sending' : 'queued';
    this.changed = at;
  }

  #ended({ state, reason, at }: Ended): void {
    // A doubtful part stays doubtful: a late status report may still decide.
    if (state !== 'unknown') {
      this.#setAll((part) => (progressOf(part) === progress.attempted ? unsentPart(part) : part));
    }
    this.state = state;
    this.error = reason;
    this.changed = at;
  }

  #retried({ expires, at }: Retried): void {
    const done: ReadonlySet<number> = new Set([progress.sent, progress.delivered]);
    this.#setAll((part) => (done.has(progressOf(part)) ? part : queuedPart));
    if (!this.begun) this.via = undefined;
    this.failures = 0;
    this.error = undefined;
    this.notBefore = 0;
    this.expires = expires;
    this.state = this.begun ? 'sending' : 'queued';
    this.changed = at;
  }

  #progressed(record: Progressed): void {
    this.state = record.state;
    this.parts = [...record.parts];
    this.notBefore = record.notBefore ?? 0;
    this.via = record.via;
    this.attempts = record.attempts;
    this.failures = record.failures;
    this.time = record.time;
    this.expires = record.expires;
    this.changed = record.changed;
    this.error = record.error;
    this.hidden = record.hidden;
    this.outcomes = record.outcomes;
    this.asked = record.asked;
  }

  /** The state that follows from the parts, once all of them are with the network. */
  #weigh(at: number): void {
    const state = stateOf(this.parts);
    if (state === this.state) return;
    // News that a part was sent does not revive a message that has ended.
    if (state === 'sending' && !this.pending) return;
    this.state = state;
    this.error = state === 'undelivered' || state === 'expired' ? 'the network could not deliver it' : undefined;
    this.changed = at;
  }

  #set(index: number, to: (part: Part) => Part): void {
    const part = this.parts[index];
    if (part !== undefined) this.parts[index] = to(part);
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
/** Whose shares of the queue a message takes: that of its source, and of who uses it where it has several users. */
export const holdersOf = ({ source, share }: Pick<Submitted, 'source' | 'share'>): readonly string[] =>
  share === undefined ? [source] : [source, `${source} ${share}`];

export const refKeyOf = (source: string, ref: string): string => `${source}\n${ref}`;
