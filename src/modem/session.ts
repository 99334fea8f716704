import { onAbort, unlessAborted } from '../base/abort.ts';
import { BackOff } from '../base/back-off.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { describeError, GatewayError } from '../base/errors.ts';
import { FaultLog } from '../base/fault-log.ts';
import type { Logger } from '../base/log.ts';
import { Wake } from '../base/wake.ts';
import type { ModemConfig } from '../config/config.ts';
import type { PartToSend, Sender, SendOutcome } from '../store/sender.ts';
import { runProgram } from '../system/run-program.ts';
import { distrust } from '../system/trusted-program.ts';
import { type AtAnswer, checkByHand } from './at-by-hand.ts';
import { type ConnectionEnd, ModemConnection } from './connection.ts';
import { type PinMemory, processPinMemory } from './pin-memory.ts';
import { openPort } from './port/open-port.ts';
import type { ModemPort, PortBindings } from './port/port.ts';
import { ResetLadder } from './reset-ladder.ts';
import type { Inbound, SessionContext } from './session-context.ts';
import type { ModemState, ModemStatus } from './status.ts';
import { StatusBoard } from './status.ts';

export type { Inbound } from './session-context.ts';

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

/** Pauses between attempts to open the port. */
const REOPEN = { first: 1_000, longest: 60_000, jitter: 0.2 };
/** A modem that has just started sends more codes before it listens, ms. */
const AFTER_START = 1_000;
/** A modem needs time after its radio or its power was switched, ms. */
const AFTER_RUNG = 5_000;
/** The reset command is killed after these ms. */
const RESET_DEADLINE = 60_000;

/** The modem works; where its SIM or the network refuses it, no reset helps. */
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
 * Drives one modem for as long as the gateway runs: opens its port, sets the modem up and works with it. It begins
 * again when the port goes, the modem falls silent or restarts.
 */
export class ModemSession implements Sender {
  readonly name: string;
  readonly #context: SessionContext;
  readonly #bindings: PortBindings | undefined;
  readonly #backoff = new BackOff(REOPEN);
  readonly #abort = new AbortController();
  readonly #retryNow = new Wake();
  #connection: ModemConnection | undefined;
  /** 0 as long as the modem is as an earlier run of the gateway left it. */
  #epoch = 0;
  /** The last connection set the modem up to the end, and saw no reset of it. */
  #known = true;
  #opened = 0;
  /** Calls of `refusesAll` since the last accepted message. */
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
        noted: () => inbound.noted?.(this.status()),
      }),
      inbound,
      pinMemory: options.pinMemory ?? processPinMemory(),
      ladder: new ResetLadder(clock, config.reset_command.length > 0),
      refusedForGood: new Set(),
    };
  }

  get ready(): boolean {
    return this.#context.board.state === 'ready' && this.#connection?.ended === false;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Starts and returns at once; `status` shows how far it is. */
  start(): void {
    this.#running ??= this.#run(this.#abort.signal);
  }

  /** Ends everything for good; resolves when the port is closed. */
  async stop(): Promise<void> {
    this.#abort.abort(new GatewayError('stopping', 'the session is stopped'));
    await this.#running;
    this.#context.board.enter('stopped');
  }

  /** Closes the port and opens it again at once. */
  restart(): void {
    this.#backoff.reset();
    this.#retryNow.call();
    this.#connection?.end({ type: 'ended', reason: 'restarted by hand' });
  }

  status(): ModemStatus {
    return this.#context.board.snapshot();
  }

  /** One fact of the status. */
  fact(name: 'imsi' | 'number'): string | undefined {
    return this.#context.board.fact(name);
  }

  async send(part: PartToSend, signal: AbortSignal): Promise<SendOutcome> {
    if (this.#connection === undefined || !this.ready) return { type: 'unavailable', reason: 'the modem is not ready' };
    const outcome = await this.#connection.send(part, signal);
    if (outcome.type === 'accepted') {
      this.#refusals = 0;
      this.#context.board.warn('refusals', undefined);
    }
    return outcome;
  }

  /** The modem refuses every message: it is set up again, and restarted when that does not help. */
  refusesAll(): void {
    if (this.#connection === undefined || !this.ready) return;
    const reason = 'the modem refuses every message';
    this.#refusals += 1;
    const restart = this.#refusals > 1;
    const text = `${reason}: it is ${restart ? 'restarted' : 'set up again'}, the messages wait`;
    this.#context.log.warning(text);
    this.#context.board.warn('refusals', text);
    if (restart) this.#connection.restartModem(reason);
    else this.#connection.end({ type: 'ended', reason });
  }

  /** One USSD request; resolves to the network's answer. Throws GatewayError. */
  async ussd(code: string, signal: AbortSignal): Promise<string> {
    if (this.#connection === undefined) throw new GatewayError('modem_unavailable', 'the modem is not ready');
    return this.#connection.ussd(code, signal);
  }

  /** One AT command by a person. Throws GatewayError. */
  async at(command: string, signal: AbortSignal): Promise<AtAnswer> {
    checkByHand(command, this.#context.config.at_commands);
    if (this.#connection === undefined) throw new GatewayError('modem_unavailable', 'the modem is not open');
    return this.#connection.at(command, signal);
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

  /** Keeps the port through resets of the modem: each gets a connection of its own. */
  async #useUntilLost(port: ModemPort, signal: AbortSignal): Promise<ConnectionEnd> {
    const { board, clock, log } = this.#context;
    for (;;) {
      board.note({ registration: undefined, operator: undefined, technology: undefined, signal: undefined });
      if (!stayingStates.has(board.state)) board.enter('probing');
      const known = this.#known;
      this.#known = false;
      const connection = new ModemConnection(port, this.#context, (kept) => {
        if (!kept || !known) this.#epoch++;
        this.#known = true;
      });
      this.#connection = connection;
      const release = onAbort(signal, () => connection.end({ type: 'ended', reason: 'the session is stopped' }));
      const end = await connection.over;
      release();
      this.#connection = undefined;
      if (end.type !== 'started') return end;
      this.#known = false;
      log.info(end.reason);
      board.enter('probing', end.reason);
      await sleep(clock, AFTER_START, signal);
    }
  }

  /** Radio cycle or restart of a modem that perhaps cannot answer: the commands go out without a wait for answers. */
  async #climb(port: ModemPort, signal: AbortSignal): Promise<void> {
    const { ladder, faults, clock } = this.#context;
    const rung = ladder.due;
    if (rung !== 'radio_cycle' && rung !== 'restart') return;
    ladder.climbed();
    const what = rung === 'restart' ? 'it is restarted' : 'its radio is switched off and on';
    faults.fault(rung, `the modem does not come back: ${what}; more steps follow with growing pauses`);
    const commands = rung === 'restart' ? ['AT+CFUN=1,1'] : ['AT+CFUN=0', 'AT+CFUN=1'];
    for (const command of commands) {
      await unlessAborted(port.write(Buffer.from(`\x1b\r${command}\r`)), signal);
      await sleep(clock, AFTER_RUNG, signal);
    }
  }

  /** `opened`: the port could be opened. Without it the radio cycle and the restart are passed over. */
  async #runResetCommand(opened: boolean, signal: AbortSignal): Promise<void> {
    const { ladder, log, clock, config } = this.#context;
    if (!opened && ladder.due !== undefined && ladder.due !== 'reset_command') ladder.climbed();
    if (ladder.due !== 'reset_command') return;
    ladder.climbed();
    const [program = ''] = config.reset_command;
    // A name alone is looked for where the system has its programs.
    const refused = program.startsWith('/') ? await distrust(program) : undefined;
    if (refused !== undefined) {
      log.error(`the modem does not come back, and the reset command failed: ${refused}`);
      return;
    }
    log.warning('the modem does not come back: the reset command is run');
    const options = { clock, signal, deadline: RESET_DEADLINE, maxOutput: 2_000 };
    const { code, failure } = await runProgram(config.reset_command, options);
    if (code !== 0) log.error(`the reset command failed: ${failure ?? `exit code ${code}`}`);
  }

  #lost(end: ConnectionEnd): void {
    const { board, faults } = this.#context;
    // The state already says what is wrong, and the next step of the reset ladder is due.
    if (end.type === 'no_sim') return;
    faults.fault('port', end.reason);
    board.count('errors');
    board.enter(end.type === 'closed' ? 'opening' : 'hung', end.reason);
  }
}
