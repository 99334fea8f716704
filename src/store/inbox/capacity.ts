import { GatewayError } from '../../base/errors.ts';
import type { MessageId } from '../message.ts';
import type { InboxPolicy } from './policy.ts';
import type { MessageRow } from './row.ts';
import type { InboxTable } from './table.ts';

/** A place for one message more. */
export interface Reservation {
  /** Read messages that must be deleted for it. */
  readonly evicted: readonly MessageRow[];
  /** Once the message is stored, or is not. */
  end(): void;
}

/** Keeps the inbox within its capacity. Groups of parts count as the one message that they will be. */
export class Capacity {
  readonly #table: InboxTable;
  readonly #evicting = new Set<MessageId>();
  #reserved = 0;

  constructor(table: InboxTable) {
    this.#table = table;
  }

  /** Throws GatewayError store_full. */
  reserve({ capacity, evict }: InboxPolicy): Reservation {
    const { visible, groups, hidden } = this.#table;
    // Messages that were deleted but cannot be forwarded take no place, until they are as many as the capacity.
    const stuck = Math.max(0, hidden - capacity);
    const used = visible.size + groups.waiting + stuck + this.#reserved - this.#evicting.size;
    const excess = Math.max(0, used + 1 - capacity);
    const evicted = evict && excess > 0 ? this.#oldestRead(excess) : [];
    if (evicted.length < excess) throw new GatewayError('store_full', `the inbox is full with ${used} messages`);
    this.#reserved += 1;
    for (const { id } of evicted) this.#evicting.add(id);
    return {
      evicted,
      end: () => {
        this.#reserved -= 1;
        for (const { id } of evicted) this.#evicting.delete(id);
      },
    };
  }

  #oldestRead(count: number): readonly MessageRow[] {
    const found: MessageRow[] = [];
    for (const row of this.#table.visible.values()) {
      if (found.length === count) break;
      if (row.read && !this.#evicting.has(row.id)) found.push(row);
    }
    return found;
  }
}
