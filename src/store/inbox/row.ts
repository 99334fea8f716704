import type { RecordRef } from '../journal/journal.ts';
import type { MessageId } from '../message.ts';

/** What stays in memory of a message; the text is read from the journal. */
export class MessageRow {
  readonly id: MessageId;
  readonly index: number;
  readonly modem: string;
  readonly number: string;
  /** Replace short message type, 0 for none. */
  readonly replaces: number;
  /** Time stamp of the service centre, ms since the epoch. */
  readonly time: number;
  readonly total: number;
  /** When the last part came, ms since the epoch. */
  received: number;
  missing: number;
  read = false;
  /** The modules were asked what they want done with it. */
  dispatched = false;
  /** Its records in the order of the journal. */
  refs: readonly RecordRef[];

  constructor(facts: Omit<MessageRow, 'read' | 'dispatched'>) {
    this.id = facts.id;
    this.index = facts.index;
    this.modem = facts.modem;
    this.number = facts.number;
    this.replaces = facts.replaces;
    this.time = facts.time;
    this.total = facts.total;
    this.received = facts.received;
    this.missing = facts.missing;
    this.refs = facts.refs;
  }
}
