import type { JsonObject } from '../../base/json.ts';
import type { MessageId } from '../message.ts';

/** What the inbox writes to the journal. Keys are short: flash wears by the octet. */
export type InboxRecord =
  | PartRecord
  | ShownRecord
  | { readonly kind: 'read'; readonly ids: readonly MessageId[] }
  | { readonly kind: 'dispatched'; readonly ids: readonly MessageId[] }
  | { readonly kind: 'deleted'; readonly id: MessageId; readonly at: number; readonly hold?: Hold }
  | { readonly kind: 'seen'; readonly prints: readonly string[] }
  | { readonly kind: 'released'; readonly indexes: readonly (readonly [index: number, at: number])[] };

/** Why a message that is out of sight stays: somebody deleted it while deliveries wait, or it is there only for these. */
export type Hold = 'deleted' | 'passing';

/** Makes the part, with those of its group, a message. */
export interface Completion {
  readonly id: MessageId;
  readonly index: number;
}

/** Where a part of a longer message belongs. */
export interface Place {
  /** Number of the group; two in the journal at once never share one. */
  readonly group: number;
  /** From 1. */
  readonly sequence: number;
  readonly total: number;
}

/** One part as the modem gave it. */
export interface PartRecord {
  readonly kind: 'part';
  readonly pdu: Uint8Array;
  readonly modem: string;
  /** Milliseconds since the epoch. */
  readonly received: number;
  readonly place?: Place;
  readonly completion?: Completion;
}

/** A group is shown as a message though parts of it are missing. */
export interface ShownRecord {
  readonly kind: 'shown';
  readonly group: number;
  readonly completion: Completion;
}

export function encodePart({ pdu, modem, received, place, completion }: Omit<PartRecord, 'kind'>): JsonObject {
  return {
    p: Buffer.from(pdu.buffer, pdu.byteOffset, pdu.byteLength).toString('base64'),
    m: modem,
    t: received,
    ...(place && { g: place.group, s: place.sequence, n: place.total }),
    ...(completion && { id: completion.id, x: completion.index }),
  };
}

export const encodeShown = ({ group, completion }: Omit<ShownRecord, 'kind'>): JsonObject => ({
  g: group,
  id: completion.id,
  x: completion.index,
});
export const encodeRead = (ids: readonly MessageId[]): JsonObject => ({ r: toSteps(ids) });
export const encodeDispatched = (ids: readonly MessageId[]): JsonObject => ({ h: toSteps(ids) });
/** As a compacted journal has a message that is deleted and still held: `encodeDeleted` lets apply find out. */
export const encodeHeld = (id: MessageId, passing: boolean): JsonObject => ({ d: id, t: 0, k: passing ? 2 : 1 });
export const encodeDeleted = (id: MessageId, at: number): JsonObject => ({ d: id, t: Math.round(at / 1000) });
export const encodeSeen = (prints: readonly string[]): JsonObject => ({ f: prints });
export const encodeReleased = (indexes: readonly (readonly [number, number])[]): JsonObject => ({
  q: indexes.map(([index, at]) => [index, Math.round(at / 1000)]),
});

/** Undefined for a record that this release does not know. */
export function decodeRecord(json: JsonObject): InboxRecord | undefined {
  const { p, m, t, g, id, x } = json;
  const completion = isNumber(id) && isNumber(x) ? { id: id as MessageId, index: x } : undefined;
  if (typeof p === 'string' && typeof m === 'string' && isNumber(t)) {
    const pdu = Buffer.from(p, 'base64');
    const { s, n } = json;
    if (isNumber(g) && isNumber(s) && isNumber(n)) {
      const place = { group: g, sequence: s, total: n };
      return { kind: 'part', pdu, modem: m, received: t, place, ...(completion && { completion }) };
    }
    const part = { kind: 'part', pdu, modem: m, received: t } as const;
    return completion === undefined ? part : { kind: 'part', pdu, modem: m, received: t, completion };
  }
  const { r, h, d, k, f, q } = json;
  if (isNumber(g) && completion !== undefined) return { kind: 'shown', group: g, completion };
  if (r !== undefined) return { kind: 'read', ids: fromSteps(r) };
  if (h !== undefined) return { kind: 'dispatched', ids: fromSteps(h) };
  if (isNumber(d) && isNumber(t)) {
    const hold = k === 1 ? 'deleted' : k === 2 ? 'passing' : undefined;
    return { kind: 'deleted', id: d as MessageId, at: t * 1000, ...(hold && { hold }) };
  }
  if (Array.isArray(f)) return { kind: 'seen', prints: f.filter((print) => typeof print === 'string') };
  if (Array.isArray(q)) return { kind: 'released', indexes: q.filter(isPair).map(([index, at]) => [index, at * 1000]) };
  return undefined;
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isPair = (value: unknown): value is [number, number] => Array.isArray(value) && value.every(isNumber);

/** One number as it is; several as the first and the steps from each to the next. */
function toSteps(ids: readonly MessageId[]): number | readonly number[] {
  const [first] = ids;
  return ids.length === 1 && first !== undefined ? first : ids.map((id, at) => id - (ids[at - 1] ?? 0));
}

function fromSteps(steps: unknown): readonly MessageId[] {
  if (isNumber(steps)) return [steps as MessageId];
  let id = 0;
  return [steps].flat().map((step) => {
    id += isNumber(step) ? step : 0;
    return id as MessageId;
  });
}
