import { describeError, GatewayError } from '../base/errors.ts';
import { Wake } from '../base/wake.ts';
import type { PartToSend, SendOutcome } from '../store/sender.ts';
import { AtError } from './at/answer.ts';
import { AtChannel } from './at/channel.ts';
import type { Unsolicited } from './at/unsolicited.ts';
import { type AtAnswer, giveByHand, onlyReads } from './at-by-hand.ts';
import { Calls } from './calls.ts';
import { Incoming } from './incoming.ts';
import { MessageStorage } from './message-storage.ts';
import { Monitor, RegistrationWatch } from './network.ts';
import type { ModemPort } from './port/port.ts';
import { Routing } from './routing.ts';
import type { SessionContext } from './session-context.ts';
import { initialise } from './set-up.ts';
import { NoSimError } from './sim-card.ts';
import { outcome, submitPart } from './submit-part.ts';
import { Ussd } from './ussd.ts';

/** How a connection ended: the port went, the modem is silent, unusable, without a SIM or has restarted, or its owner ended it. */
export interface ConnectionEnd {
  readonly type: 'closed' | 'silent' | 'unusable' | 'no_sim' | 'started' | 'ended';
  readonly reason: string;
}

/** Codes that modems send after a start, and some at other times as well. */
const startCode = /^(Call Ready|SMS Ready|SMS DONE|PB DONE|\+CFUN:|\+PBREADY|\+QIND: SMS DONE)/;

/** Longest wait for the answer to AT+CFUN=1,1, ms. Some modems are gone before they answer. */
const RESTART_TIMEOUT = 15_000;

/**
 * A modem on an open port, from the first AT to the next loss or reset. A reset undoes all settings, so the next
 * connection sets up everything again. It does not close the port.
 */
export class ModemConnection {
  /** Settles when the connection has ended and nothing of it runs any more. Never rejects. */
  readonly over: Promise<ConnectionEnd>;
  readonly #context: SessionContext;
  readonly #onSetUp: (kept: boolean) => void;
  readonly #channel: AtChannel;
  readonly #abort = new AbortController();
  readonly #simCode = new Wake();
  readonly #storage = new MessageStorage();
  readonly #routing = new Routing();
  readonly #registration = new RegistrationWatch();
  /** Takes down what the modem announces from its first word on. */
  readonly #incoming: Incoming;
  readonly #monitor: Monitor;
  readonly #calls: Calls;
  /** Set once the modem is set up. */
  #ussd: Ussd | undefined;
  /** Indicators of +CIEV that say that a message memory is full. */
  #memoryIndicators: ReadonlySet<number> = new Set();
  #end: ConnectionEnd | undefined;

  /**
   * `onSetUp` is called when the modem is set up. `kept`: it still had the echo off and its indications as an earlier
   * session leaves them, so it was not reset since.
   */
  constructor(port: ModemPort, context: SessionContext, onSetUp: (kept: boolean) => void) {
    this.#context = context;
    this.#onSetUp = onSetUp;
    this.#calls = new Calls(context.clock, (number) => context.inbound.call?.(number));
    this.#channel = new AtChannel({
      port,
      clock: context.clock,
      log: context.log,
      listener: {
        unsolicited: (code) => this.#unsolicited(code),
        closed: (reason) => this.end({ type: 'closed', reason }),
        silent: () => this.end({ type: 'silent', reason: 'the modem does not answer' }),
        answeredLate: (answer) => context.inbound.answeredLate?.(outcome(answer)),
        settingsLost: (reason) => this.end({ type: 'started', reason }),
      },
    });
    const noNetwork = () => this.end({ type: 'started', reason: 'no network' });
    const forgotten = () => this.end({ type: 'started', reason: 'the modem has restarted silently' });
    this.#incoming = new Incoming(this.#channel, this.#storage, this.#routing, context, () => this.#monitor.look());
    const readable = () => this.#incoming.readable;
    this.#monitor = new Monitor(this.#channel, this.#registration, context, { noNetwork, forgotten, readable });
    this.over = this.#run();
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Ends it; what waits is settled. */
  end(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const error = new AtError('closed', end.reason);
    this.#calls.stop();
    this.#channel.end(error);
    this.#abort.abort(error);
  }

  /** Never rejects. */
  async send(part: PartToSend, signal: AbortSignal): Promise<SendOutcome> {
    const ended = await submitPart(this.#channel, part, this.#context.config.smsc, signal);
    this.#context.board.count(ended.type === 'accepted' ? 'sent' : 'errors');
    return ended;
  }

  /** Restarts the modem, as after power-on (TS 27.007 8.2), and ends. One that refuses is set up again. */
  restartModem(reason: string): void {
    const { signal } = this.#abort;
    this.#channel
      .command('incoming', signal, 'AT+CFUN=1,1', { timeout: RESTART_TIMEOUT })
      .catch((error: unknown) => {
        if (!this.ended) this.#context.log.warning(`the modem refuses its restart: ${describeError(error)}`);
      })
      .finally(() => this.end({ type: 'started', reason }));
  }

  /** One AT command by a person; what may have changed the modem is followed by setting it up. Throws GatewayError. */
  async at(command: string, signal: AbortSignal): Promise<AtAnswer> {
    let given = false;
    try {
      return await giveByHand(this.#channel, command, this.#context.clock, signal, () => {
        given = true;
      });
    } finally {
      if (given && !onlyReads(command))
        this.end({ type: 'started', reason: 'an AT command of a person may have changed its settings' });
    }
  }

  /** Throws GatewayError. */
  async ussd(code: string, signal: AbortSignal): Promise<string> {
    if (this.#ussd === undefined) throw new GatewayError('modem_unavailable', 'the modem is not ready');
    return this.#ussd.request(code, signal, this.#abort.signal);
  }

  async #run(): Promise<ConnectionEnd> {
    try {
      await this.#work();
    } catch (error) {
      this.#failed(error);
    }
    return this.#end ?? { type: 'unusable', reason: 'ended without a reason' };
  }

  async #work(): Promise<void> {
    const { signal } = this.#abort;
    const parts = {
      storage: this.#storage,
      routing: this.#routing,
      registration: this.#registration,
      simCode: this.#simCode,
    };
    // A person may give commands in between: a modem whose SIM is waited for needs that most.
    const setUp = await initialise(this.#channel.shared('poll', signal), parts, this.#context, signal);
    this.#channel.guard();
    this.#onSetUp(this.#routing.kept && !this.#channel.echoed);
    this.#ussd = new Ussd(this.#channel, setUp.family, this.#context.clock);
    this.#memoryIndicators = setUp.memoryIndicators;
    const running = [this.#incoming, this.#monitor].map((part) => part.run(signal));
    await Promise.all(running.map((run) => run.catch((error) => this.#failed(error))));
  }

  /** Everything that runs rejects when the connection ends; another error means that the modem cannot be used. */
  #failed(error: unknown): void {
    this.end({ type: error instanceof NoSimError ? 'no_sim' : 'unusable', reason: describeError(error) });
  }

  #unsolicited(code: Unsolicited): void {
    switch (code.type) {
      case 'stored':
        this.#incoming.announced(code.memory, code.index);
        break;
      case 'stored_somewhere':
        this.#context.log.debug(() => `${code.line}: all memories are looked into`);
        this.#incoming.announcedSomewhere();
        break;
      case 'direct':
        this.#incoming.direct(code.content, code.pdu);
        break;
      case 'memory_full':
        this.#incoming.memoryFull();
        break;
      case 'indicator':
        if (code.value > 0 && this.#memoryIndicators.has(code.index)) this.#incoming.memoryFull();
        break;
      case 'registration':
        this.#monitor.registrationChanged(code.domain, code.stat);
        break;
      case 'signal':
        this.#monitor.signalChanged(code.rssi);
        break;
      case 'ussd':
        if (this.#ussd?.received(code) === false) this.#context.inbound.ussd?.(this.#ussd.textOf(code));
        break;
      case 'started':
        this.end({ type: 'started', reason: 'the modem has restarted' });
        break;
      case 'sim':
        // While the SIM is waited for, this is what the wait is for; later it is another SIM or another start.
        if (this.#ussd === undefined) this.#simCode.call();
        else this.end({ type: 'started', reason: `the SIM is ${code.state}` });
        break;
      case 'other':
        if (!startCode.test(code.line)) break;
        this.#channel.doubtMode();
        if (this.#ussd !== undefined) this.#monitor.suspectRestart();
        break;
      case 'ring':
        this.#calls.ring();
        break;
      case 'caller':
        this.#calls.caller(code.number);
    }
  }
}
