/**
 * Evidence from TP-MR. Most modems count the messages that leave (TS 23.040 9.2.3.6), so the number that the next
 * accepted message gets shows whether a doubtful one before it used up a number. That holds for a modem that was seen
 * counting, as long as it has not been reset (its epoch), and while the network rejected no message in between: that one
 * may have used up a number as well. Where a modem was seen to count rejected messages, a number that is gone proves
 * nothing against its word that a message was not sent.
 */
export type Verdict<D> =
  | { readonly type: 'sent'; readonly doubt: D; readonly mr: number }
  | { readonly type: 'not_sent'; readonly doubt: D };

/** Steps of exactly one in a row after which a modem counts as counting. */
export const TRUSTED_STEPS = 2;

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

  /** The network refused a part. Gives the TP-MR that it has if it was sent all the same, when that can be foretold. */
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

  /** The TP-MR of the next part. With a doubt before it, it depends on the fate of that one. */
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
