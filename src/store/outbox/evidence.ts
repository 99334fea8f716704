import { sameSubscriber } from '../../base/phone-number.ts';
import type { MessageId } from '../message.ts';
import type { PartReport } from '../sender.ts';
import { mrOf, progress, progressOf } from './part.ts';
import type { OutboxRow } from './row.ts';

/**
 * Evidence from TP-MR. Most modems count the messages that leave (TS 23.040 9.2.3.6), so the number that the next
 * accepted message gets shows whether a doubtful one before it used up a number. That holds for a modem that was seen
 * counting, as long as it has not been reset (its epoch), and while the network rejected no message in between,
 * which may have used up a number as well. Where a modem was seen to count rejected messages, a number that is gone proves
 * nothing against its word that a message was not sent.
 */
export type Verdict<D> =
  | { readonly type: 'sent'; readonly doubt: D; readonly mr: number }
  | { readonly type: 'not_sent'; readonly doubt: D };

/** Steps of exactly one in a row after which a modem counts as counting. */
const TRUSTED_STEPS = 2;

export const step = (from: number, to: number): number => (to - from) & 0xff;

/** What the last run of the gateway knew: the TP-MR of the last accepted part, how often it went up by one, and the doubts since. */
export interface MrPast<D> {
  readonly last: number;
  readonly steps: number;
  readonly doubts: readonly D[];
}

interface Open<D> {
  readonly doubt: D;
  /** The modem said that it was not sent. */
  readonly refused: boolean;
}

export class MrEvidence<D> {
  #epoch: number | undefined;
  #last: number | undefined;
  #steps = 0;
  #doubts: Open<D>[] = [];
  /** How many parts the network has refused since the last accepted one, and the TP-MR of that. */
  #refusals = 0;
  #rejectedAfter: number | undefined;
  /** Refused messages use up a number as well, on this modem: so a number that is gone is no evidence against a refusal. */
  #refusedCount = false;

  /** The past holds for epoch 0, in which the modem was not reset since. */
  constructor(past?: MrPast<D>) {
    if (past === undefined) return;
    this.#epoch = 0;
    this.#last = past.last;
    this.#steps = past.steps;
    this.#doubts = past.doubts.map((doubt) => ({ doubt, refused: false }));
  }

  /** Whether the TP-MR of the next part that is accepted may decide over a doubt. */
  get decides(): boolean {
    return this.#last !== undefined && this.#steps >= TRUSTED_STEPS;
  }

  /** A part went out and no answer came. Gives the TP-MR that it has if it was sent, when that can be foretold. */
  ambiguous(epoch: number, doubt: D): number | undefined {
    return this.#open(epoch, { doubt, refused: false });
  }

  /** The modem says that it did not send a part, and may be wrong. Gives what `ambiguous` gives. */
  refused(epoch: number, doubt: D): number | undefined {
    return this.#open(epoch, { doubt, refused: true });
  }

  /** The network refused a part. Gives the TP-MR that it has if it was sent nevertheless, when that can be foretold. */
  rejected(epoch: number): number | undefined {
    this.#enter(epoch);
    const mr = this.#foretold();
    this.#refusals = this.#doubts.length === 0 ? this.#refusals + 1 : 0;
    this.#rejectedAfter = this.#refusals > 0 ? (this.#rejectedAfter ?? this.#last) : undefined;
    this.#last = undefined;
    this.#doubts = [];
    return mr;
  }

  /** A part was accepted with this TP-MR: what that says of the doubts before it. */
  accepted(epoch: number, mr: number): readonly Verdict<D>[] {
    this.#enter(epoch);
    this.#learn(mr);
    const [last, doubts, trusted] = [this.#last, this.#doubts, this.#steps >= TRUSTED_STEPS];
    this.#last = mr;
    this.#doubts = [];
    if (last === undefined) return [];
    const steps = step(last, mr);
    if (doubts.length === 0) {
      this.#steps = steps === 1 ? this.#steps + 1 : 0;
      return [];
    }
    const plausible = steps >= 1 && steps <= doubts.length + 1;
    if (!plausible) this.#steps = 0;
    if (!trusted || !plausible) return [];
    if (steps === 1) return doubts.map(({ doubt }) => ({ type: 'not_sent', doubt }));
    // Some were sent, and which ones is open unless it is all of them.
    if (steps !== doubts.length + 1) return [];
    if (this.#refusedCount && doubts.some(({ refused }) => refused)) return [];
    return doubts.map(({ doubt }, i) => ({ type: 'sent', doubt, mr: (last + 1 + i) & 0xff }));
  }

  /** A status report has shown that the part was sent with this TP-MR. */
  confirmed(doubt: D, mr: number): void {
    if (!this.#doubts.some((open) => open.doubt === doubt)) return;
    this.#last = this.#doubts.length === 1 ? mr : undefined;
    this.#doubts = [];
  }

  #open(epoch: number, open: Open<D>): number | undefined {
    this.#enter(epoch);
    const mr = this.#foretold();
    this.#doubts.push(open);
    this.#rejectedAfter = undefined;
    return mr;
  }

  /** Whether the parts that the network refused in between have used up numbers. */
  #learn(mr: number): void {
    if (this.#rejectedAfter !== undefined && this.#steps >= TRUSTED_STEPS) {
      const steps = step(this.#rejectedAfter, mr);
      if (steps === 1) this.#refusedCount = false;
      else if (steps <= this.#refusals + 1) this.#refusedCount = true;
    }
    this.#rejectedAfter = undefined;
    this.#refusals = 0;
  }

  /** The TP-MR of the next part. With a doubt before it, it depends on the fate of the doubtful part. */
  #foretold(): number | undefined {
    if (this.#last === undefined || !this.decides || this.#doubts.length > 0) return undefined;
    return (this.#last + 1) & 0xff;
  }

  #enter(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#last = undefined;
    this.#steps = 0;
    this.#doubts = [];
    this.#refusals = 0;
    this.#rejectedAfter = undefined;
  }
}

/** A part that was given to a modem. */
export type Given = readonly [id: MessageId, part: number];

/**
 * Where the TP-MR of one modem stands, as the records show it, so that the next one is evidence after a restart as well.
 * Where they leave anything open, it knows nothing.
 */
export class MrTrail {
  /** TP-MR of the last part that was accepted, and how often in a row it went up by one until then. */
  last: number | undefined;
  steps: number;
  /** Parts that were given to the modem since, with no outcome. */
  open: readonly Given[];

  constructor(last?: number, steps = 0, open: readonly Given[] = []) {
    this.last = last;
    this.steps = steps;
    this.open = open;
  }

  /** Whether the next TP-MR decides over the part: the modem counts, and no other part is in doubt. */
  decides(id: MessageId): boolean {
    return this.last !== undefined && this.steps >= TRUSTED_STEPS && this.open.length === 1 && this.#isOpen(id);
  }

  attempted(id: MessageId, part: number, reset: boolean): void {
    if (reset) this.#forget();
    this.open = [...this.open, [id, part]];
  }

  accepted(id: MessageId, part: number, mr: number): void {
    const doubts = this.open.findLastIndex((given) => given[0] === id && given[1] === part);
    // It was a doubt itself, and a later part has decided over it.
    if (doubts === -1) return;
    const steps = this.last === undefined ? 0 : step(this.last, mr);
    // Each doubt before it may have used up a number.
    if (steps < 1 || steps > doubts + 1) this.steps = 0;
    else if (doubts === 0) this.steps += 1;
    this.last = mr;
    this.open = this.open.slice(doubts + 1);
  }

  /** A part of the message ended otherwise. If it was refused, it may have used up a number. */
  ended(id: MessageId): void {
    if (this.#isOpen(id)) this.#forget();
  }

  #isOpen(id: MessageId): boolean {
    return this.open.some((given) => given[0] === id);
  }

  #forget(): void {
    this.last = undefined;
    this.steps = 0;
    this.open = [];
  }
}

export type ReportMatch =
  /** The part that it reports on. */
  | { readonly row: OutboxRow; readonly part: number }
  /** A part that has its final report already. */
  | 'repeated';

/**
 * Finds the part that a status report belongs to. TP-MR has 256 values only, so several messages to one recipient can
 * share one: the newest that still waits for its report is meant.
 */
export class ReportIndex {
  /** Rows with an accepted part, by modem and TP-MR, oldest first. Entries may be out of date: the rows decide. */
  readonly #rows = new Map<string, OutboxRow[]>();

  add(row: OutboxRow, mr: number): void {
    if (row.report === false || row.via === undefined) return;
    const key = keyOf(row.via, mr);
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, [row]);
    else if (!rows.includes(row)) rows.push(row);
  }

  addAll(row: OutboxRow): void {
    for (const part of row.parts) if (progressOf(part) >= progress.sent) this.add(row, mrOf(part));
  }

  /** The row has left memory. */
  delete(row: OutboxRow): void {
    for (const part of row.parts) {
      const key = row.via === undefined ? '' : keyOf(row.via, mrOf(part));
      const rows = this.#rows.get(key);
      const at = rows?.indexOf(row) ?? -1;
      if (at >= 0) rows?.splice(at, 1);
      if (rows?.length === 0) this.#rows.delete(key);
    }
  }

  find({ modem, mr, number }: PartReport): ReportMatch | undefined {
    const rows = this.#rows.get(keyOf(modem, mr)) ?? [];
    let repeated = false;
    for (let i = rows.length - 1; i >= 0; i--) {
      const row = rows[i];
      if (row === undefined || row.via !== modem || !sameSubscriber(row.number, number)) continue;
      const waits = row.parts.findIndex((part) => mrOf(part) === mr && progressOf(part) === progress.sent);
      if (waits >= 0) return { row, part: waits };
      repeated ||= row.parts.some((part) => mrOf(part) === mr && progressOf(part) > progress.sent);
    }
    return repeated ? 'repeated' : undefined;
  }
}

const keyOf = (modem: string, mr: number) => `${modem}/${mr}`;
