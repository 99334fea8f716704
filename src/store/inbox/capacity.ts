import { GatewayError } from '../../base/errors.ts';
import type { MessageId } from '../message.ts';
import type { Group, Groups } from './groups.ts';
import type { MessageRow } from './rows.ts';
import type { InboxTable } from './table.ts';

/** The rules of the inbox, from the `gateway` section. */
export interface InboxPolicy {
  /** Messages that it holds at most. */
  readonly capacity: number;
  /** Whether a full inbox drops its oldest read message for a new one. Otherwise new ones stay on the modem. */
  readonly evict: boolean;
  /** How long the missing parts of a message are waited for. */
  readonly partTimeoutHours: number;
}

/** Incomplete messages, in all and of one sender, as shares of the capacity within bounds. `access/budgets.ts` lists them. */
const ROOM = { percent: 10, floor: 10, ceiling: 500 };
const BY_SENDER = { percent: 2.5, floor: 3, ceiling: 125 };

/** Read messages that go for one new one: after a smaller capacity is set there are more than a record has room for. */
const EVICTED_AT_ONCE = 256;

/** Messages for rules and the like that are taken even while memory is scarce. */
const PASSING_WHEN_SCARCE = 100;

/** How many messages may wait for missing parts, in all and of one sender, in an inbox of that capacity. */
export function incompleteRoom(capacity: number): { readonly all: number; readonly bySender: number } {
  const within = ({ percent, floor, ceiling }: typeof ROOM) =>
    Math.min(Math.max(Math.floor((capacity * percent) / 100), floor), ceiling);
  return { all: within(ROOM), bySender: within(BY_SENDER) };
}

/** A place for one message more. */
export interface Reservation {
  /** Read messages that must be deleted for it. */
  readonly evicted: readonly MessageRow[];
  /** Once the message is stored, or is not. */
  end(): void;
}

/** Messages on their way into the table, by what they are there afterwards. */
type Coming = 'whole' | 'incomplete' | 'completed' | 'passing';

/**
 * Keeps the inbox within its capacity. An incomplete message counts as the one that it will be. In a full inbox some may
 * begin beyond the capacity: only when they are whole it is known whether they are for a module, and need no place.
 */
export class Capacity {
  readonly #table: InboxTable;
  readonly #evicting = new Set<MessageId>();
  readonly #coming: Record<Coming, number> = { whole: 0, incomplete: 0, completed: 0, passing: 0 };
  readonly #isScarce: () => boolean;

  /** While memory is scarce there is no room for more messages than there are, whatever the capacity says. */
  constructor(table: InboxTable, isScarce: () => boolean) {
    this.#table = table;
    this.#isScarce = isScarce;
  }

  /** For a message of one part. Throws GatewayError store_full. */
  reserve(policy: InboxPolicy): Reservation {
    return this.#reserve('whole', policy, this.#used(policy));
  }

  /** For the part of a longer message that comes first. Throws GatewayError store_full. */
  reserveIncomplete(policy: InboxPolicy, sender: string): Reservation {
    const used = this.#used(policy);
    try {
      return this.#reserve('incomplete', policy, used);
    } catch (error) {
      const { groups } = this.#table;
      const room = incompleteRoom(policy.capacity);
      const own = groups.waiting.filter((group) => group.sender === sender).length;
      // One more would have the oldest given up, which is a message of the inbox then.
      const displaces = own >= room.bySender || groups.waitingCount + this.#coming.incomplete >= room.all;
      if (displaces || used >= policy.capacity + room.all) throw error;
      return this.#take('incomplete', []);
    }
  }

  /** For an incomplete message that becomes whole. Throws GatewayError store_full. */
  reserveCompleted(policy: InboxPolicy): Reservation {
    // Others that wait for parts do not keep it out, whichever came first.
    const { whole, completed } = this.#coming;
    return this.#reserve('completed', policy, this.#shown(policy) + whole + completed);
  }

  /**
   * For a message that is only passed on to modules; undefined when as many as the capacity wait for that, or were kept
   * because it failed.
   */
  reservePassing({ capacity }: InboxPolicy): Reservation | undefined {
    const { visible, hidden } = this.#table;
    const beyond = hidden + Math.max(0, visible.size - capacity) + this.#coming.passing;
    const room = this.#isScarce() ? Math.min(capacity, PASSING_WHEN_SCARCE) : capacity;
    return beyond < room ? this.#take('passing', []) : undefined;
  }

  #shown({ capacity }: InboxPolicy): number {
    const { visible, hidden } = this.#table;
    // Messages that were deleted but cannot be forwarded take no place, until they are as many as the capacity.
    return visible.size + Math.max(0, hidden - capacity) - this.#evicting.size;
  }

  #used(policy: InboxPolicy): number {
    const { whole, incomplete } = this.#coming;
    return this.#shown(policy) + this.#table.groups.waitingCount + whole + incomplete;
  }

  #reserve(coming: Coming, { capacity, evict }: InboxPolicy, used: number): Reservation {
    const scarce = coming !== 'completed' && this.#isScarce();
    const excess = Math.max(scarce ? 1 : 0, used + 1 - capacity);
    const needed = Math.min(excess, EVICTED_AT_ONCE);
    const evicted = evict && needed > 0 ? this.#oldestRead(needed) : [];
    if (evicted.length < needed) {
      const why = scarce ? 'the process is short of memory' : 'the inbox is full';
      throw new GatewayError('store_full', `${why} with ${used} messages`);
    }
    return this.#take(coming, evicted);
  }

  #take(coming: Coming, evicted: readonly MessageRow[]): Reservation {
    this.#coming[coming] += 1;
    for (const { id } of evicted) this.#evicting.add(id);
    return {
      evicted,
      end: () => {
        this.#coming[coming] -= 1;
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

/** The incomplete message that must go for a newer one: the oldest of the sender, or of all. */
export function incompleteExcess(groups: Groups, { capacity }: InboxPolicy, sender: string): Group | undefined {
  const room = incompleteRoom(capacity);
  const { waiting } = groups;
  const own = waiting.filter((group) => group.sender === sender);
  if (own.length > room.bySender) return own[0];
  return waiting.length > room.all ? waiting[0] : undefined;
}
