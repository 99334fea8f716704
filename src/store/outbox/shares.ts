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

/** Rows in the order of their ids, and what they take: all of them, and those of each source. */
export class OutboxRows extends Ordered<OutboxRow> {
  readonly #bySource = new Map<string, Load>();
  #octets = 0;

  get octets(): number {
    return this.#octets;
  }

  bySource(source: string): Load {
    return this.#bySource.get(source) ?? nothing;
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

  #count({ source, octets }: OutboxRow, sign: 1 | -1): void {
    this.#octets += sign * octets;
    const load = this.bySource(source);
    const messages = load.messages + sign;
    if (messages === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, { messages, octets: load.octets + sign * octets });
  }
}

/** The last tenth of a room is for sources that hold less than a tenth: one that floods keeps nobody else out. */
const SHARE = 0.1;
/** A room of fewer than this is too small to be shared out. */
const SHARED_FROM = 100;

/** Whether a source that holds `own` may take `more` of a room of which `all` are taken. */
export function mayTake(room: number, all: number, own: number, more: number): boolean {
  const share = room < SHARED_FROM ? 0 : Math.floor(room * SHARE);
  return all + more <= (own + more <= share ? room : room - share);
}
