import { type Clock, sleep } from '../base/clock.ts';
import { describeError, GatewayError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { ModemConfig } from '../config/config.ts';
import type { PartToSend, Sender, SendOutcome } from '../store/sender.ts';
import { runProgram } from '../system/run-program.ts';
import { type AtAnswer, checkByHand } from './at-by-hand.ts';
import { Backoff } from './backoff.ts';
import { FaultLog } from './fault-log.ts';
import type { Inbound } from './inbound.ts';
import { Life, type LifeEnd } from './life.ts';
import type { LifeContext } from './life-context.ts';
import { type PinMemory, processPinMemory } from './pin-memory.ts';
import { openPort } from './port/open-port.ts';
import type { ModemPort, PortBindings } from './port/port.ts';
import { ResetLadder } from './reset-ladder.ts';
import type { ModemState, ModemStatus } from './status.ts';
import { StatusBoard } from './status-board.ts';
import { Wake } from './wake.ts';

export type { Inbound } from './inbound.ts';

export interface ModemSessionOptions {
  /** The section's name. */
  readonly name: string;
  readonly config: ModemConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inbound: Inbound;
  readonly bindings?: PortBindings;
  /** Remembers over restarts which PIN was tried; in this process only when absent. */
  readonly pinMemory?: PinMemory;
}

/** A modem that has just started has more to say before it listens, ms. */
const AFTER_START = 1_000;
/** A modem whose radio or power went needs time, ms. */
const AFTER_RUNG = 5_000;
/** The reset command is killed after these ms. */
const RESET_DEADLINE = 60_000;

/** The modem works, even if its SIM or the network does not let it in: no reset helps. */
const workingStates: ReadonlySet<ModemState> = new Set([
  'ready',
  'registering',
  'denied',
  'pin_required',
  'pin_wrong',
  'puk_required',
]);
/** These last through attempts to bring the modem back, until something better is known. */
const stayingStates: ReadonlySet<ModemState> = new Set(['hung', 'no_sim']);

/**
 * Drives one modem for as long as the gateway runs: opens its port, sets it up, works with it, and begins anew for
 * ever when the port goes, the modem falls silent or restarts.
 */
export class ModemSession implements Sender {
  readonly name: string;
  readonly #context: LifeContext;
  readonly #bindings: PortBindings | undefined;
  readonly #backoff = new Backoff();
  readonly #abort = new AbortController();
  readonly #retryNow = new Wake();
  #life: Life | undefined;
  /** 0 for as long as the modem goes on as an earlier run of the gateway has left it. */
  #epoch = 0;
  /** The last life set the modem up to the end, and saw no reset of it. */
  #known = true;
  #opened = 0;
  /** How often it was said in a row that the modem refuses everything. */
  #refusals = 0;
  #running: Promise<void> | undefined;

  constructor(options: ModemSessionOptions) {
    const { name, config, clock, log, inbound } = options;
    this.name = name;
    this.#bindings = options.bindings;
    this.#context = {
      name,
      config,
      clock,
      log,
      faults: new FaultLog(log),
      board: new StatusBoard({
        name,
        device: config.device,
        clock,
        recovery: () => this.#recovery(),
        changed: () => this.#changed(),
      }),
      inbound,
      pinMemory: options.pinMemory ?? processPinMemory(),
      ladder: new ResetLadder(clock, config.reset_command.length > 0),
      refusedForGood: new Set(),
    };
  }

  get ready(): boolean {
    return this.#context.board.state === 'ready' && this.#life?.ended === false;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Begins; returns at once. The state tells how far it is. */
  start(): void {
    this.#running ??= this.#run(this.#abort.signal);
  }

  /** Ends everything for good; resolves when the port is closed. */
  async stop(): Promise<void> {
    this.#abort.abort(new GatewayError('stopping', 'the session is stopped'));
    await this.#running;
    this.#context.board.enter('stopped');
  }

  /** Closes the port and begins anew, at once. */
  restart(): void {
    this.#backoff.reset();
    this.#retryNow.call();
    this.#life?.end({ type: 'ended', reason: 'restarted by hand' });
  }

  status(): ModemStatus {
    return this.#context.board.snapshot();
  }

  async send(part: PartToSend, signal: AbortSignal): Promise<SendOutcome> {
    if (this.#life === undefined || !this.ready) return { type: 'unavailable', reason: 'the modem is not ready' };
    const outcome = await this.#life.send(part, signal);
    if (outcome.type === 'accepted') {
      this.#refusals = 0;
      this.#context.board.warn('refusals', undefined);
    }
    return outcome;
  }

  /** The modem refuses every message: it is set up anew, and when that was no help it is restarted. */
  refusesAll(): void {
    if (this.#life === undefined || !this.ready) return;
    const reason = 'the modem refuses every message';
    this.#refusals += 1;
    const restart = this.#refusals > 1;
    const text = `${reason}: it is ${restart ? 'restarted' : 'set up anew'}, the messages wait`;
    this.#context.log.warning(text);
    this.#context.board.warn('refusals', text);
    if (restart) this.#life.restartModem(reason);
    else this.#life.end({ type: 'ended', reason });
  }

  /** One USSD request; resolves to the network's answer. Throws GatewayError. */
  async ussd(code: string, signal: AbortSignal): Promise<string> {
    if (this.#life === undefined) throw new GatewayError('modem_unavailable', 'the modem is not ready');
    return this.#life.ussd(code, signal);
  }

  /** One AT command by a person. Throws GatewayError. */
  async at(command: string, signal: AbortSignal): Promise<AtAnswer> {
    checkByHand(command, this.#context.config.at_commands);
    if (this.#life === undefined) throw new GatewayError('modem_unavailable', 'the modem is not open');
    return this.#life.at(command, signal);
  }

  #changed(): void {
    const { board, ladder, faults, inbound } = this.#context;
    if (workingStates.has(board.state)) {
      ladder.over();
      for (const rung of ['radio_cycle', 'restart']) faults.over(rung);
    }
    if (board.state === 'ready') {
      this.#backoff.reset();
      faults.over('port');
    }
    inbound.changed(board.snapshot());
  }

  #recovery(): ModemStatus['recovery'] {
    const { next } = this.#context.ladder;
    return next && { step: next.rung, in: Math.ceil(next.wait / 1000) };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { board, faults, ladder } = this.#context;
    while (!signal.aborted) {
      let opened = false;
      try {
        if (!stayingStates.has(board.state)) board.enter('opening', board.snapshot().error);
        const port = await this.#open(signal);
        opened = true;
        try {
          await this.#climb(port, signal);
          const end = await this.#useUntilLost(port, signal);
          if (end.type !== 'ended') this.#lost(end);
          else continue;
        } finally {
          await port.close();
        }
      } catch (error) {
        if (signal.aborted) return;
        board.enter(board.state === 'hung' ? 'hung' : 'opening', describeError(error));
        faults.fault('port', describeError(error));
      }
      ladder.trouble();
      await this.#runResetCommand(opened, signal);
      await this.#retryNow.wait(this.#context.clock, this.#backoff.next(), signal).catch(() => {});
    }
  }

  async #open(signal: AbortSignal): Promise<ModemPort> {
    const { board, clock, config, log } = this.#context;
    const { device, baudrate, rtscts } = config;
    const warn = (text: string | undefined) => board.warn('port', text);
    const port = await openPort(device, { baudrate, rtscts, clock, log, bindings: this.#bindings, warn }, signal);
    if (this.#opened++ > 0) board.count('reopened');
    board.note({ device: port.path });
    return port;
  }

  /** Lives on the same port through resets of the modem. */
  async #useUntilLost(port: ModemPort, signal: AbortSignal): Promise<LifeEnd> {
    const { board, clock, log } = this.#context;
    for (;;) {
      board.note({ registration: undefined, operator: undefined, signal: undefined });
      if (!stayingStates.has(board.state)) board.enter('probing');
      const known = this.#known;
      this.#known = false;
      const life = new Life(port, this.#context, (kept) => {
        if (!kept || !known) this.#epoch++;
        this.#known = true;
      });
      const onAbort = () => life.end({ type: 'ended', reason: 'the session is stopped' });
      signal.addEventListener('abort', onAbort, { once: true });
      this.#life = life;
      if (signal.aborted) onAbort();
      const end = await life.over;
      this.#life = undefined;
      signal.removeEventListener('abort', onAbort);
      if (end.type !== 'started') return end;
      this.#known = false;
      log.info(end.reason);
      board.enter('probing', end.reason);
      await sleep(clock, AFTER_START, signal);
    }
  }

  /** Radio cycle or restart of a modem that perhaps cannot answer: the commands go out without waiting for a word. */
  async #climb(port: ModemPort, signal: AbortSignal): Promise<void> {
    const { ladder, faults, clock } = this.#context;
    const rung = ladder.due;
    if (rung !== 'radio_cycle' && rung !== 'restart') return;
    ladder.climbed();
    const what = rung === 'restart' ? 'restarted' : 'taken off the air and on again';
    faults.fault(rung, `the modem does not come back: it is ${what}, and again with growing pauses`);
    const commands = rung === 'restart' ? ['AT+CFUN=1,1'] : ['AT+CFUN=0', 'AT+CFUN=1'];
    for (const command of commands) {
      await port.write(Buffer.from(`\x1b\r${command}\r`));
      await sleep(clock, AFTER_RUNG, signal);
    }
  }

  /** `opened`: the port could be opened. Without it the radio cycle and the restart are passed over. */
  async #runResetCommand(opened: boolean, signal: AbortSignal): Promise<void> {
    const { ladder, log, clock, config } = this.#context;
    if (!opened && ladder.due !== undefined && ladder.due !== 'reset_command') ladder.climbed();
    if (ladder.due !== 'reset_command') return;
    ladder.climbed();
    log.warning('the modem does not come back: the reset command is run');
    const options = { clock, signal, deadline: RESET_DEADLINE, maxOutput: 2_000 };
    const { code, failure } = await runProgram(config.reset_command, options);
    if (code !== 0) log.error(`the reset command failed: ${failure ?? `exit code ${code}`}`);
  }

  #lost(end: LifeEnd): void {
    const { board, faults } = this.#context;
    faults.fault('port', end.reason);
    // The state says already what is wrong, and the next step of the reset ladder is due.
    if (end.type === 'no_sim') return;
    board.count('errors');
    board.enter(end.type === 'closed' ? 'opening' : 'hung', end.reason);
  }
}
