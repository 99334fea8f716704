import type { JsonObject } from '../../base/json.ts';
import { isJsonObject } from '../../base/json.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { Content, Encoding, MessageId, OutboxState } from '../message.ts';
import type { Part } from './part.ts';

/**
 * The records of the outbox, told apart by `k`. All but `Submitted` are written for every part of every message and
 * to flash: their keys are short, and a line stays below 100 octets (without the sentence of an error).
 */
export type Submitted = {
  readonly k: 'submit';
  readonly id: MessageId;
  readonly number: PhoneNumber;
  readonly content: Content;
  readonly encoding: Encoding;
  readonly parts: number;
  readonly time: number;
  readonly expires: number;
  readonly priority: number;
  readonly source: string;
  readonly report?: boolean;
  readonly modem?: string;
  readonly notBefore?: number;
  readonly batch?: MessageId;
  readonly ref?: string;
  readonly tag?: string;
  /** Digest of the join key. */
  readonly join?: string;
  /** How the text is encoded: fixed at the submit, as a half sent message must not change its parts. */
  readonly transliterate?: true;
  readonly tables?: readonly number[];
};

/**
 * A part is about to be given to a modem. Whatever happens from here on without another record, it was perhaps sent.
 * `z`: the modem may have been reset since the last attempt by it.
 */
export type Attempted = {
  readonly k: 'a';
  readonly id: MessageId;
  readonly p: number;
  readonly m: string;
  readonly z?: 1;
};
/** The modem accepted the part. */
export type Accepted = {
  readonly k: 'o';
  readonly id: MessageId;
  readonly p: number;
  readonly mr: number;
  readonly at: number;
};
/** The last try of the part did not leave the modem; `n` is 1 when it counts as a failure of the message. */
export type NotSent = {
  readonly k: 'n';
  readonly id: MessageId;
  readonly p: number;
  readonly n: 0 | 1;
  readonly e?: string;
  readonly at: number;
};
/** A status report: `to` is the part's final progress. */
export type Reported = {
  readonly k: 'r';
  readonly id: MessageId;
  readonly p: number;
  readonly mr: number;
  readonly to: 3 | 4 | 5;
  readonly at: number;
};
export type Ended = {
  readonly k: 'e';
  readonly id: MessageId;
  readonly s: 'failed' | 'expired' | 'cancelled' | 'unknown';
  readonly e?: string;
  readonly at: number;
};
/** Taken up again by hand. */
export type Retried = { readonly k: 't'; readonly id: MessageId; readonly x: number; readonly at: number };
export type Deleted = { readonly k: 'd'; readonly id: MessageId };

/** All changes of a message up to now; compaction writes it after the submit record. */
export type Progressed = {
  readonly k: 'p';
  readonly id: MessageId;
  readonly s: OutboxState;
  readonly q: readonly Part[];
  readonly b?: number;
  readonly v?: string;
  readonly a: number;
  readonly f: number;
  readonly t: number;
  readonly x: number;
  readonly c: number;
  readonly e?: string;
  /** Deleted, and kept for its client reference only. */
  readonly h?: 1;
  /** Outcomes up to now, and of how many the modules were asked. */
  readonly n?: number;
  readonly d?: number;
};

/** Parts that a modem sent on a local calendar day; compaction writes it, as the messages themselves may be gone. */
export type Counted = { readonly k: 'c'; readonly m: string; readonly d: string; readonly n: number };
/** Where a modem's TP-MR stands, see `MrTrail`; compaction writes it. */
export type Numbered = {
  readonly k: 'm';
  readonly m: string;
  readonly mr: number;
  readonly n: number;
  readonly o: readonly (readonly [id: MessageId, p: number])[];
};
/** From now on this modem sends what is meant for no other; empty for none in particular. */
export type Preferred = { readonly k: 'w'; readonly m: string };
/** The modules were asked about these outcomes: of each message, how many it has had by then. */
export type Asked = { readonly k: 'h'; readonly o: readonly (readonly [id: MessageId, outcomes: number])[] };
/** The wall clock was set: times of the messages `a` to `b` move by `by` milliseconds. */
export type ClockSet = { readonly k: 's'; readonly a: MessageId; readonly b: MessageId; readonly by: number };

export type Change = Attempted | Accepted | NotSent | Reported | Ended | Retried | Deleted | Progressed;
export type OutboxRecord = Submitted | Change | Counted | Numbered | ClockSet | Preferred | Asked;

const kinds: ReadonlySet<unknown> = new Set<OutboxRecord['k']>([
  'submit',
  'a',
  'o',
  'n',
  'r',
  'e',
  't',
  'd',
  'p',
  'c',
  'm',
  's',
  'w',
  'h',
]);

/**
 * The record, or undefined for one of a later version. Checksums have shown that it is what this program wrote, so its
 * fields are taken as they are.
 */
export function outboxRecord(record: JsonObject): OutboxRecord | undefined {
  return kinds.has(record.k) ? (record as unknown as OutboxRecord) : undefined;
}

export function submittedRecord(record: JsonObject): Submitted | undefined {
  return record.k === 'submit' && isJsonObject(record.content) ? (record as unknown as Submitted) : undefined;
}
