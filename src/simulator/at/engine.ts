import { SmsError } from '../../sms/index.ts';
import { commandTable } from '../commands/table.ts';
import type { ModemCore } from '../core.ts';
import type { Answer, AtCommand, CommandIo } from './command.ts';
import { Arguments, type ParsedCommand, parseCommandLine } from './command.ts';
import { AtFailure, badArgument, failureCode } from './failure.ts';
import { Terminal, type TerminalOwner } from './terminal.ts';

/** Unsolicited codes kept while a prompt is open or a command with one runs. */
const MAX_HELD = 1_000;

/** V.250 5.7.1: numbers of the result codes, for ATV0. */
const resultNumbers: Readonly<Record<string, string>> = { OK: '0', 'NO CARRIER': '3', ERROR: '4' };

/** What a modem refuses that is still busy with its SIM. */
const busyCommands = new Set(['+CPMS', '+CNMI', '+CMGL', '+CMGR', '+CMGD']);

const plainError = new AtFailure('plain');

/** Carries out command lines and words their answers. */
export class AtEngine implements TerminalOwner {
  readonly #modem: ModemCore;
  readonly #output: (octets: string) => void;
  readonly #terminal: Terminal = new Terminal(this);
  #held: string[] = [];
  #prompted = false;
  /** Grows with each reset; a command that began before answers no more. */
  #epoch = 0;

  constructor(modem: ModemCore, output: (octets: string) => void) {
    this.#modem = modem;
    this.#output = output;
  }

  get textMode(): boolean {
    return this.#modem.settings.textMode;
  }

  input(octets: string): void {
    this.#terminal.input(octets);
  }

  /** Sends an unsolicited result code, after a prompt that is open. */
  code(text: string): void {
    if (this.#prompted) {
      if (this.#held.length < MAX_HELD) this.#held.push(text);
    } else {
      this.#output(this.#framed(text));
    }
  }

  /** As after a loss of power. */
  reset(): void {
    this.#epoch++;
    this.#held = [];
    this.#prompted = false;
    this.#terminal.reset();
  }

  echo(typed: string): void {
    const modem = this.#modem;
    if (!modem.settings.echo) return;
    const lineBegins = /^\s*AT/i.test(typed);
    const code = lineBegins ? modem.faults.take('urc_before_echo') : undefined;
    const broken = lineBegins && modem.faults.take('broken_echo') !== undefined;
    this.#output((code === undefined ? '' : this.#framed(code.text)) + (broken ? typed.trimStart().slice(1) : typed));
  }

  async run(line: string | undefined): Promise<void> {
    const modem = this.#modem;
    const epoch = this.#epoch;
    await modem.timers.wait(modem.latency.answer);
    // The power went before the command began: it must not open a prompt after the restart.
    if (epoch !== this.#epoch) return;
    const answer: Answered = { information: '', code: 'OK', lost: false };
    for (const command of line === undefined ? [{ type: 'invalid' } as const] : parseCommandLine(line)) {
      await this.#one(command, answer);
      if (answer.code !== 'OK') break;
    }
    if (epoch === this.#epoch) this.#finish(answer);
  }

  #finish(answer: Answered): void {
    const modem = this.#modem;
    this.#prompted = false;
    const noise = modem.faults.take('noise_before_answer');
    if (!answer.lost) {
      const octets = noise === undefined ? '' : Buffer.from(noise.hex, 'hex').toString('latin1');
      this.#output(octets + answer.information + this.#result(answer.code));
    }
    const held = this.#held;
    this.#held = [];
    for (const code of held) this.code(code);
  }

  async #one(command: ParsedCommand, answer: Answered): Promise<void> {
    const modem = this.#modem;
    const row = command.type === 'invalid' ? undefined : commandTable.get(command.name);
    const name = command.type === 'invalid' ? '' : command.name;
    try {
      const refused = row?.sends === true ? undefined : modem.faults.take('cms_error', name);
      if (refused !== undefined) throw new AtFailure('cms', refused.cause);
      const reply = name === '' ? undefined : modem.faults.take('reply', name);
      if (reply !== undefined) {
        answer.information += this.#information([reply.text]);
        return;
      }
      if (row === undefined || command.type === 'invalid') throw plainError;
      if (modem.busy !== undefined && busyCommands.has(name)) throw new AtFailure('cms', modem.busy);
      const lines = await this.#carryOut(row, command);
      if (lines.length > 0) answer.information += this.#information(lines);
      if (name === '+CPIN' && command.type === 'read' && modem.deviations.pinWithoutOk) answer.code = '';
    } catch (thrown) {
      // What the codec refuses is a wrong parameter of the command.
      const failure = thrown instanceof SmsError ? badArgument() : thrown;
      if (!(failure instanceof AtFailure)) throw failure;
      const { errorLevel, textMode } = modem.settings;
      const unknown = row === undefined && modem.deviations.commandNotSupport;
      answer.code = unknown
        ? 'COMMAND NOT SUPPORT'
        : failureCode(failure, row?.errors ?? 'plain', errorLevel, textMode);
    }
    if (modem.faults.take('lose_answer', name) !== undefined) answer.lost = true;
  }

  #carryOut(row: AtCommand, command: Exclude<ParsedCommand, { type: 'invalid' }>): Answer {
    const modem = this.#modem;
    if (command.type === 'test') {
      if (row.test !== undefined) return row.test(modem);
      if (row.set === undefined && row.execute === undefined) throw plainError;
      return [];
    }
    if (row.sim === true) requireSim(modem, row);
    if (command.type === 'read' && row.read !== undefined) return row.read(modem);
    if (command.type === 'execute' && row.execute !== undefined) return row.execute(modem, this.#io);
    if (command.type === 'set' && row.set !== undefined) {
      return row.set(modem, new Arguments(command.value), this.#io);
    }
    throw plainError;
  }

  readonly #io: CommandIo = {
    prompt: () => {
      this.#prompted = true;
      const lost = this.#modem.faults.take('lose_prompt') !== undefined;
      if (!lost) this.#output('\r\n> ');
      return this.#terminal.data();
    },
  };

  #framed(code: string): string {
    // Vendor codes such as ^RSSI come without the CR LF in front, from real modems.
    const bare = code.startsWith('^') && this.#modem.deviations.bareVendorCodes;
    return bare || !this.#modem.settings.verbose ? `${code}\r\n` : `\r\n${code}\r\n`;
  }

  #information(lines: readonly string[]): string {
    const text = `${lines.join('\r\n')}\r\n`;
    return this.#modem.settings.verbose ? `\r\n${text}` : text;
  }

  #result(code: string): string {
    const { quiet, verbose } = this.#modem.settings;
    if (quiet || code === '') return '';
    return verbose ? `\r\n${code}\r\n` : `${resultNumbers[code] ?? code}\r`;
  }
}

interface Answered {
  information: string;
  code: string;
  lost: boolean;
}

function requireSim({ sim }: ModemCore, { errors }: AtCommand): void {
  const [cme, cms] = simCauses[sim.state];
  if (cme !== 0) throw errors === 'cms' ? new AtFailure('cms', cms) : new AtFailure('cme', cme);
}

/** +CME ERROR and +CMS ERROR causes for a SIM that is not usable. */
const simCauses = {
  READY: [0, 0],
  'SIM PIN': [11, 311],
  'SIM PUK': [12, 316],
  absent: [10, 310],
  blocked: [13, 313],
} as const;
