import { AtError } from './answer.ts';
import { type CommandOptions, informationName } from './exchange.ts';
import type { SubmitDeadlines, SubmitResult } from './submission.ts';

/** Where commands can be given. */
export interface CommandLine {
  /** The information lines of the answer. Throws AtError. */
  command(text: string, options?: CommandOptions): Promise<readonly string[]>;
}

/** The line to the modem while a transaction has it. */
export interface AtLine extends CommandLine {
  /** AT+CMGS. Never rejects. */
  submit(length: number, pdu: string, deadlines: SubmitDeadlines): Promise<SubmitResult>;
}

/** The modem answers, and refuses this one command or leaves it unanswered. */
export function isRefusal(error: unknown): error is AtError {
  return error instanceof AtError && ['cms', 'cme', 'error', 'timeout'].includes(error.kind);
}

/** Causes of a SIM or modem that is not ready yet: TS 27.007 9.2.1, TS 27.005 3.2.5, and 515 of vendors. */
const busyCauses: Readonly<Record<string, readonly number[]>> = { cme: [14, 515], cms: [14, 314, 515] };
/** The same, or a refusal for good: modems are not of one mind. */
const perhapsBusyCauses = [301, 302, 500];

/** Whether an error says that the modem may do it later. `perhaps`: or never. */
export function busyness(error: AtError): 'busy' | 'perhaps' | undefined {
  const { kind, causeCode = -1 } = error;
  if (busyCauses[kind]?.includes(causeCode) === true) return 'busy';
  return kind === 'cms' && perhapsBusyCauses.includes(causeCode) ? 'perhaps' : undefined;
}

/** A command that a modem may do without: undefined when it refuses. Throws only when the line itself is lost. */
export async function optional(
  line: CommandLine,
  text: string,
  options?: CommandOptions,
): Promise<readonly string[] | undefined> {
  try {
    return await line.command(text, options);
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** The first information line of a query's own name; undefined when no such line comes, or when the modem refuses. */
export async function query(line: CommandLine, text: string, options?: CommandOptions): Promise<string | undefined> {
  const name = informationName(text);
  return (await optional(line, text, options))?.find((answer) => answer.startsWith(`${name}:`));
}
