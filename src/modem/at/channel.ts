import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { ModemPort } from '../port/port.ts';
import { AtError } from './at-error.ts';
import { Command, type CommandOptions } from './command.ts';
import type { Exchange } from './exchange.ts';
import { type Priority, PriorityLock } from './priority-lock.ts';
import { Resync, resyncRounds, silence } from './resync.ts';
import { type AtInput, AtSplitter } from './splitter.ts';
import { Submission, type SubmitDeadlines, type SubmitResult } from './submission.ts';
import { type Unsolicited, UnsolicitedReader } from './unsolicited.ts';

/** Who owns a channel. */
export interface ChannelListener {
  unsolicited(code: Unsolicited): void;
  /** The port is gone. */
  closed(reason: string): void;
  /** The modem did not answer through all rounds of a resynchronisation. */
  silent(): void;
}

/** The line to the modem while a transaction has it. */
export interface AtLine {
  /** The information lines of the answer. Throws AtError. */
  command(text: string, options?: CommandOptions): Promise<readonly string[]>;
  /** AT+CMGS. Never rejects. */
  submit(length: number, pdu: string, deadlines: SubmitDeadlines): Promise<SubmitResult>;
}

export interface ChannelOptions {
  readonly port: ModemPort;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener: ChannelListener;
}

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
  /** An answer was missed, or nothing was said yet: who knows what the modem's next words belong to. */
  #doubtful = true;
  #lastHeard: number;
  #echoed = false;

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

  /** Ends what runs and what waits, for good. The port stays open. */
  end(error: AtError): void {
    this.#ended ??= error;
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
      const write = (text: string) => this.#write(text);
      const submission = new Submission(length, pdu, deadlines, this.#clock, write);
      return await this.#run(submission, signal, () => submission.start());
    } catch (error) {
      return { type: 'not_sent', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#splitter.expectPrompt = false;
    }
  }

  /** The waiter stands before the first octet goes out, so that no answer is too early. */
  async #run<T>(
    exchange: Exchange & { readonly result: Promise<T> },
    signal: AbortSignal,
    start: () => void,
  ): Promise<T> {
    const onAbort = () => exchange.end(new AtError('aborted', 'given up'));
    this.#exchange = exchange;
    this.#splitter.expectPrompt = exchange instanceof Submission;
    this.#log.debug(() => `> ${loggable(exchange.echo)}`);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (this.#ended !== undefined) exchange.end(this.#ended);
      else if (signal.aborted) onAbort();
      else start();
      return await exchange.result;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#exchange = undefined;
      this.#doubtful ||= !exchange.complete;
    }
  }

  async #settleDoubt(signal: AbortSignal): Promise<void> {
    if (!this.#doubtful) return;
    for (const { leaveEntry, wait } of resyncRounds) {
      const resync = new Resync(wait, this.#clock);
      const text = `${leaveEntry ? '\x1b' : ''}${resync.echo}\r`;
      if (await this.#run(resync, signal, () => this.#send(resync, text))) {
        this.#doubtful = false;
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

  #data(chunk: Uint8Array): void {
    this.#lastHeard = this.#clock.monotonic();
    for (const input of this.#splitter.push(chunk)) {
      if (this.#ended !== undefined) return;
      this.#input(input);
    }
  }

  #input(input: AtInput): void {
    switch (input.type) {
      case 'prompt':
        this.#splitter.expectPrompt = false;
        this.#exchange?.prompt();
        break;
      case 'line':
        this.#line(this.#withoutEcho(input.text));
        break;
      case 'junk':
        this.#log.debug(`dropped a line of ${input.length} octets`);
    }
  }

  #line(text: string): void {
    if (text === '') return;
    this.#log.debug(() => `< ${loggable(text)}`);
    if (this.#unsolicited.take(text, this.#exchange?.expected)) return;
    if (this.#exchange?.line(text) !== true) this.#log.debug('this line belongs to nothing');
  }

  /** The line without the echo of what was sent; a vendor's code may stand between the echo and its line end. */
  #withoutEcho(text: string): string {
    const echo = this.#exchange?.echo;
    if (echo === undefined) return text;
    if (text.startsWith(echo)) {
      this.#echoed = true;
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
