import type { Clock } from '../../base/clock.ts';
import type { AtError } from './answer.ts';
import { finalResult } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { type SubmitFailure, type SubmitInput, type SubmitState, submitStart, submitStep } from './submit-machine.ts';

export type SubmitResult =
  /** `mr` is absent when the modem said OK without a reference. */
  { readonly type: 'accepted'; readonly mr?: number } | SubmitFailure;

export interface SubmitDeadlines {
  /** ms from the command to the prompt. */
  readonly prompt: number;
  /** ms from the PDU to the answer of the network, through the modem. */
  readonly reference: number;
}

/**
 * ms from the PDU to a question in between. A modem works at one command after the other: when it answers the question,
 * the answer to the message is lost, and no other command has to wait for it. A modem that is still at the message answers
 * later or not at all; +CMGS is not one of the commands that a character aborts (V.250 5.6.1).
 */
const QUESTION_AFTER = 10_000;
/** Not the question of a resynchronisation, so that its answer cannot pass for one. */
const QUESTION = 'AT+CMGF?';
const QUESTION_ANSWER = /^\+CMGF:/;

/** ms from the reference to the OK behind it. */
const OK_WAIT = 5_000;
/** ms from giving up to the end of the wait for an answer: an orderly stop of the gateway has 4 s for everything. */
const LAST_WAIT = 2_000;

const CTRL_Z = '\x1a';
const ESC = '\x1b';

/** The TP-MR of a line `+CMGS: <mr>`. */
export function submittedReference(line: string): number | undefined {
  const mr = /^\+CMGS:\s*(\d{1,3})/.exec(line)?.[1];
  return mr === undefined ? undefined : Number(mr) & 0xff;
}

export function refusedBy(error: AtError): Extract<SubmitFailure, { type: 'refused' }> {
  const cause = error.kind === 'cms' && error.causeCode !== undefined ? { cause: error.causeCode } : {};
  return { type: 'refused', reason: error.message, ...cause };
}

/** One AT+CMGS on its way: drives the state machine with the line, the clock and the caller's signal. */
export class Submission implements Exchange {
  readonly echo: string;
  readonly expected = '+CMGS';
  readonly result: Promise<SubmitResult>;
  complete = false;
  readonly #pdu: string;
  readonly #write: (text: string) => Promise<void>;
  readonly #deadlines: SubmitDeadlines;
  readonly #clock: Clock;
  #state: SubmitState = submitStart;
  #settle: (result: SubmitResult) => void = () => {};
  #cancelTimer: () => void = () => {};
  #cancelQuestion: () => void = () => {};
  #question: 'not_asked' | 'asked' | 'answered' = 'not_asked';

  /** `length` counts the octets of the TPDU, without the SMSC field; `pdu` is hexadecimal, with it. */
  constructor(
    length: number,
    pdu: string,
    deadlines: SubmitDeadlines,
    clock: Clock,
    write: (text: string) => Promise<void>,
  ) {
    this.echo = `AT+CMGS=${length}`;
    this.#pdu = pdu;
    this.#deadlines = deadlines;
    this.#clock = clock;
    this.#write = write;
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  start(): void {
    this.#deadline(this.#deadlines.prompt, 'no prompt');
    this.#send(`${this.echo}\r`);
  }

  line(text: string): boolean {
    // The echo of the PDU, with or without its end mark.
    if (text.replace(CTRL_Z, '') === this.#pdu) return true;
    if (this.#question !== 'not_asked' && QUESTION_ANSWER.test(text)) {
      this.#question = 'answered';
      return true;
    }
    const mr = submittedReference(text);
    const final = finalResult(text);
    if (mr !== undefined) this.#feed({ type: 'reference', mr });
    else if (final !== undefined && this.#question === 'answered') this.#passedOver();
    else if (final?.ok === true) this.#feed({ type: 'ok' });
    else if (final?.ok === false) this.#refused(final.error);
    else return false;
    return true;
  }

  prompt(): void {
    this.#feed({ type: 'prompt' });
  }

  end(error: AtError): void {
    const aborted = error.kind === 'aborted';
    this.#feed(aborted ? { type: 'aborted' } : { type: 'broken', reason: error.message });
    if (aborted && !this.#ended) this.#deadline(LAST_WAIT, 'given up before the answer came');
  }

  get #ended(): boolean {
    return this.#state.at === 'success' || this.#state.at === 'failure';
  }

  #refused(error: AtError): void {
    this.complete = this.#question === 'not_asked';
    this.#feed(refusedBy(error));
  }

  /** The modem has answered what was asked after the message. */
  #passedOver(): void {
    this.complete = true;
    this.#feed({ type: 'broken', reason: 'the answer to the message was lost' });
  }

  #ask(): void {
    this.#question = 'asked';
    this.#write(`${QUESTION}\r`).catch((error: Error) => this.#feed({ type: 'broken', reason: error.message }));
  }

  #feed(input: SubmitInput): void {
    if (this.#ended) return;
    const { state, effect } = submitStep(this.#state, input);
    if (input.type === 'ok') this.complete = state.at === 'success' && this.#question === 'not_asked';
    const moved = state.at !== this.#state.at;
    this.#state = state;
    if (moved) this.#entered(state);
    // Last: the answer may be here before the write returns.
    if (effect === 'escape') void this.#write(ESC).catch(() => {});
    if (effect === 'writePdu') this.#send(this.#pdu + CTRL_Z);
  }

  #entered(state: SubmitState): void {
    if (state.at === 'sendingPdu') {
      this.#deadline(this.#deadlines.reference, 'no answer to the message');
      this.#cancelQuestion = this.#clock.after(QUESTION_AFTER, () => this.#ask());
    } else if (state.at === 'waitingForOk') this.#deadline(OK_WAIT, 'no OK behind the reference');
    else if (state.at === 'success') this.#finish(state.mr === undefined ? {} : { mr: state.mr });
    else if (state.at === 'failure') this.#finish(state.failure);
  }

  #finish(result: SubmitFailure | { readonly mr?: number }): void {
    this.#cancelTimer();
    this.#cancelQuestion();
    this.#settle('type' in result ? result : { type: 'accepted', ...result });
  }

  #send(text: string): void {
    this.#write(text).then(
      () => this.#feed({ type: 'written' }),
      (error: Error) => this.#feed({ type: 'broken', reason: error.message }),
    );
  }

  #deadline(ms: number, reason: string): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(ms, () => this.#feed({ type: 'broken', reason }));
  }
}
