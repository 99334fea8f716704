import type { MessageId } from '../message.ts';
import { Ordered } from './queue.ts';
import type { OutboxRow } from './row.ts';

/** What messages take together. */
export interface Load {
  readonly messages: number;
  /** In the journal. */
  readonly octets: number;
}

const nothing: Load = { messages: 0, octets: 0 };

/** Rows in the order of their ids, and what they take: all of them, and those of each holder of a share. */
export class OutboxRows extends Ordered<OutboxRow> {
  readonly #byHolder = new Map<string, Load>();
  #octets = 0;

  get octets(): number {
    return this.#octets;
  }

  byHolder(holder: string): Load {
    return this.#byHolder.get(holder) ?? nothing;
  }

  override add(row: OutboxRow): void {
    this.delete(row.id);
    super.add(row);
    this.#count(row, 1);
  }

  override delete(id: MessageId): boolean {
    const row = this.get(id);
    if (row === undefined) return false;
    this.#count(row, -1);
    return super.delete(id);
  }

  #count(row: OutboxRow, sign: 1 | -1): void {
    this.#octets += sign * row.octets;
    for (const holder of row.holders) this.#countFor(holder, sign * row.octets, sign);
  }

  #countFor(holder: string, octets: number, sign: 1 | -1): void {
    const load = this.byHolder(holder);
    const messages = load.messages + sign;
    if (messages === 0) this.#byHolder.delete(holder);
    else this.#byHolder.set(holder, { messages, octets: load.octets + octets });
  }
}

/**
 * The last tenth of a room is for sources that hold less than a tenth: one that floods keeps nobody else out. Of what is left to
 * a source the last tenth is for those of its users who hold less.
 */
const SHARE = 0.1;
/** A room of fewer than this is too small to be shared out. */
const SHARED_FROM = 100;

/** Whether `more` may be taken of a room of which `all` are taken: `own` of them by the source, and by its user. */
export function mayTake(room: number, all: number, own: readonly number[], more: number): boolean {
  const share = room < SHARED_FROM ? 0 : Math.floor(room * SHARE);
  const large = own.filter((held) => held + more > share);
  return all + more <= room - large.length * share;
}
