import { sleep } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { PhoneNumber } from '../../base/phone-number.ts';
import type { Config, RuleConfig } from '../../config/config.ts';
import { segment } from '../../sms/index.ts';
import type { InboxMessage, OutboxMessage } from '../../store/message.ts';
import type { Router } from '../../system/router.ts';
import type { ModuleContext } from '../host/contract.ts';
import { replyModem } from '../kit/delivery.ts';
import { senderNumber } from '../kit/received-message.ts';

export interface RulesConfig extends Pick<Config, 'commands'> {
  /** Those that are enabled. */
  readonly rules: Config['rules'];
  /** Of the gateway, where it sets them: what goes before those of the system. */
  readonly secrets: Pick<Config['gateway'], 'admin_password' | 'serial'>;
}

export type RulesContext = ModuleContext<RulesConfig>;

/** A rule that is to be carried out: its message is fresh, and its sender may. */
export interface Execution {
  readonly rule: RuleConfig;
  readonly message: InboxMessage;
  /** What stands behind the rule's text in the message. */
  readonly args: string;
  readonly signal: AbortSignal;
  /** To be awaited before anything that must not happen twice: a crash behind it ends the execution for good. */
  readonly commit: () => Promise<void>;
  readonly pulses: Pulses;
}

/** What came of it. */
export interface Result {
  readonly failed?: true;
  /** For the log: what was done or why not, without what a program printed. */
  readonly summary: string;
  /** For whoever wrote the message. */
  readonly answer?: string;
}

export type Action = (context: RulesContext, execution: Execution) => Promise<Result>;

/**
 * Submits an answer to whoever the rule says; `kind` keeps the answers of one execution apart. Repeated, it gives what
 * was submitted the first time. An answer that a ceiling stops is left out: strangers who use it up must not hold back
 * what a rule does. Throws else as Outbox.submit.
 */
export async function sendAnswer(
  context: RulesContext,
  { rule, message }: Pick<Execution, 'rule' | 'message'>,
  kind: string,
  text: string,
): Promise<readonly OutboxMessage[]> {
  const { outbox, name, log } = context;
  const fixed = rule.action === 'switch_modem' ? undefined : rule.modem;
  const answers = recipients(rule, message).map(async (number) => {
    try {
      return await outbox.submit({
        ...{ number, source: name, clientRef: `${message.id}:${kind}:${number}` },
        content: { type: 'text', text: cutToParts(printable(text), rule.max_parts) },
        ...(fixed === undefined ? replyModem(message, context) : { modem: fixed }),
      });
    } catch (error) {
      if (!isOverLimit(error)) throw error;
      log.info(`no answer of rule ${rule.section} to ${number}: ${error.message}`);
      return undefined;
    }
  });
  return (await Promise.all(answers)).filter((answer) => answer !== undefined);
}

/** Whether a ceiling, or a prefix that is not allowed, is in the way. */
export const isOverLimit = (error: unknown): error is GatewayError =>
  error instanceof GatewayError && (error.code === 'limit_reached' || error.code === 'number_denied');

function recipients({ to_other_phone, to_number }: Execution['rule'], message: InboxMessage): readonly PhoneNumber[] {
  if (to_other_phone) return [...new Set(to_number)];
  const number = senderNumber(message);
  return number === undefined ? [] : [number];
}

const ELLIPSIS = '...';

/** The text, or as much of its begin as fits in that many parts of a long SMS. */
function cutToParts(text: string, parts: number): string {
  if (fits(text, parts)) return text;
  const characters = [...text];
  let [fitting, tooMany] = [0, characters.length];
  while (tooMany - fitting > 1) {
    const middle = (fitting + tooMany) >> 1;
    if (fits(characters.slice(0, middle).join('') + ELLIPSIS, parts)) fitting = middle;
    else tooMany = middle;
  }
  return characters.slice(0, fitting).join('').trimEnd() + ELLIPSIS;
}

/** Characters that no part can be short of, to keep the measuring cheap. */
const MAX_IN_PART = 160;

const fits = (text: string, parts: number): boolean =>
  text.length <= parts * MAX_IN_PART && segment(text).parts.length <= parts;

/** What programs print is made for terminals. */
const printable = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all but the line break
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')
    .trim();

/** Longest wait for one answer on ubus, ms. */
const CALL_MS = 15_000;
/** How long a change may take to show before the answer says what is the case by then, ms; mobile networks are slow. */
const SETTLE_MS = 60_000;
/** Pauses between two looks, ms: each look is a program that a small router has to start. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 8_000;

/** Limits of one call. */
export const limits = ({ clock }: RulesContext, signal: AbortSignal, deadline = CALL_MS) => ({
  clock,
  signal,
  deadline,
});

/** The router's services, until the rules stop. */
export const routerOf = (context: RulesContext, { signal }: Pick<Execution, 'signal'>): Router =>
  context.system.router(limits(context, signal));

/** Reads until it is as wanted, or the time for that is over; gives what is the case then. */
export async function settled<T>(
  { clock }: RulesContext,
  { signal }: Execution,
  read: () => Promise<T>,
  wanted: (state: T) => boolean,
): Promise<T> {
  const end = clock.monotonic() + SETTLE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const state = await read();
    if (wanted(state) || clock.monotonic() >= end) return state;
    await sleep(clock, pause, signal);
  }
}

/** An answer that says what is the case; a failure when that is not what was wanted. */
export const outcome = (reached: boolean, answer: string): Result => ({
  ...(!reached && { failed: true }),
  summary: answer,
  answer: reached ? answer : `${answer}. This is not what the rule asks for.`,
});

export const onOff = (on: boolean): string => (on ? 'on' : 'off');

export const failure = (what: string): Result => ({ failed: true, summary: what, answer: what });

/** Outputs that are switched back later: after their time, or when the rules stop. */
export class Pulses {
  readonly #context: RulesContext;
  readonly #running = new Map<string, { readonly cancel: AbortController; readonly done: Promise<void> }>();

  constructor(context: RulesContext) {
    this.#context = context;
  }

  /** `back` is called after `ms`, at once when the rules stop, and not at all when the output is cancelled before. */
  start(output: string, ms: number, back: () => Promise<void>): void {
    const cancel = new AbortController();
    const done = this.#wait(output, ms, back, cancel.signal);
    this.#running.set(output, { cancel, done });
    void done.then(() => {
      if (this.#running.get(output)?.done === done) this.#running.delete(output);
    });
  }

  /** The output stays as it is now. */
  async cancel(output: string): Promise<void> {
    const running = this.#running.get(output);
    running?.cancel.abort();
    await running?.done;
  }

  /** Resolves when all outputs are switched back; the signal of the rules has aborted by then. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  async #wait(output: string, ms: number, back: () => Promise<void>, cancelled: AbortSignal): Promise<void> {
    const { clock, log, signal } = this.#context;
    await sleep(clock, ms, AbortSignal.any([signal, cancelled])).catch(() => undefined);
    if (cancelled.aborted) return;
    try {
      await back();
    } catch (error) {
      log.error(`output ${output} could not be switched back: ${describeError(error)}`);
    }
  }
}
