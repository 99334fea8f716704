import type { JsonObject } from '../../base/json.ts';
import type { MessageId } from '../message.ts';

/** One thing to be done with a message: `target` is a word of the module's own. */
export interface Target {
  readonly module: string;
  readonly target: string;
}

/** A delivery that a module wants. The note is all that is kept of a sent message or of a modem event. */
export interface WantedDelivery extends Target {
  readonly note?: string;
  /** It takes the message nowhere: where there is no room to keep the message, this is no reason to take it in. */
  readonly incidental?: true;
}

/** Stands for the message in deliveries of modem events: no message has this id. */
export const NO_MESSAGE = 0 as MessageId;

/** How a delivery ended. */
export type Ending = 'done' | 'rejected' | 'expired';

/** A pending delivery as a compacted journal has it, and a receipt from the start. */
export interface Pending extends Target {
  /** Number of the delivery among those of its message. */
  readonly item: number;
  readonly attempts: number;
  /** Not to be tried before, ms since the epoch. */
  readonly due: number;
  /** Of a receipt or a modem event. */
  readonly note?: string | undefined;
}

export type DeliveryRecord =
  | { readonly kind: 'dispatch'; readonly id: MessageId; readonly since: number; readonly pending: readonly Pending[] }
  | {
      readonly kind: 'retry';
      readonly id: MessageId;
      readonly item: number;
      readonly attempts: number;
      readonly due: number;
    }
  | { readonly kind: 'end'; readonly id: MessageId; readonly item: number; readonly done: boolean };

const seconds = (ms: number) => Math.round(ms / 1000);

export function encodeDispatch(id: MessageId, since: number, targets: readonly Target[]): JsonObject {
  return { m: id, t: seconds(since), to: targets.map(({ module, target }) => [module, target]) };
}

export function encodePending(id: MessageId, since: number, pending: readonly Pending[]): JsonObject {
  const to = pending.map(({ module, target, item, attempts, due, note }) => [
    ...[module, target, item, attempts, seconds(due)],
    ...(note === undefined ? [] : [note]),
  ]);
  return { m: id, t: seconds(since), to };
}

export const encodeRetry = (id: MessageId, item: number, attempts: number, due: number): JsonObject => ({
  m: id,
  k: item,
  n: attempts,
  t: seconds(due),
});

export const encodeEnd = (id: MessageId, item: number, ending: Ending): JsonObject => ({ m: id, k: item, e: ending });

/** Undefined for a record that this release does not know. */
export function decodeRecord({ m, t, to, k, n, e }: JsonObject): DeliveryRecord | undefined {
  if (typeof m !== 'number') return undefined;
  const id = m as MessageId;
  if (Array.isArray(to) && typeof t === 'number') {
    return { kind: 'dispatch', id, since: t * 1000, pending: to.flatMap((item, at) => decodePending(item, at)) };
  }
  if (typeof k !== 'number') return undefined;
  if (e !== undefined) return { kind: 'end', id, item: k, done: e === 'done' };
  if (typeof n !== 'number' || typeof t !== 'number') return undefined;
  return { kind: 'retry', id, item: k, attempts: n, due: t * 1000 };
}

function decodePending(value: unknown, at: number): readonly Pending[] {
  if (!Array.isArray(value)) return [];
  const [module, target, item = at, attempts = 0, due = 0, note]: unknown[] = value;
  if (typeof module !== 'string' || typeof target !== 'string') return [];
  if (typeof item !== 'number' || typeof attempts !== 'number' || typeof due !== 'number') return [];
  return [{ module, target, item, attempts, due: due * 1000, ...(typeof note === 'string' && { note }) }];
}
