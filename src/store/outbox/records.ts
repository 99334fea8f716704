import { isJsonObject, type JsonObject } from '../../base/json.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import { type Content, type Encoding, type MessageId, type OutboxState, outboxStateNames } from '../message.ts';
import { type Part, type Progress, progress } from './part.ts';

/** A message as it was submitted, or as `replace` has changed it. */
export interface Submitted {
  readonly kind: 'submitted';
  readonly id: MessageId;
  readonly number: PhoneNumber;
  readonly content: Content;
  readonly encoding: Encoding;
  /** Number of parts. */
  readonly parts: number;
  readonly time: number;
  readonly expires: number;
  readonly priority: number;
  readonly source: string;
  /** Whose share of the queue it takes, of all from this source. */
  readonly share?: string;
  readonly report?: boolean;
  /** The modem that the submitter chose. */
  readonly modem?: string;
  readonly notBefore?: number;
  readonly batch?: MessageId;
  readonly clientRef?: string;
  readonly tag?: string;
  /** Digest of the join key. */
  readonly joinDigest?: string;
  /** How the text is encoded. Fixed at the submit, because a message that is half sent must keep its parts. */
  readonly transliterate: boolean;
  readonly nationalTables: readonly number[];
}

/** A part goes to a modem. Without another record behind this one, it was perhaps sent. */
export interface Attempted {
  readonly kind: 'attempted';
  readonly id: MessageId;
  /** Index of the part, from 0. */
  readonly part: number;
  readonly modem: string;
  /** The modem may have been reset since its last attempt. */
  readonly reset: boolean;
}

/** The modem accepted the part. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly id: MessageId;
  readonly part: number;
  readonly mr: number;
  readonly at: number;
}

/** The last try of the part did not leave the modem. */
export interface NotSent {
  readonly kind: 'not_sent';
  readonly id: MessageId;
  readonly part: number;
  /** It counts as a failure of the message. */
  readonly counts: boolean;
  readonly reason?: string;
  readonly at: number;
}

/** A status report has come for the part. */
export interface Reported {
  readonly kind: 'reported';
  readonly id: MessageId;
  readonly part: number;
  readonly mr: number;
  readonly result: FinalProgress;
  readonly at: number;
}
export type FinalProgress = Extract<Progress, 3 | 4 | 5>;

export interface Ended {
  readonly kind: 'ended';
  readonly id: MessageId;
  readonly state: 'failed' | 'expired' | 'cancelled' | 'unknown';
  readonly reason?: string;
  readonly at: number;
}

/** A person sends it again. */
export interface Retried {
  readonly kind: 'retried';
  readonly id: MessageId;
  readonly expires: number;
  readonly at: number;
}

export interface Deleted {
  readonly kind: 'deleted';
  readonly id: MessageId;
}

/** All changes of a message up to now; compaction writes it after the submit record. */
export interface Progressed {
  readonly kind: 'progressed';
  readonly id: MessageId;
  readonly state: OutboxState;
  readonly parts: readonly Part[];
  /** The modem that has, or perhaps has, parts of it. */
  readonly via?: string;
  readonly attempts: number;
  readonly failures: number;
  readonly time: number;
  readonly expires: number;
  /** Absent when it may go at once. */
  readonly notBefore?: number;
  readonly changed: number;
  readonly error?: string;
  /** Deleted, and kept for its client reference only. */
  readonly hidden: boolean;
  /** How often it has come to a settled state, and up to which of these outcomes the modules were asked. */
  readonly outcomes: number;
  readonly asked: number;
}

/** Parts that a modem sent on a local calendar day; compaction writes it, as the messages themselves may be gone. */
export interface Counted {
  readonly kind: 'counted';
  readonly modem: string;
  readonly day: string;
  readonly parts: number;
}

/** A message of the last day that has left the outbox still counts below the ceilings; compaction writes it. */
export interface Spent {
  readonly kind: 'spent';
  readonly id: MessageId;
  readonly time: number;
  readonly parts: number;
  readonly source: string;
  readonly number: string;
}

/** Where a modem's TP-MR stands, see `MrTrail`; compaction writes it. */
export interface Numbered {
  readonly kind: 'numbered';
  readonly modem: string;
  readonly last: number;
  readonly steps: number;
  readonly open: readonly (readonly [id: MessageId, part: number])[];
}

/** This modem sends messages that name no modem; undefined: all take turns. */
export interface Preferred {
  readonly kind: 'preferred';
  readonly modem: string | undefined;
}

/** The modules were asked about these outcomes: of each message, how many it has had by then. */
export interface Asked {
  readonly kind: 'asked';
  readonly outcomes: readonly (readonly [id: MessageId, outcomes: number])[];
}

/** The wall clock was set: times of the messages `first` to `last` move by so many milliseconds. */
export interface ClockSet {
  readonly kind: 'clock_set';
  readonly first: MessageId;
  readonly last: MessageId;
  readonly by: number;
}

export type Change = Attempted | Accepted | NotSent | Reported | Ended | Retried | Progressed;
export type OutboxRecord = Submitted | Change | Deleted | Counted | Spent | Numbered | Preferred | Asked | ClockSet;

/**
 * The record as the journal holds it, with its kind in `k`. All but the submit record are written for every part of
 * every message, and to flash: keys have one letter, and a line stays below 100 octets without the sentence of an error.
 */
export function encodeRecord(record: OutboxRecord): JsonObject {
  switch (record.kind) {
    case 'submitted':
      return encodeSubmitted(record);
    case 'attempted':
      return { k: 'a', id: record.id, p: record.part, m: record.modem, ...(record.reset && { z: 1 }) };
    case 'accepted':
      return { k: 'o', id: record.id, p: record.part, mr: record.mr, at: record.at };
    case 'not_sent': {
      const { id, part, counts, reason, at } = record;
      return { k: 'n', id, p: part, n: counts ? 1 : 0, ...(reason !== undefined && { e: reason }), at };
    }
    case 'reported':
      return { k: 'r', id: record.id, p: record.part, mr: record.mr, to: record.result, at: record.at };
    case 'ended': {
      const { id, state, reason, at } = record;
      return { k: 'e', id, s: state, ...(reason !== undefined && { e: reason }), at };
    }
    case 'retried':
      return { k: 't', id: record.id, x: record.expires, at: record.at };
    case 'deleted':
      return { k: 'd', id: record.id };
    case 'progressed':
      return encodeProgressed(record);
    case 'counted':
      return { k: 'c', m: record.modem, d: record.day, n: record.parts };
    case 'spent':
      return { k: 'u', id: record.id, t: record.time, n: record.parts, s: record.source, to: record.number };
    case 'numbered':
      return { k: 'm', m: record.modem, mr: record.last, n: record.steps, o: record.open };
    case 'preferred':
      return { k: 'w', m: record.modem ?? '' };
    case 'asked':
      return { k: 'h', o: record.outcomes };
    case 'clock_set':
      return { k: 's', a: record.first, b: record.last, by: record.by };
  }
}

function encodeSubmitted(record: Submitted): JsonObject {
  const { kind: _, clientRef, joinDigest, transliterate, nationalTables, content, ...same } = record;
  return {
    k: 'submit',
    ...same,
    content: { ...content },
    ...(clientRef !== undefined && { ref: clientRef }),
    ...(joinDigest !== undefined && { join: joinDigest }),
    ...(transliterate && { transliterate }),
    ...(nationalTables.length > 0 && { tables: nationalTables }),
  };
}

function encodeProgressed(record: Progressed): JsonObject {
  const { id, state, parts, attempts, failures, time, expires, changed } = record;
  const { notBefore, via, error, hidden, outcomes, asked } = record;
  return {
    ...{ k: 'p', id, s: state, q: parts, a: attempts, f: failures, t: time, x: expires, c: changed },
    ...(notBefore !== undefined && { b: notBefore }),
    ...(via !== undefined && { v: via }),
    ...(error !== undefined && { e: error }),
    ...(hidden && { h: 1 }),
    ...(outcomes > 0 && { n: outcomes, d: asked }),
  };
}

/** Undefined for a record that this release does not know. */
export function decodeRecord(json: JsonObject): OutboxRecord | undefined {
  switch (json['k']) {
    case 'submit':
      return decodeSubmitted(json);
    case 'c': {
      const { m, d, n } = json;
      return isText(m) && isText(d) && isNumber(n) ? { kind: 'counted', modem: m, day: d, parts: n } : undefined;
    }
    case 'u': {
      const { id, t, n, s, to } = json;
      if (!isId(id) || !isNumber(t) || !isNumber(n) || !isText(s) || !isText(to)) return undefined;
      return { kind: 'spent', id, time: t, parts: n, source: s, number: to };
    }
    case 'm': {
      const { m, mr, n, o } = json;
      if (!isText(m) || !isNumber(mr) || !isNumber(n)) return undefined;
      return { kind: 'numbered', modem: m, last: mr, steps: n, open: pairs(o) };
    }
    case 'w':
      return isText(json['m']) ? { kind: 'preferred', modem: json['m'] === '' ? undefined : json['m'] } : undefined;
    case 'h':
      return { kind: 'asked', outcomes: pairs(json['o']) };
    case 's': {
      const { a, b, by } = json;
      return isId(a) && isId(b) && isNumber(by) ? { kind: 'clock_set', first: a, last: b, by } : undefined;
    }
    default:
      return isId(json['id']) ? decodeChange(json['id'], json) : undefined;
  }
}

function decodeChange(id: MessageId, json: JsonObject): Change | Deleted | undefined {
  const { k, p: part, m, mr, n, e, s, x, to, at, z } = json;
  const reason = isText(e) ? { reason: e } : {};
  if (k === 'd') return { kind: 'deleted', id };
  if (k === 'p') return decodeProgressed(id, json);
  if (k === 'a') {
    return isNumber(part) && isText(m) ? { kind: 'attempted', id, part, modem: m, reset: z === 1 } : undefined;
  }
  if (!isNumber(at)) return undefined;
  if (k === 'e') return isEnd(s) ? { kind: 'ended', id, state: s, ...reason, at } : undefined;
  if (k === 't') return isNumber(x) ? { kind: 'retried', id, expires: x, at } : undefined;
  if (!isNumber(part)) return undefined;
  if (k === 'n') return { kind: 'not_sent', id, part, counts: n === 1, ...reason, at };
  if (!isNumber(mr)) return undefined;
  if (k === 'o') return { kind: 'accepted', id, part, mr, at };
  return k === 'r' && isFinal(to) ? { kind: 'reported', id, part, mr, result: to, at } : undefined;
}

/** Undefined for any other record. */
export function decodeSubmitted(json: JsonObject): Submitted | undefined {
  if (json['k'] !== 'submit' || !isWhole(json)) return undefined;
  const { k: _, ref, join, transliterate, tables, ...same } = json as unknown as Omit<Submitted, 'kind'> & JsonObject;
  return {
    ...same,
    kind: 'submitted',
    transliterate: transliterate === true,
    nationalTables: Array.isArray(tables) ? tables.filter(isNumber) : [],
    ...(isText(ref) && { clientRef: ref }),
    ...(isText(join) && { joinDigest: join }),
  };
}

/** The checksum of the line shows that it is as it was written, but not by which release. */
function isWhole({ id, number, content, encoding, parts, time, expires, priority, source }: JsonObject): boolean {
  if (!isId(id) || ![number, encoding, source].every(isText)) return false;
  if (![parts, time, expires, priority].every(isNumber) || !isJsonObject(content)) return false;
  const { type, text, data, udh = '', dcs } = content;
  return type === 'text' ? isText(text) : isHex(data) && isHex(udh) && isNumber(dcs);
}

function decodeProgressed(id: MessageId, json: JsonObject): Progressed | undefined {
  const { s, q, b, v, a, f, t, x, c, e, h, n, d } = json;
  if (!isState(s) || !Array.isArray(q)) return undefined;
  if (!isNumber(a) || !isNumber(f) || !isNumber(t) || !isNumber(x) || !isNumber(c)) return undefined;
  return {
    ...{ kind: 'progressed', id, state: s, parts: q.filter(isNumber), attempts: a, failures: f },
    ...{ time: t, expires: x, changed: c, hidden: h === 1 },
    ...{ outcomes: isNumber(n) ? n : 0, asked: isNumber(d) ? d : 0 },
    ...(isNumber(b) && { notBefore: b }),
    ...(isText(v) && { via: v }),
    ...(isText(e) && { error: e }),
  };
}

/** JSON makes Infinity of 1e999, and could not write it again. */
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isHex = (value: unknown): value is string => isText(value) && /^(?:[0-9a-f]{2})*$/i.test(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isId = (value: unknown): value is MessageId => Number.isSafeInteger(value);
const isState = (value: unknown): value is OutboxState => outboxStateNames.some((state) => state === value);
const isFinal = (value: unknown): value is FinalProgress =>
  value === progress.delivered || value === progress.undelivered || value === progress.expired;

const ends: ReadonlySet<unknown> = new Set<Ended['state']>(['failed', 'expired', 'cancelled', 'unknown']);
const isEnd = (value: unknown): value is Ended['state'] => ends.has(value);

const isPair = (value: unknown): value is [MessageId, number] => Array.isArray(value) && value.every(isNumber);
const pairs = (value: unknown): readonly (readonly [MessageId, number])[] =>
  Array.isArray(value) ? value.filter(isPair) : [];
