import { onAbort, unlessAborted } from '../../base/abort.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { ModemPort } from '../port/port.ts';
import { AtError, finalResult } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { Command, type CommandOptions, Resync, resyncRounds, silence } from './exchange.ts';
import type { AtLine, CommandLine } from './line.ts';
import { type Priority, PriorityLock } from './priority-lock.ts';
import { type AtInput, AtSplitter } from './splitter.ts';
import { refusedBy, Submission, type SubmitDeadlines, type SubmitResult, submittedReference } from './submission.ts';
import { type Unsolicited, UnsolicitedReader } from './unsolicited.ts';

/** The owner of a channel. */
export interface ChannelListener {
  unsolicited(code: Unsolicited): void;
  /** The port is gone. */
  closed(reason: string): void;
  /** The modem did not answer through all rounds of a resynchronisation. */
  silent(): void;
  /** The answer to an earlier AT+CMGS, whose wait has ended. */
  answeredLate?(answer: LateAnswer): void;
  /** The modem is not as it was set up: it must have restarted. */
  settingsLost?(reason: string): void;
}

/** The answer to a message after the wait for it is over. */
export type LateAnswer = Extract<SubmitResult, { type: 'accepted' | 'refused' }>;

export interface ChannelOptions {
  readonly port: ModemPort;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener: ChannelListener;
}

/** ms without a line after which an open USSD text is complete. */
const TEXT_QUIET = 1_000;
/** No modem restarts and listens again within these ms: it is still in the mode that it was in. */
const START_TIME = 2_000;

/**
 * AT commands over a port: one at a time, each with a deadline, unsolicited codes picked out at any moment. When the
 * port closes or the owner ends it, everything that waits is settled.
 */
export class AtChannel {
  readonly #port: ModemPort;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listener: ChannelListener;
  readonly #lock = new PriorityLock();
  readonly #splitter = new AtSplitter();
  readonly #unsolicited: UnsolicitedReader;
  #exchange: Exchange | undefined;
  #ended: AtError | undefined;
  /** An answer was missed, or none came yet: it is not known what the next lines of the modem belong to. */
  #doubtful = true;
  #lastHeard: number;
  #echoed = false;
  /** Whether the last command came back as an echo. */
  #echoing = false;
  /** Ends the wait for more of a USSD text. */
  #cancelQuiet = () => {};
  /** A prompt came while a USSD text was open: a line of it may begin so. */
  #promptHeld = false;
  /** An AT+CMGS was given up without an answer, and the modem has not answered anything since. */
  #unanswered = false;
  /** When it was last seen in PDU mode, on the monotonic clock. */
  #modeSeen = Number.NEGATIVE_INFINITY;
  /** Set up, and what a restart of the modem would undo is watched. */
  #guarded: { readonly echoOff: boolean } | undefined;
  /** Whether the modem may have left the PDU mode. */
  #modeDoubtful = false;

  constructor({ port, clock, log, listener }: ChannelOptions) {
    this.#port = port;
    this.#clock = clock;
    this.#log = log;
    this.#listener = listener;
    this.#lastHeard = clock.monotonic();
    this.#unsolicited = new UnsolicitedReader((code) => {
      if (this.#ended === undefined) listener.unsolicited(code);
    });
    port.listen({
      data: (chunk) => this.#data(chunk),
      closed: (reason) => {
        this.end(new AtError('closed', reason));
        listener.closed(reason);
      },
    });
  }

  /** When the modem last said something, on the monotonic clock. */
  get lastHeard(): number {
    return this.#lastHeard;
  }

  /** Whether the modem has echoed a command. */
  get echoed(): boolean {
    return this.#echoed;
  }

  /**
   * To be called when the modem is set up: in PDU mode, and with its echo off if it heeds that. From now on an echo is a
   * sign of a restart, and no PDU is typed into a modem that may have restarted since its last answer: in text mode
   * `AT+CMGS=25` takes what follows for a text to the number 25.
   */
  guard(): void {
    this.#guarded = { echoOff: !this.#echoing };
    this.#modeSeen = this.#clock.monotonic();
  }

  /** Something looks like a restart of the modem: the next message asks for the mode first. */
  doubtMode(): void {
    this.#modeDoubtful = true;
  }

  /** Runs `work` with the line for itself. Throws what `work` throws, AtError, or the signal's reason. */
  async transaction<T>(priority: Priority, signal: AbortSignal, work: (line: AtLine) => Promise<T>): Promise<T> {
    const release = await this.#lock.acquire(priority, signal);
    try {
      return await work({
        command: (text, options) => this.#command(text, options ?? {}, signal),
        submit: (length, pdu, deadlines) => this.#submit(length, pdu, deadlines, signal),
      });
    } finally {
      release();
    }
  }

  /** One command as a transaction of its own. */
  command(priority: Priority, signal: AbortSignal, text: string, options?: CommandOptions): Promise<readonly string[]> {
    return this.transaction(priority, signal, (line) => line.command(text, options));
  }

  /** A line on which each command is a transaction of its own, so that others come in between. */
  shared(priority: Priority, signal: AbortSignal): CommandLine {
    return { command: (text, options) => this.command(priority, signal, text, options) };
  }

  /** Ends what runs and what waits, for good. The port stays open. */
  end(error: AtError): void {
    this.#ended ??= error;
    this.#cancelQuiet();
    this.#lock.break(this.#ended);
    this.#exchange?.end(this.#ended);
  }

  async #command(text: string, options: CommandOptions, signal: AbortSignal): Promise<readonly string[]> {
    await this.#settleDoubt(signal);
    const command = new Command(text, options, this.#clock);
    return this.#run(command, signal, () => this.#send(command, `${text}\r`));
  }

  async #submit(length: number, pdu: string, deadlines: SubmitDeadlines, signal: AbortSignal): Promise<SubmitResult> {
    try {
      await this.#settleDoubt(signal);
      await this.#checkMode(signal);
      const write = (text: string) => this.#write(text);
      const submission = new Submission(length, pdu, deadlines, this.#clock, write);
      const result = await this.#run(submission, signal, () => submission.start());
      this.#unanswered = result.type === 'unanswered' && !submission.complete;
      if (result.type === 'accepted') this.#modeSeen = this.#clock.monotonic();
      return result;
    } catch (error) {
      return { type: 'not_sent', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#splitter.expectPrompt = false;
    }
  }

  /** Throws AtError when the modem is in text mode, or says nothing about it. */
  async #checkMode(signal: AbortSignal): Promise<void> {
    const fresh = this.#clock.monotonic() - this.#modeSeen < START_TIME;
    if (this.#guarded === undefined || (fresh && !this.#modeDoubtful)) return;
    const mode = await this.#mode(signal);
    if (mode === '1') {
      const reason = 'the modem has gone back to text mode';
      this.#listener.settingsLost?.(reason);
      throw new AtError('error', reason);
    }
    if (mode !== '0') await this.#command('AT+CMGF=0', {}, signal);
    this.#modeDoubtful = false;
    this.#modeSeen = this.#clock.monotonic();
  }

  /** What the modem says of +CMGF; undefined when it does not know the question. */
  async #mode(signal: AbortSignal): Promise<string | undefined> {
    try {
      const lines = await this.#command('AT+CMGF?', {}, signal);
      return lines.map((line) => /^\+CMGF:\s*(\d)/.exec(line)?.[1]).find((mode) => mode !== undefined);
    } catch (error) {
      if (error instanceof AtError && ['cms', 'cme', 'error'].includes(error.kind)) return undefined;
      throw error;
    }
  }

  /** The waiter stands before the first octet goes out, so that no answer is too early. */
  async #run<T>(
    exchange: Exchange & { readonly result: Promise<T> },
    signal: AbortSignal,
    start: () => void,
  ): Promise<T> {
    this.#exchange = exchange;
    this.#echoing = false;
    this.#splitter.expectPrompt = exchange instanceof Submission;
    this.#log.debug(() => `> ${loggable(exchange.echo)}`);
    if (this.#ended !== undefined) exchange.end(this.#ended);
    const release = onAbort(signal, () => exchange.end(new AtError('aborted', 'given up')));
    try {
      if (this.#ended === undefined && !signal.aborted) start();
      return await exchange.result;
    } finally {
      release();
      this.#exchange = undefined;
      this.#doubtful ||= !exchange.complete;
    }
  }

  async #settleDoubt(signal: AbortSignal): Promise<void> {
    if (!this.#doubtful) return;
    for (const { openings, wait } of resyncRounds) {
      for (const { text, pause } of openings) {
        await unlessAborted(this.#write(text), signal);
        if (pause > 0) await sleep(this.#clock, pause, signal);
        if (this.#ended !== undefined) throw this.#ended;
      }
      const resync = new Resync(wait, this.#clock);
      if (await this.#run(resync, signal, () => this.#send(resync, `${resync.echo}\r`))) {
        this.#doubtful = false;
        this.#unanswered = false;
        return;
      }
    }
    const error = silence();
    this.#listener.silent();
    throw error;
  }

  #send(exchange: Exchange, text: string): void {
    this.#write(text).catch((error: Error) => exchange.end(new AtError('closed', error.message)));
  }

  #write(text: string): Promise<void> {
    return this.#port.write(Buffer.from(text, 'latin1'));
  }

  #data(chunk: Buffer): void {
    this.#lastHeard = this.#clock.monotonic();
    for (const input of this.#splitter.push(chunk)) {
      if (this.#ended !== undefined) return;
      this.#input(input);
    }
    if (this.#ended === undefined) this.#watchText();
  }

  #input(input: AtInput): void {
    switch (input.type) {
      case 'prompt':
        if (this.#unsolicited.open) this.#promptHeld = true;
        else this.#prompted();
        break;
      case 'line':
        this.#line(this.#heldBack(this.#withoutEcho(input.text)));
        break;
      case 'junk':
        this.#log.debug(`dropped a line of ${input.length} octets`);
    }
  }

  #prompted(): void {
    this.#promptHeld = false;
    this.#splitter.expectPrompt = false;
    this.#exchange?.prompt();
  }

  /** The line with what was taken for a prompt in front, when that is a line of the open text. */
  #heldBack(text: string): string {
    if (!this.#promptHeld) return text;
    if (!this.#unsolicited.goesOn(text, this.#exchange?.expected)) {
      this.#prompted();
      return text;
    }
    this.#promptHeld = false;
    return `> ${text}`;
  }

  #line(text: string): void {
    if (text === '') return;
    this.#log.debug(() => `< ${loggable(text)}`);
    if (this.#unsolicited.take(text, this.#exchange?.expected)) return;
    if (text.startsWith('+CM') && !(this.#exchange instanceof Submission)) this.#answeredLate(text);
    if (this.#exchange?.line(text) !== true) this.#log.debug('this line belongs to nothing');
  }

  /**
   * +CMGS answers nothing but a message. A refusal is one when nothing else can be refused: nothing runs, or the
   * question of a resynchronisation, which fails in other words.
   */
  #answeredLate(text: string): void {
    const mr = submittedReference(text);
    const final = finalResult(text);
    const idle = this.#exchange === undefined || (this.#exchange instanceof Resync && !this.#exchange.complete);
    if (mr !== undefined) this.#listener.answeredLate?.({ type: 'accepted', mr });
    else if (this.#unanswered && idle && final?.ok === false && final.error.kind === 'cms')
      this.#listener.answeredLate?.(refusedBy(final.error));
    else return;
    this.#unanswered = false;
  }

  /** An open USSD text is complete when nothing more comes. */
  #watchText(): void {
    this.#cancelQuiet();
    if (!this.#unsolicited.open) return;
    this.#cancelQuiet = this.#clock.after(TEXT_QUIET, () => {
      this.#unsolicited.flush();
      if (this.#promptHeld) this.#prompted();
    });
  }

  /** The line without the echo of what was sent; a vendor's code may stand between the echo and its line end. */
  #withoutEcho(text: string): string {
    const echo = this.#exchange?.echo;
    if (echo === undefined) return text;
    if (text.startsWith(echo)) {
      this.#echoed = true;
      this.#echoing = true;
      if (this.#guarded?.echoOff) this.#listener.settingsLost?.('the modem echoes again: it has restarted');
      return text.slice(echo.length);
    }
    // An echo that lost its first octets.
    return text.length >= echo.length - 2 && echo.endsWith(text) ? '' : text;
  }
}

/** PDUs hold what people wrote; +CPIN, +CPWD and +CLCK hold PINs: neither is for the log. */
function loggable(text: string): string {
  const secret = /\+(?:CPIN|CPWD|CLCK)=/i.exec(text);
  if (secret !== null) return `AT${secret[0]}…`;
  return /^[0-9A-F]{20,}/i.test(text) ? `${text.length / 2} octets` : text;
}
