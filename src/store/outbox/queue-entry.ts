import type { MessageId } from '../message.ts';
import { progress, progressOf } from './part.ts';
import type { OutboxRow } from './row.ts';

/** A part whose answer from the modem never came. */
export interface Doubt {
  readonly entry: QueueEntry;
  readonly p: number;
  readonly modem: string;
  /** The TP-MR that it has if it was sent, when that can be foretold. */
  mr?: number | undefined;
  /** The modem gave an error, which is no proof: a TP-MR that is gone, or the lack of evidence, decides as well. */
  open?: boolean;
}

/** Why an entry is not to be had. `until` is by the monotonic clock. */
type Hold =
  /** Its `notBefore` has not come: it does not hold up others either. */
  | { readonly type: 'scheduled' }
  /** A modem has it. */
  | { readonly type: 'taken'; readonly modem: string }
  /** It was tried in vain; `refused`, if the network perhaps took it although the modem said that it did not. */
  | { readonly type: 'resting'; readonly until: number; readonly refused?: Doubt | undefined }
  | { readonly type: 'doubtful'; readonly doubt: Doubt; readonly until: number }
  /** The outbox is writing a change of it. */
  | { readonly type: 'changing' };

/** A waiting message as the queue sees it. It runs ahead of its row, which follows when the journal has the records. */
export class QueueEntry {
  readonly row: OutboxRow;
  /** First part that no modem has accepted. */
  next: number;
  /** The modem that must send it; undefined for any. */
  boundTo: string | undefined;
  /** Some part was accepted or perhaps sent. */
  begun: boolean;
  failures: number;
  /** How often a modem called it wrong, and how many parts that modem had taken by then. */
  wrong: { readonly tries: number; readonly taken: number } | undefined;
  hold: Hold | undefined;

  constructor(row: OutboxRow) {
    this.row = row;
    this.next = row.nextUnsent();
    this.boundTo = row.boundTo;
    this.begun = row.begun;
    this.failures = row.failures;
  }

  get id(): MessageId {
    return this.row.id;
  }

  /** Whether the submitter may still change his mind: no modem has, had, or perhaps had any of it. */
  get untouched(): boolean {
    return !this.begun && (this.hold === undefined || this.hold.type === 'resting' || this.hold.type === 'scheduled');
  }

  /** A part was given to a modem in an earlier run, which ended before the answer was known. */
  get interrupted(): boolean {
    return progressOf(this.row.parts[this.next] ?? 0) === progress.attempted;
  }

  /** Takes over what has become durable; whether that changes its place in the queue. */
  follow(): boolean {
    const { begun, boundTo } = this.row;
    if (this.begun === begun && this.boundTo === boundTo) return false;
    this.begun = begun;
    this.boundTo = boundTo;
    return true;
  }

  get refused(): Doubt | undefined {
    return this.hold?.type === 'resting' ? this.hold.refused : undefined;
  }

  get doubt(): Doubt | undefined {
    return this.hold?.type === 'doubtful' ? this.hold.doubt : undefined;
  }
}
