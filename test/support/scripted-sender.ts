import { outcome } from '../../src/modem/submit-part.ts';
import { decodeDcs, userDataText } from '../../src/sms/index.ts';
import type { PartToSend, Rejection, Sender, SendOutcome } from '../../src/store/sender.ts';

type Step = SendOutcome | ((part: PartToSend, signal: AbortSignal) => SendOutcome | Promise<SendOutcome>);

/** What a modem was given. `taken`: the network has it, whatever the gateway was told. */
export interface Given {
  readonly number: string;
  readonly text: string;
  readonly part: PartToSend;
  readonly taken: boolean;
}

/** A modem as the outbox sees it, which answers by a script and otherwise accepts everything, counting TP-MR. */
export class ScriptedSender implements Sender {
  readonly name: string;
  ready = true;
  epoch = 1;
  /** The TP-MR of the next message that the network takes. */
  mr: number;
  readonly given: Given[] = [];
  readonly #script: Step[] = [];

  constructor(name = 'gsm0', mr = 0) {
    this.name = name;
    this.mr = mr;
  }

  get texts(): readonly string[] {
    return this.given.map(({ text }) => text);
  }

  /** The next sends end so, in this order. */
  will(...steps: readonly Step[]): this {
    this.#script.push(...steps);
    return this;
  }

  /** The next send waits until the result is called. */
  block(): (outcome?: SendOutcome) => void {
    let release: (outcome?: SendOutcome) => void = () => undefined;
    const gate = new Promise<SendOutcome | undefined>((resolve) => {
      release = resolve;
    });
    this.will(async () => (await gate) ?? this.accept());
    return (outcome) => release(outcome);
  }

  /** The network takes a message. */
  accept(): SendOutcome {
    const { mr } = this;
    this.mr = (mr + 1) & 0xff;
    return { type: 'accepted', mr };
  }

  async send(part: PartToSend, signal: AbortSignal): Promise<SendOutcome> {
    const before = this.mr;
    const step = this.#script.shift();
    const index = this.given.length;
    const userData = { elements: [], data: part.data };
    const text = decodeDcs(part.dcs).alphabet === '8bit' ? '' : userDataText(part.dcs, userData);
    this.given.push({ number: part.number, text, part, taken: false });
    const outcome = step === undefined ? this.accept() : typeof step === 'function' ? await step(part, signal) : step;
    const taken = outcome.type === 'accepted' || this.mr !== before;
    this.given[index] = { number: part.number, text, part, taken };
    return outcome;
  }
}

/** The refusal that the driver makes of this +CMS ERROR cause, or of plain ERROR. */
export const refusedWith = (cause?: number, reason = 'refused'): Rejection => {
  const rejection = outcome({ type: 'refused', ...(cause !== undefined && { cause }), reason });
  if (rejection.type !== 'rejected') throw new Error(`cause ${cause} is no refusal`);
  return { ...rejection, reason };
};
export const rejected = (cause?: number): Rejection => refusedWith(cause, 'network out of order');
export const refused: Rejection = refusedWith(1, 'unassigned number');
export const unavailable: SendOutcome = { type: 'unavailable', reason: 'no prompt' };
export const silent: SendOutcome = { type: 'ambiguous', reason: 'no answer' };
